//! Stopping, in every state a controller can be in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pintle_apimachinery::{Error, GroupVersionKind, ObjectKey};
use pintle_client_traits::{Source, SourceHandler, Subscription};
use pintle_controller::{Action, ManualSource};
use tokio::time::{Instant, sleep};

use crate::support::{DEPLOYMENT, FOO, Log, Running, controller, foos, ms, object, rest};

#[tokio::test(start_paused = true)]
async fn stops_at_once_before_the_first_list_has_succeeded() {
    let (log, never) = (Log::new(), ManualSource::namespaced(FOO)); // never syncs
    let run = {
        let log = log.clone();
        controller().watches(&foos()).watches(&never).run(move |key: ObjectKey| {
            log.write(key.name.as_str());
            async { Ok(Action::done()) }
        })
    };
    let running = Running::start(run).await;
    never.added(&object("early", "1"));
    sleep(ms(600_000)).await;
    assert!(!running.is_finished(), "it waits as long as it takes");
    let before = Instant::now();
    running.stop().await.expect("stops cleanly");
    assert_eq!(before.elapsed(), ms(0));
    assert!(log.take().is_empty(), "nothing is reconciled before all sources have synced");
    assert_eq!(never.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn stops_when_it_was_asked_to_before_it_started() {
    let foos = foos();
    foos.added(&object("one", "1"));
    let run = controller().watches(&foos).run(|_: ObjectKey| async { Ok(Action::done()) });
    run.until(async {}).await.expect("stops cleanly");
    assert_eq!(foos.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn reconciles_begin_once_all_sources_have_synced() {
    let log = Log::new();
    let foos = ManualSource::namespaced(FOO);
    let deployments = ManualSource::namespaced(DEPLOYMENT);
    let run = {
        let log = log.clone();
        controller().watches(&foos).owns(&deployments).run(move |key: ObjectKey| {
            log.write(key.name.as_str());
            async { Ok(Action::done()) }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("one", "1"));
    foos.synced();
    sleep(ms(60_000)).await;
    assert!(log.take().is_empty());
    deployments.synced();
    rest().await;
    assert_eq!(log.take(), ["one"]);
    running.stop().await.expect("stops cleanly");
}

#[tokio::test(start_paused = true)]
async fn a_sync_timeout_names_what_is_missing() {
    let never = ManualSource::namespaced(DEPLOYMENT);
    let run = controller()
        .watches(&foos())
        .owns(&never)
        .sync_timeout(ms(120_000))
        .run(|_: ObjectKey| async { Ok(Action::done()) });
    let start = Instant::now();
    let error = run.until(std::future::pending()).await.expect_err("never syncs");
    assert_eq!(start.elapsed(), ms(120_000));
    let text = error.to_string();
    assert!(error.is_timeout() && text.contains("sample") && text.contains("Deployment"), "{text}");
    assert!(!text.contains("Foo"), "{text}");
}

/// Reconciles for a second; says when it begins and ends, and when it is dropped midway.
fn slow(log: &Log, key: &ObjectKey) -> impl Future<Output = ()> + Send + use<> {
    struct Dropped(Log, String);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.write(std::mem::take(&mut self.1));
        }
    }
    impl Dropped {
        fn says(&mut self, line: String) {
            self.1 = line;
        }
    }
    let (log, name) = (log.clone(), key.name.as_str().to_owned());
    log.write(format!("{name} begins"));
    let mut end = Dropped(log, format!("{name} is dropped"));
    async move {
        sleep(ms(1000)).await;
        end.says(format!("{name} ends"));
    }
}

#[tokio::test(start_paused = true)]
async fn reconciles_under_way_finish_and_no_other_begins() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).workers(2).run(move |key: ObjectKey| {
            let slow = slow(&log, &key);
            async move {
                slow.await;
                Ok(Action::requeue_after(ms(1)))
            }
        })
    };
    let running = Running::start(run).await;
    for name in ["a", "b", "c"] {
        foos.added(&object(name, "1"));
    }
    sleep(ms(400)).await;
    let before = Instant::now();
    running.stop().await.expect("both finish in time");
    assert_eq!(before.elapsed(), ms(600));
    assert_eq!(log.take(), ["a begins", "b begins", "a ends", "b ends"]);
    assert_eq!(foos.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_finish_in_the_grace_time_is_dropped_and_said() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).workers(3).grace(ms(300)).run(move |key: ObjectKey| {
            let slow = slow(&log, &key);
            async move {
                slow.await;
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("a", "1"));
    sleep(ms(100)).await;
    let before = Instant::now();
    let error = running.stop().await.expect_err("a takes longer");
    assert_eq!(before.elapsed(), ms(300));
    let text = error.to_string();
    assert!(error.is_timeout() && text.contains("1 of 3 workers"), "{text}");
    rest().await;
    assert_eq!(log.take(), ["a begins", "a is dropped"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_controller_drops_everything() {
    let (foos, log) = (foos(), Log::new());
    let run = {
        let log = log.clone();
        controller().watches(&foos).run(move |key: ObjectKey| {
            let slow = slow(&log, &key);
            async move {
                slow.await;
                Ok(Action::done())
            }
        })
    };
    let running = Running::start(run).await;
    foos.added(&object("a", "1"));
    rest().await;
    assert!(running.abort().await.is_err());
    rest().await;
    assert_eq!(log.take(), ["a begins", "a is dropped"]);
    assert_eq!(foos.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_stopped_is_an_error() {
    #[derive(Clone)]
    struct Stopped;
    impl Source for Stopped {
        fn kind(&self) -> GroupVersionKind {
            DEPLOYMENT
        }
        fn is_namespaced(&self) -> bool {
            true
        }
        fn subscribe(&self, _: SourceHandler) -> Result<Box<dyn Subscription>, Error> {
            Err(Error::other("the informer has been stopped"))
        }
    }
    let foos = foos();
    let run = controller().watches(&foos).owns(&Stopped);
    let run = run.run(|_: ObjectKey| async { Ok(Action::done()) });
    let text = run.until(std::future::pending()).await.expect_err("stopped").to_string();
    assert!(text.contains("Deployment") && text.contains("has been stopped"), "{text}");
    assert_eq!(foos.subscribers(), 0, "the first one was left again");
}

/// An informer that nobody has started and that nobody else holds works all the same.
#[tokio::test(start_paused = true)]
async fn sources_are_started_and_kept() {
    #[derive(Clone)]
    struct Fresh(ManualSource, Arc<AtomicBool>);
    impl Source for Fresh {
        fn kind(&self) -> GroupVersionKind {
            self.0.kind()
        }
        fn is_namespaced(&self) -> bool {
            true
        }
        fn subscribe(&self, handler: SourceHandler) -> Result<Box<dyn Subscription>, Error> {
            assert!(!self.1.load(Ordering::SeqCst), "started with nobody to tell");
            self.0.subscribe(handler)
        }
        fn start(&self) {
            self.1.store(true, Ordering::SeqCst);
            self.0.synced();
        }
    }
    let (foos, log) = (ManualSource::namespaced(FOO), Log::new());
    let started = Arc::new(AtomicBool::new(false));
    let run = controller().watches(&Arc::new(Fresh(foos.clone(), started.clone())));
    let run = run.run_with(log.clone(), |log, key| async move {
        log.write(key.to_string());
        Ok(Action::done())
    });
    assert!(!started.load(Ordering::SeqCst));
    let running = Running::start(run).await;
    assert_eq!(Arc::strong_count(&started), 2, "the controller keeps its source");
    foos.added(&object("one", "1"));
    rest().await;
    assert_eq!(log.take(), ["team-a/one"]);
    running.stop().await.expect("stops cleanly");
    assert_eq!(Arc::strong_count(&started), 1, "and lets go of it");
}

#[cfg(all(unix, feature = "signal"))]
#[tokio::test]
async fn the_first_sigterm_stops_a_controller_whose_server_is_never_reached() {
    let never = ManualSource::namespaced(FOO);
    let called = Arc::new(AtomicBool::new(false));
    let run = {
        let called = called.clone();
        controller().watches(&never).run(move |_: ObjectKey| {
            called.store(true, Ordering::SeqCst);
            async { Ok(Action::done()) }
        })
    };
    // Registered by the call: a signal before the first poll is not missed, and does not kill.
    let stop = pintle_controller::shutdown_signal();
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &std::process::id().to_string()])
        .status()
        .expect("there is a kill command");
    assert!(killed.success());
    run.until(stop).await.expect("stops cleanly");
    assert!(!called.load(Ordering::SeqCst));
}
