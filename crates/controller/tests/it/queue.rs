//! Guarantees of the work queue: G10 (exclusivity), G11 (delay and shutdown), wake-ups, metrics.
//! Cases named `go_*` follow `util/workqueue/{queue,delaying_queue,rate_limiting_queue}_test.go`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use pintle_client_traits::Registry;
use pintle_controller::{AddOptions, ExponentialBackoff, LOW_PRIORITY, QueueOptions, WorkQueue};
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

fn drain(queue: &WorkQueue<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| queue.try_get().map(|item| *item)).collect()
}

#[tokio::test(start_paused = true)]
async fn g10_many_adds_while_queued_are_one_get() {
    let queue = WorkQueue::new();
    for _ in 0..5 {
        queue.add("a");
    }
    assert_eq!(queue.len(), 1);
    let item = queue.get().await.expect("queued");
    assert_eq!((*item, queue.len()), ("a", 0));
    drop(item);
    assert!(queue.try_get().is_none());
}

#[tokio::test(start_paused = true)]
async fn g10_adds_while_processing_are_one_requeue_at_done_not_before() {
    let queue = WorkQueue::new();
    queue.add("a");
    let item = queue.get().await.expect("queued");
    for _ in 0..3 {
        queue.add("a");
    }
    let mut second = Box::pin(queue.get());
    assert!(second.as_mut().now_or_never().is_none(), "held by one worker at most");
    assert_eq!(queue.len(), 0);
    item.done();
    assert_eq!(*second.await.expect("requeued at done"), "a");
    assert!(queue.try_get().is_none(), "exactly one requeue");
}

