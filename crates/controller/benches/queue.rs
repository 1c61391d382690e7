//! What one pass of a key through the work queue costs: `cargo bench -p pintle-controller [-- part of a
//! case's name]`.
//!
//! No harness but the standard library's clock. Prints one line for each case, `name ns/op`; the
//! best of several rounds. An op is add + get + forget + done of one key.

use std::fmt::Debug;
use std::hash::Hash;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pintle_apimachinery::ObjectKey;
use pintle_controller::WorkQueue;

/// What controllers use.
type Key = ObjectKey;

const ROUNDS: usize = 25;
const KEYS: usize = 1000;

fn main() {
    let name = |i| format!("web-7d9c5b8f6-{i:05}");
    let keys: Vec<Key> = (0..KEYS).map(|i| ObjectKey::new("team-a", name(i))).collect();
    // As Go's strings are: a copy is free.
    let plain: Vec<&'static str> =
        (0..KEYS).map(|i| &*format!("team-a/{}", name(i)).leak()).collect();

    single("queue/add+get+forget+done/ObjectKey", &keys, one_by_one);
    single("queue/add+get+forget+done/str", &plain, one_by_one);
    single("queue/add+get+forget+done/async", &plain, |queue, keys, ops| {
        block_on(async {
            for i in 0..ops {
                queue.add(keys[i % KEYS]);
                let item = queue.get().await.expect("just added");
                queue.forget(black_box(&item));
                item.done();
            }
        });
    });
    single("queue/add+get+forget+done/1000 queued", &plain, |queue, keys, ops| {
        for _ in 0..ops / KEYS {
            keys.iter().for_each(|key| queue.add(key));
            while let Some(item) = queue.try_get() {
                queue.forget(black_box(&item));
            }
        }
    });
    threads("queue/2 producers 2 workers/threads", &keys);
    tasks("queue/2 producers 2 workers/tokio tasks", &keys);
}

fn one_by_one<K: Clone + Eq + Hash>(queue: &WorkQueue<K>, keys: &[K], ops: usize) {
    for i in 0..ops {
        queue.add(keys[i % KEYS].clone());
        let item = queue.try_get().expect("just added");
        queue.forget(black_box(&item));
        item.done();
    }
}

fn single<K>(name: &str, keys: &[K], run: impl Fn(&WorkQueue<K>, &[K], usize))
where
    K: Clone + Eq + Hash + Debug + Send + Sync + 'static,
{
    const OPS: usize = 20_000; // short, so that some rounds are not interrupted
    report(name, || {
        let queue = WorkQueue::new();
        let start = Instant::now();
        run(&queue, keys, OPS);
        start.elapsed().as_nanos() as f64 / OPS as f64
    });
}

const PRODUCED: usize = 100_000; // by each of the two

/// Producers and workers as threads. Every key is new, so each add is handed out exactly once.
fn threads(name: &str, keys: &[Key]) {
    let all = produce(keys);
    report(name, || {
        let queue = WorkQueue::new();
        let start = Instant::now();
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..2).map(|_| scope.spawn(|| block_on(work(queue.clone())))).collect();
            let producers: Vec<_> = all
                .iter()
                .map(|keys| scope.spawn(|| keys.iter().for_each(|key| queue.add(key.clone()))))
                .collect();
            producers.into_iter().for_each(|p| p.join().expect("no panic"));
            queue.shut_down();
            let seen: u64 = workers.into_iter().map(|w| w.join().expect("no panic")).sum();
            assert_eq!(seen, 2 * PRODUCED as u64);
        });
        start.elapsed().as_nanos() as f64 / (2 * PRODUCED) as f64
    });
}

/// The same as tasks of a runtime with two threads; a producer lets others run every 64 adds.
fn tasks(name: &str, keys: &[Key]) {
    let all: Vec<Arc<[Key]>> = produce(keys).into_iter().map(Into::into).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    report(name, || {
        let queue = WorkQueue::new();
        let seen = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        runtime.block_on(async {
            let workers: Vec<_> = (0..2)
                .map(|_| {
                    let (queue, seen) = (queue.clone(), seen.clone());
                    tokio::spawn(async move {
                        seen.fetch_add(work(queue).await, Ordering::Relaxed);
                    })
                })
                .collect();
            let producers: Vec<_> = all
                .iter()
                .map(|keys| {
                    let (queue, keys) = (queue.clone(), keys.clone());
                    tokio::spawn(async move {
                        for chunk in keys.chunks(64) {
                            chunk.iter().for_each(|key| queue.add(key.clone()));
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            for producer in producers {
                producer.await.expect("no panic");
            }
            queue.shut_down();
            for worker in workers {
                worker.await.expect("no panic");
            }
        });
        assert_eq!(seen.load(Ordering::Relaxed), 2 * PRODUCED as u64);
        start.elapsed().as_nanos() as f64 / (2 * PRODUCED) as f64
    });
}

async fn work(queue: WorkQueue<Key>) -> u64 {
    let mut seen = 0;
    while let Some(item) = queue.get().await {
        queue.forget(&item);
        item.done();
        seen += 1;
    }
    seen
}

fn produce(keys: &[Key]) -> Vec<Vec<Key>> {
    (0..2)
        .map(|p| {
            (0..PRODUCED)
                .map(|i| ObjectKey::new("team-a", format!("{}-{p}-{i}", keys[i % KEYS].name)))
                .collect()
        })
        .collect()
}

fn report(name: &str, mut round: impl FnMut() -> f64) {
    // Cargo passes `--bench`; whatever else is said must be in the name.
    if std::env::args().skip(1).any(|arg| !arg.starts_with('-') && !name.contains(&arg)) {
        return;
    }
    round(); // warm up
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_by(f64::total_cmp);
    println!("{name} {:.1} ns/op", times[0]);
}

/// Polls on this thread, which sleeps while the future waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
