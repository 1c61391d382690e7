//! What the runner makes of events and of a reconcile's answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pintle_apimachinery::{GroupResource, Object, ObjectKey};
use pintle_client_traits::{Registry, SourceEvent};
use pintle_controller::{Action, Controller, ExponentialBackoff, ManualSource, terminal};
use tokio::sync::Notify;
use tokio::time::{advance, sleep};

use crate::support::{
    DEPLOYMENT, FOO, Log, Running, controller, foos, key, ms, object, owned, rest,
};

/// Runs a controller that only writes down its keys.
async fn logging(controller: Controller, log: &Log) -> Running {
    let log = log.clone();
    let run = controller.run(move |key: ObjectKey| {
        log.write(key.to_string());
        async { Ok(Action::done()) }
    });
    Running::start(run).await
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_watched_object_names_its_key() {
    let (foos, log) = (foos(), Log::new());
    let running = logging(controller().watches(&foos), &log).await;
    let one = object("one", "1");
    foos.added(&one);
    rest().await;
    foos.send(SourceEvent::Updated { old: &one, new: &object("one", "2") });
    rest().await;
    foos.send(SourceEvent::Deleted { object: &one, final_state_unknown: true });
    rest().await;
    assert_eq!(log.take(), ["team-a/one"; 3]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn owns_names_the_controlling_owner_of_its_own_kind() {
    let (foos, log) = (foos(), Log::new());
    let deployments = ManualSource::namespaced(DEPLOYMENT);
    deployments.synced();
    let running = logging(controller().owns(&deployments).watches(&foos), &log).await;
    let group = "samplecontroller.k8s.io";
    deployments.added(&owned("d", &format!("{group}/v1alpha1"), "Foo", "one", Some(true)));
    deployments.added(&owned("d", &format!("{group}/v2"), "Foo", "other-version", Some(true)));
    deployments.added(&owned("d", &format!("{group}/v1alpha1"), "Foo", "not-controller", None));
    deployments.added(&owned("d", &format!("{group}/v1alpha1"), "Bar", "other-kind", Some(true)));
    deployments.added(&owned("d", "other.io/v1alpha1", "Foo", "other-group", Some(true)));
    deployments.added(&owned("d", "v1", "Foo", "core-group", Some(true)));
    deployments.added(&object("nobody's", "1"));
    rest().await;
    assert_eq!(log.take(), ["team-a/one", "team-a/other-version"]);

    // Changing hands concerns both; staying with one owner names it once.
    let old = owned("d", &format!("{group}/v1alpha1"), "Foo", "one", Some(true));
    let mut new = owned("d", &format!("{group}/v1alpha1"), "Foo", "two", Some(true));
    new.metadata.resource_version = "2".into();
    deployments.send(SourceEvent::Updated { old: &old, new: &new });
    rest().await;
    assert_eq!(log.take(), ["team-a/one", "team-a/two"]);
    deployments.send(SourceEvent::Updated { old: &old, new: &old });
    deployments.send(SourceEvent::Deleted { object: &new, final_state_unknown: false });
    rest().await;
    assert_eq!(log.take(), ["team-a/two", "team-a/one"], "the unchanged one yields");
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn an_owner_of_the_cluster_has_a_key_without_namespace() {
    let log = Log::new();
    let foos = ManualSource::cluster_scoped(FOO);
    foos.synced();
    let deployments = ManualSource::namespaced(DEPLOYMENT);
    deployments.synced();
    let running = logging(controller().watches(&foos).owns(&deployments), &log).await;
    deployments.added(&owned("d", "samplecontroller.k8s.io/v1", "Foo", "one", Some(true)));
    rest().await;
    assert_eq!(log.take(), ["one"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn maps_names_what_the_user_says_and_contains_its_panics() {
    let (foos, log) = (foos(), Log::new());
    let configs = foos.clone();
    let map = |object: &dyn Object| {
        assert!(object.name() != "bad", "a mapping that panics (a test)");
        vec![key(&format!("{}-a", object.name())), key(&format!("{}-b", object.name()))]
    };
    let running = logging(controller().maps(&configs, map), &log).await;
    foos.added(&object("bad", "1"));
    foos.added(&object("one", "1"));
    rest().await;
    assert_eq!(log.take(), ["team-a/one-a", "team-a/one-b"]);
    foos.send(SourceEvent::Updated { old: &object("one", "1"), new: &object("two", "2") });
    rest().await;
    assert_eq!(log.take(), ["team-a/one-a", "team-a/one-b", "team-a/two-a", "team-a/two-b"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn g11_initial_and_unchanged_objects_yield_to_changes() {
    let (foos, log) = (foos(), Log::new());
    let gate = Arc::new(Notify::new());
    let run = {
        let (log, gate) = (log.clone(), gate.clone());
        controller().watches(&foos).run(move |key: ObjectKey| {
            let gate = gate.clone();
            log.write(key.name.as_str());
            async move {
                if key.name == "blocks" {
                    gate.notified().await;
                }
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("blocks", "1"));
    rest().await;
    for name in ["initial-1", "initial-2"] {
        foos.send(SourceEvent::Added { object: &object(name, "1"), is_in_initial_list: true });
    }
    let same = object("resynced", "5");
    foos.send(SourceEvent::Updated { old: &same, new: &same });
    foos.added(&object("new", "6"));
    foos.send(SourceEvent::Updated {
        old: &object("initial-2", "1"),
        new: &object("initial-2", "7"),
    });
    gate.notify_one();
    rest().await;
    assert_eq!(log.take(), ["blocks", "initial-2", "new", "initial-1", "resynced"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn a_retry_keeps_the_priority_of_its_key() {
    let (foos, log) = (foos(), Log::new());
    let gate = Arc::new(Notify::new());
    let run = {
        let (log, gate) = (log.clone(), gate.clone());
        controller().watches(&foos).run(move |key: ObjectKey| {
            let gate = gate.clone();
            let nth = log.write(key.name.as_str());
            async move {
                match (key.name.as_str(), nth) {
                    ("initial", 1) => Err("not yet")?,
                    ("blocks", _) => gate.notified().await,
                    _ => {}
                }
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.send(SourceEvent::Added { object: &object("initial", "1"), is_in_initial_list: true });
    rest().await;
    foos.added(&object("blocks", "1"));
    sleep(ms(100)).await; // the retry has come due
    foos.added(&object("new", "1"));
    gate.notify_one();
    rest().await;
    assert_eq!(log.take(), ["initial", "blocks", "new", "initial"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn an_error_is_retried_with_growing_delays_of_its_own_key() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).run(move |key: ObjectKey| {
            let nth = log.write(key.name.as_str());
            async move {
                if key.name == "fails" && nth <= 3 {
                    let resource = GroupResource::from_static("", "pods");
                    Err(pintle_apimachinery::Error::not_found(&resource, "x"))?;
                }
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("fails", "1"));
    foos.added(&object("works", "1"));
    sleep(ms(1000)).await;
    let line = |at, name: &str| (at, name.to_owned());
    assert_eq!(
        log.take_timed(),
        [
            line(0, "fails"),
            line(0, "works"),
            line(5, "fails"),
            line(15, "fails"),
            line(35, "fails")
        ]
    );
    // The success forgot the failures: the log is empty, so it fails three times again.
    foos.added(&object("fails", "2"));
    sleep(ms(1000)).await;
    let again: Vec<_> = log.take_timed().into_iter().map(|(at, _)| at - 1000).collect();
    assert_eq!(again, [0, 5, 15, 35]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_error_is_not_retried_until_the_next_event() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).run(move |key: ObjectKey| {
            log.write(key.name.as_str());
            async { Err(terminal("spec.replicas is -1")) }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("one", "1"));
    sleep(ms(3_600_000)).await;
    assert_eq!(log.take(), ["one"]);
    foos.added(&object("one", "2"));
    sleep(ms(3_600_000)).await;
    assert_eq!(log.take(), ["one"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_contained_and_retried_and_others_go_on() {
    let (foos, log) = (foos(), Log::new());
    let registry = Registry::new();
    let run = {
        let log = log.clone();
        let controller = controller().watches(&foos).metrics(Arc::new(registry.clone()));
        controller.run(move |key: ObjectKey| {
            let nth = log.write(key.name.as_str());
            // The first panic is in the closure itself, the second in its future.
            assert!(key.name != "panics" || nth != 1, "in the closure (a test)");
            async move {
                assert!(key.name != "panics" || nth != 2, "in the future (a test)");
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("panics", "1"));
    foos.added(&object("works", "1"));
    sleep(ms(1000)).await;
    let line = |at, name: &str| (at, name.to_owned());
    assert_eq!(
        log.take_timed(),
        [line(0, "panics"), line(0, "works"), line(5, "panics"), line(15, "panics")]
    );
    let value = |name| registry.value(name, &[("controller", "sample")]);
    assert_eq!(value("controller_runtime_reconcile_panics_total"), Some(2.0));
    assert_eq!(value("controller_runtime_reconcile_errors_total"), Some(2.0));
    assert_eq!(value("controller_runtime_active_workers"), Some(0.0));
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn requeue_and_requeue_after() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).run(move |key: ObjectKey| {
            let nth = log.write(key.name.as_str());
            async move {
                Ok(match (key.name.as_str(), nth) {
                    ("again", 1..=2) => Action::requeue(),
                    // Forgets the two failures, then fails: the wait starts small again.
                    ("again", 3) => Action::requeue_after(ms(600_000)),
                    ("again", 4) => Err("failed")?,
                    ("at-once", 1..=2) => Action::requeue_after(ms(0)),
                    _ => Action::done(),
                })
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("again", "1"));
    sleep(ms(3_600_000)).await;
    let times: Vec<_> = log.take_timed().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 5, 15, 600_015, 600_020]);
    foos.added(&object("at-once", "1"));
    rest().await;
    assert_eq!(log.take(), ["at-once"; 3]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_takes_too_long_is_given_up_and_retried() {
    let (foos, log) = (foos(), Log::new());
    let registry = Registry::new();
    let run = {
        let log = log.clone();
        let controller = controller()
            .watches(&foos)
            .reconcile_timeout(ms(2000))
            .rate_limiter(ExponentialBackoff::new(ms(100), ms(100)))
            .metrics(Arc::new(registry.clone()));
        controller.run(move |key: ObjectKey| {
            let nth = log.write(key.name.as_str());
            async move {
                sleep(ms(if nth == 1 { 60_000 } else { 1000 })).await;
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("slow", "1"));
    sleep(ms(30_000)).await;
    let times: Vec<_> = log.take_timed().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 2100]);
    let value = |name| registry.value(name, &[("controller", "sample")]);
    assert_eq!(value("controller_runtime_reconcile_timeouts_total"), Some(1.0));
    assert_eq!(value("controller_runtime_reconcile_time_seconds"), Some(2.0));
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn workers_run_side_by_side_but_never_on_one_key() {
    let foos = foos();
    let (now, most, turns) =
        (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let same = Arc::new(AtomicU32::new(0));
    let run = {
        let (now, most, turns, same) = (now, most.clone(), turns.clone(), same);
        controller().watches(&foos).workers(3).run(move |key: ObjectKey| {
            let (now, most, turns, same) = (now.clone(), most.clone(), turns.clone(), same.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if key.name == "same" {
                    assert_eq!(same.fetch_add(1, Ordering::SeqCst), 0);
                }
                sleep(ms(10)).await;
                if key.name == "same" {
                    same.fetch_sub(1, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    for i in 0..10 {
        foos.added(&object("same", "1"));
        foos.added(&object(&format!("other-{i}"), "1"));
        advance(ms(3)).await;
        rest().await;
    }
    sleep(ms(1000)).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert!((2..=10).contains(&turns.load(Ordering::SeqCst)));
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn metrics_under_controller_runtimes_names() {
    let (foos, log) = (foos(), Log::new());
    let registry = Registry::new();
    let run = {
        let controller = controller().watches(&foos).workers(4).metrics(Arc::new(registry.clone()));
        controller.run(move |key: ObjectKey| {
            let nth = log.write(key.name.as_str());
            async move {
                Ok(match (key.name.as_str(), nth) {
                    ("requeue", 1) => Action::requeue(),
                    ("after", 1) => Action::requeue_after(ms(1000)),
                    ("error", 1) => Err("no")?,
                    ("terminal", _) => Err(terminal("never"))?,
                    ("stuck", _) => {
                        sleep(ms(3_600_000)).await;
                        Action::done()
                    }
                    _ => Action::done(),
                })
            }
        })
    };
    let running = Running::start(run).await;
    let total = |result| {
        let labels = [("controller", "sample"), ("result", result)];
        registry.value("controller_runtime_reconcile_total", &labels)
    };
    assert_eq!(total("requeue"), Some(0.0), "every series is there from the start");
    for name in ["plain", "requeue", "after", "error", "terminal", "stuck"] {
        foos.added(&object(name, "1"));
    }
    sleep(ms(10_000)).await;
    assert_eq!(
        ["success", "requeue", "requeue_after", "error"].map(total),
        [Some(4.0), Some(1.0), Some(1.0), Some(2.0)]
    );
    let value = |name| registry.value(name, &[("controller", "sample")]);
    assert_eq!(value("controller_runtime_reconcile_errors_total"), Some(2.0));
    assert_eq!(value("controller_runtime_terminal_reconcile_errors_total"), Some(1.0));
    assert_eq!(value("controller_runtime_max_concurrent_reconciles"), Some(4.0));
    assert_eq!(value("controller_runtime_active_workers"), Some(1.0));
    let queue = |name| registry.value(name, &[("name", "sample"), ("controller", "sample")]);
    assert_eq!(queue("workqueue_adds_total"), Some(9.0));
    assert_eq!(queue("workqueue_retries_total"), Some(3.0));
    assert!(queue("workqueue_unfinished_work_seconds").is_some_and(|s| s >= 9.0));
    drop(running.abort().await);
}

#[tokio::test]
async fn what_makes_no_sense_is_said_at_once() {
    #[track_caller]
    fn check(result: Result<(), pintle_apimachinery::Error>, says: &str) {
        let error = result.expect_err("makes no sense");
        assert!(error.is_invalid_argument() && error.to_string().contains(says), "{error}");
    }
    let foos = foos();
    let until = |controller: Controller| {
        controller.run(|_: ObjectKey| async { Ok(Action::done()) }).until(async {})
    };
    check(until(controller()).await, "watches nothing");
    check(until(controller().watches(&foos).workers(0)).await, "0 workers");
    check(until(controller().owns(&foos)).await, "no kind of its own");
}