#[tokio::test(start_paused = true)]
async fn g10_distinct_keys_come_in_the_order_of_their_adds() {
    let queue = WorkQueue::new();
    for key in ["c", "a", "b", "a", "c"] {
        queue.add(key);
    }
    assert_eq!(drain(&queue), ["c", "a", "b"]);
    // A key requeued at done goes behind those that were queued meanwhile.
    queue.add("a");
    let held = queue.try_get().expect("queued");
    queue.add("a");
    queue.add("b");
    held.done();
    assert_eq!(drain(&queue), ["b", "a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g10_a_key_is_held_by_at_most_one_of_many_workers() {
    use std::sync::atomic::{AtomicU32, Ordering};
    const KEYS: usize = 5;
    let queue = WorkQueue::<usize>::new();
    let held: Arc<[AtomicU32; KEYS]> = Arc::default();
    let turns = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (queue, held, turns) = (queue.clone(), held.clone(), turns.clone());
            tokio::spawn(async move {
                while let Some(key) = queue.get().await {
                    assert_eq!(held[*key].fetch_add(1, Ordering::SeqCst), 0, "two hold {}", *key);
                    tokio::task::yield_now().await;
                    held[*key].fetch_sub(1, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for i in 0..20_000 {
        queue.add(i % KEYS);
        if i % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    queue.shut_down_with_drain().await;
    for worker in workers {
        worker.await.expect("no worker saw a key held twice");
    }
    assert!(turns.load(Ordering::SeqCst) >= KEYS as u32);
}

#[tokio::test(start_paused = true)]
async fn g11_add_after_keeps_the_earliest_time() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    queue.add_after("a", 50 * SECOND);
    queue.add_after("a", 30 * SECOND);
    queue.add_after("a", 70 * SECOND);
    assert_eq!(queue.len(), 0);
    assert_eq!(*queue.get().await.expect("due"), "a");
    assert_eq!(start.elapsed(), 30 * SECOND);
    advance(100 * SECOND).await;
    assert!(queue.try_get().is_none(), "the later times were replaced, not kept beside");
}

#[tokio::test(start_paused = true)]
async fn g11_adds_after_shutdown_are_dropped_and_queued_keys_drain() {
    let queue = WorkQueue::new();
    queue.add("a");
    queue.add("b");
    queue.add_after("c", SECOND);
    queue.shut_down();
    queue.add("d");
    queue.add_after("e", Duration::ZERO);
    queue.add_rate_limited("f");
    assert!(queue.is_shutting_down());
    assert_eq!(queue.get().await.map(|k| *k), Some("a"));
    assert_eq!(queue.get().await.map(|k| *k), Some("b"));
    advance(10 * SECOND).await;
    assert!(queue.get().await.is_none(), "delayed keys do not outlive shutdown");
}

#[tokio::test(start_paused = true)]
async fn g11_shutdown_ends_parked_workers() {
    let queue = WorkQueue::<&str>::new();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.get().await.is_none() })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.shut_down();
    for worker in workers {
        assert!(worker.await.expect("no panic"));
    }
}

#[tokio::test(start_paused = true)]
async fn g11_shutdown_with_drain_waits_for_every_done() {
    let queue = WorkQueue::new();
    queue.add("a");
    queue.add("b");
    let a = queue.try_get().expect("queued");
    queue.add("a"); // before shutdown: comes again
    let mut drained = Box::pin(queue.shut_down_with_drain());
    assert!(drained.as_mut().now_or_never().is_none());
    a.done();
    assert!(drained.as_mut().now_or_never().is_none(), "b and a are still queued");
    let b = queue.try_get().expect("queued");
    let a = queue.try_get().expect("queued again");
    queue.add("a"); // after shutdown: dropped
    b.done();
    assert!(drained.as_mut().now_or_never().is_none(), "a is not done");
    a.done();
    drained.await;
    assert!(queue.try_get().is_none());
}

#[tokio::test(start_paused = true)]
async fn g11_plain_shutdown_ends_the_wait_of_the_drain() {
    let queue = WorkQueue::new();
    queue.add("a");
    let held = queue.try_get().expect("queued");
    let mut drained = Box::pin(queue.shut_down_with_drain());
    assert!(drained.as_mut().now_or_never().is_none());
    queue.shut_down();
    drained.await;
    held.done();
}

#[tokio::test(start_paused = true)]
async fn g11_forget_resets_failures_without_removing_the_key() {
    let queue = WorkQueue::with_options(QueueOptions::rate_limited_by(ExponentialBackoff::new(
        SECOND,
        100 * SECOND,
    )));
    for _ in 0..3 {
        queue.add_rate_limited("a"); // 1, 2 and 4 s
    }
    assert_eq!(queue.num_requeues(&"a"), 3);
    queue.forget(&"a");
    assert_eq!(queue.num_requeues(&"a"), 0);
    let start = Instant::now();
    assert_eq!(*queue.get().await.expect("still there"), "a");
    assert_eq!(start.elapsed(), SECOND, "the earliest of its times");
    queue.add_rate_limited("a");
    assert_eq!(queue.num_requeues(&"a"), 1);
}

#[tokio::test(start_paused = true)]
async fn g11_highest_priority_then_earliest_ready_then_fifo() {
    let queue = WorkQueue::new();
    queue.add_with("initial-1", AddOptions::priority(LOW_PRIORITY));
    queue.add_with("initial-2", AddOptions::priority(LOW_PRIORITY));
    queue.add_with("later", AddOptions::default().after(5 * SECOND));
    queue.add("event-1");
    advance(3 * SECOND).await;
    queue.add_with("sooner", AddOptions::default().after(SECOND));
    queue.add_with("urgent", AddOptions::priority(10).after(4 * SECOND));
    advance(3 * SECOND).await; // sooner was ready at 4 s, later at 5 s; urgent is not
    queue.add("event-2");
    assert_eq!(drain(&queue), ["event-1", "sooner", "later", "event-2", "initial-1", "initial-2"]);
    advance(SECOND).await;
    queue.add("event-3");
    assert_eq!(drain(&queue), ["urgent", "event-3"]);
}

#[tokio::test(start_paused = true)]
async fn g11_adding_again_raises_the_priority_and_keeps_the_turn() {
    let queue = WorkQueue::new();
    queue.add_with("a", AddOptions::priority(LOW_PRIORITY));
    queue.add_with("b", AddOptions::priority(LOW_PRIORITY));
    queue.add("c");
    queue.add("b"); // was ready before c
    queue.add_with("c", AddOptions::priority(LOW_PRIORITY)); // never lowers
    assert_eq!(queue.len(), 3);
    assert_eq!(drain(&queue), ["b", "c", "a"]);
    // The higher priority counts for a held key and for a waiting one too.
    queue.add_with("x", AddOptions::priority(LOW_PRIORITY));
    let held = queue.try_get().expect("queued");
    assert_eq!(held.priority(), LOW_PRIORITY);
    queue.add("y");
    queue.add_with("x", AddOptions::priority(LOW_PRIORITY));
    queue.add_with("x", AddOptions::priority(3));
    held.done();
    assert_eq!(drain(&queue), ["x", "y"]);
    queue.add_with("w", AddOptions::priority(7).after(3 * SECOND));
    queue.add_with("w", AddOptions::default().after(SECOND));
    advance(2 * SECOND).await;
    assert_eq!(queue.try_get().map(|item| (*item, item.priority())), Some(("w", 7)));
}

// TestSimpleQueue, TestDeduping, TestAddTwoFireEarly of delaying_queue_test.go.
#[tokio::test(start_paused = true)]
async fn go_delaying_queue() {
    let queue = WorkQueue::new();
    queue.add_after("foo", Duration::from_millis(50));
    assert_eq!(queue.len(), 0);
    advance(Duration::from_millis(60)).await;
    assert_eq!(drain(&queue), ["foo"]);
    advance(10 * SECOND).await;
    assert_eq!(queue.len(), 0);

    queue.add_after("foo", SECOND);
    queue.add_after("bar", Duration::from_millis(50));
    advance(Duration::from_millis(60)).await;
    assert_eq!(drain(&queue), ["bar"]);
    queue.add_after("third", 2 * SECOND);
    advance(SECOND).await;
    assert_eq!(drain(&queue), ["foo"]);
    advance(2 * SECOND).await;
    assert_eq!(drain(&queue), ["third"]);

    // An add does not cancel a wait.
    queue.add_after("both", SECOND);
    queue.add("both");
    assert_eq!(drain(&queue), ["both"]);
    advance(SECOND).await;
    assert_eq!(drain(&queue), ["both"]);
    // A wait that ends while the key is held brings it back at done.
    queue.add("held");
    let held = queue.try_get().expect("queued");
    queue.add_after("held", SECOND);
    advance(2 * SECOND).await;
    assert_eq!(queue.len(), 0);
    held.done();
    assert_eq!(drain(&queue), ["held"]);
}

// TestRateLimitingQueue of rate_limiting_queue_test.go.
#[tokio::test(start_paused = true)]
async fn go_rate_limiting_queue() {
    let limiter = ExponentialBackoff::new(Duration::from_millis(1), SECOND);
    let queue = WorkQueue::with_options(QueueOptions::rate_limited_by(limiter));
    let start = Instant::now();
    for expect in [1, 2, 4, 8] {
        let before = start.elapsed();
        queue.add_rate_limited("one");
        queue.get().await.expect("due").done();
        assert_eq!(start.elapsed() - before, Duration::from_millis(expect));
    }
    assert_eq!((queue.num_requeues(&"one"), queue.num_requeues(&"two")), (4, 0));
    queue.forget(&"one");
    let before = start.elapsed();
    queue.add_rate_limited("one");
    queue.get().await.expect("due").done();
    assert_eq!(start.elapsed() - before, Duration::from_millis(1));
    // With a delay of its own as well, the shorter counts.
    let before = start.elapsed();
    queue.add_with("two", AddOptions::default().after(SECOND).rate_limited());
    queue.get().await.expect("due").done();
    assert_eq!(start.elapsed() - before, Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn one_parked_worker_keeps_the_time_and_hands_it_on() {
    let queue = WorkQueue::new();
    queue.add_after("late", 10 * SECOND);
    let mut keeper = Box::pin(queue.get());
    let mut other = Box::pin(queue.get());
    assert!(keeper.as_mut().now_or_never().is_none());
    assert!(other.as_mut().now_or_never().is_none());
    drop(keeper); // the one that kept the time leaves
    let start = Instant::now();
    assert_eq!(*other.await.expect("due"), "late");
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_delay_wakes_whoever_keeps_the_time() {
    let queue = WorkQueue::new();
    queue.add_after("late", 100 * SECOND);
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let key = queue.get().await.map(|item| *item);
                (key, Instant::now())
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let start = Instant::now();
    queue.add_after("soon", SECOND);
    queue.add_after("next", 2 * SECOND);
    let mut got = Vec::new();
    for worker in workers {
        let (key, at) = worker.await.expect("no panic");
        got.push((at - start, key));
    }
    got.sort();
    assert_eq!(
        got,
        [(SECOND, Some("soon")), (2 * SECOND, Some("next")), (100 * SECOND, Some("late"))]
    );
}

#[tokio::test(start_paused = true)]
async fn keys_due_at_once_wake_as_many_workers() {
    let queue = WorkQueue::new();
    for key in ["a", "b", "c"] {
        queue.add_after(key, SECOND);
    }
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.get().await.map(|item| item.detach()) })
        })
        .collect();
    let mut got = Vec::new();
    for worker in workers {
        got.push(worker.await.expect("no panic").expect("a key"));
    }
    got.sort_unstable();
    assert_eq!(got, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn done_by_key_and_by_panic() {
    let queue = WorkQueue::new();
    queue.add("a");
    assert_eq!(queue.get().await.expect("queued").detach(), "a");
    queue.add("a");
    assert_eq!(queue.len(), 0, "detached is still held");
    queue.done(&"a");
    queue.done(&"nobody holds it");
    let other = queue.clone();
    let died = tokio::spawn(async move {
        let _item = other.get().await.expect("requeued");
        other.add("a");
        panic!("the worker dies (a test)");
    });
    assert!(died.await.is_err());
    assert_eq!(drain(&queue), ["a"], "its turn ended with it");
}

#[tokio::test(start_paused = true)]
async fn metrics_under_client_gos_names() {
    let registry = Registry::new();
    let options = QueueOptions::rate_limited_by(ExponentialBackoff::new(SECOND, SECOND))
        .metrics("sample", Arc::new(registry.clone()));
    let queue = WorkQueue::with_options(options);
    let value = |name| registry.value(name, &[("name", "sample"), ("controller", "sample")]);
    queue.add("a");
    queue.add("a");
    queue.add("b");
    assert_eq!(value("workqueue_depth"), Some(2.0));
    assert_eq!(value("workqueue_adds_total"), Some(2.0));
    advance(3 * SECOND).await;
    let a = queue.try_get().expect("queued");
    assert_eq!(value("workqueue_depth"), Some(1.0));
    assert_eq!(value("workqueue_queue_duration_seconds"), Some(1.0));
    advance(2 * SECOND).await;
    let b = queue.try_get().expect("queued");
    advance(2 * SECOND).await;
    queue.report_unfinished_work();
    assert_eq!(value("workqueue_unfinished_work_seconds"), Some(6.0));
    assert_eq!(value("workqueue_longest_running_processor_seconds"), Some(4.0));
    a.done();
    queue.report_unfinished_work();
    assert_eq!(value("workqueue_unfinished_work_seconds"), Some(2.0));
    queue.add("b"); // counts now, comes at done
    assert_eq!((value("workqueue_adds_total"), value("workqueue_depth")), (Some(3.0), Some(1.0)));
    b.done();
    queue.add_rate_limited("c");
    queue.add_after("d", SECOND);
    assert_eq!(value("workqueue_retries_total"), Some(2.0));
    assert_eq!(value("workqueue_depth"), Some(1.0), "waiting keys are not queued");
    advance(SECOND).await;
    assert_eq!(queue.len(), 3);
    assert_eq!((value("workqueue_adds_total"), value("workqueue_depth")), (Some(5.0), Some(3.0)));
    assert_eq!(value("workqueue_work_duration_seconds"), Some(2.0));
    let text = registry.render();
    assert!(
        text.contains(
            "workqueue_work_duration_seconds_sum{name=\"sample\",controller=\"sample\"} 6\n"
        ),
        "{text}"
    );
}

#[test]
fn handles_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<WorkQueue<String>>();
    check::<pintle_controller::Item<'static, String>>();
    check::<pintle_controller::Get<'static, String>>();
}
