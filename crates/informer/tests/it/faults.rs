//! Faults that other implementations are known to have, one test each.

use crate::support::*;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use pintle_apimachinery::{
    Error, ListOptions, Object, ObjectList, PartialObjectMetadata as Meta, WatchEvent,
};
use pintle_client_traits::{FakeSource, ListerWatcher, WatchStream};
use pintle_informer::{HandlerFuncs, InformerOptions, SharedInformer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// kube-rs swaps the map on a relist: what is gone is never told.
#[tokio::test(start_paused = true)]
async fn a_relist_tells_of_what_is_gone() {
    let (source, informer) = start(plain());
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    source.push_list(Ok(list("5", [meta("a", 5)])));
    source.push_watch().send(WatchEvent::Error(expired()));
    source.push_list(Ok(list("9", [])));
    assert_eq!(notes.take(2).await, ["add a@5 initial", "delete a@5 unknown"]);
}

/// kube-rs' shared reflector has no delete events, replays nothing to those who come late, and
/// waits for its slowest reader.
#[tokio::test(start_paused = true)]
async fn late_subscribers_get_a_replay_and_deletes_and_slow_ones_hold_up_nobody() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("5", [meta("a", 5)])));
    informer.synced().await.unwrap();
    // Never returns from its first call.
    struct Stuck;
    impl pintle_informer::Handler<Meta> for Stuck {
        async fn on_add(&mut self, _: Arc<Meta>, _: bool) {
            std::future::pending().await
        }
    }
    let _stuck = informer.add_handler(Stuck).unwrap();
    let (recorder, notes) = Recorder::new();
    let _late = informer.add_handler(recorder).unwrap();
    source.push_watch().send(deleted("a", 6));
    assert_eq!(notes.take(2).await, ["add a@5 initial", "delete a@6"]);
}

/// A kube-rs controller does not notice the first SIGTERM while its first list does not succeed.
#[tokio::test(start_paused = true)]
async fn a_shutdown_needs_no_list_to_have_succeeded() {
    // While the list hangs.
    let (source, informer) = start(plain());
    as_list(next(&source).await);
    let waiting = tokio::spawn(informer.synced());
    settle().await;
    timeout(Duration::from_millis(1), informer.shutdown()).await.expect("at once");
    assert!(waiting.await.unwrap().is_err(), "those who wait learn of it");
    // While it waits to try again.
    let (source, informer) = start(plain());
    source.push_list(Err(refused()));
    as_list(next(&source).await);
    settle().await;
    timeout(Duration::from_millis(1), informer.shutdown()).await.expect("at once");
    // While a watch-list is not complete.
    let (source, informer) = start(InformerOptions::new());
    let watch = source.push_watch();
    watch.send(added("a", 1));
    settle().await;
    timeout(Duration::from_millis(1), informer.shutdown()).await.expect("at once");
    assert!(watch.is_abandoned());
    // Before it was started at all.
    let informer = SharedInformer::new(source);
    timeout(Duration::from_millis(1), informer.shutdown()).await.expect("at once");
    informer.start();
    assert!(informer.synced().await.is_err());
}

/// In client-go a watch-list runs the transform twice on each object.
#[tokio::test(start_paused = true)]
async fn a_transform_runs_once_for_each_version() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let options = InformerOptions::new().on_error(|_| ()).transform(move |object: &mut Meta| {
        count.fetch_add(1, Ordering::Relaxed);
        object.metadata.generation += 1;
    });
    let (source, informer) = start(options);
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    let watch = source.push_watch();
    for event in [added("a", 1), added("b", 2), complete(3), modified("a", 4)] {
        watch.send(event);
    }
    notes.take(3).await;
    let get = |name| informer.lister().get(&key(name)).unwrap().metadata.generation;
    assert_eq!((get("a"), get("b"), calls.load(Ordering::Relaxed)), (1, 1, 3));
    // Nor again for what a relist finds unchanged.
    watch.send(WatchEvent::Error(expired()));
    let watch = source.push_watch();
    for event in [added("a", 4), added("b", 5), complete(9), deleted("a", 10)] {
        watch.send(event);
    }
    assert_eq!(notes.take(2).await, ["update b@2 -> b@5", "delete a@10"]);
    assert_eq!((get("b"), calls.load(Ordering::Relaxed)), (1, 5));
}

/// In client-go a watch-list that always ends before its bookmark is opened again without a pause.
#[tokio::test(start_paused = true)]
async fn a_watch_list_that_is_cut_off_is_not_hammered() {
    let (source, informer) = start(InformerOptions::new().on_error(|_| ()));
    let began = Instant::now();
    for _ in 0..3 {
        as_watch(next(&source).await);
        let watch = source.push_watch();
        watch.send(added("a", 1));
        watch.close();
    }
    // In the end a list will do.
    as_list(next(&source).await);
    assert!(began.elapsed() >= Duration::from_millis(800 + 1600));
    source.push_list(Ok(list("5", [meta("b", 5)])));
    informer.synced().await.unwrap();
    assert!(informer.lister().get(&key("a")).is_none(), "half a watch-list is never seen");
}

/// A server that closes every watch after one event is not hammered either.
#[tokio::test(start_paused = true)]
async fn watches_that_keep_ending_are_slowed_down() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("1", [])));
    as_list(next(&source).await);
    let began = Instant::now();
    for version in 2..12 {
        assert_eq!(as_watch(next(&source).await).resource_version, (version - 1).to_string());
        let watch = source.push_watch();
        watch.send(modified("a", version));
        watch.close();
    }
    as_watch(next(&source).await);
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(informer.resource_version(), "11");
}

/// A server that finds even the newest version expired, which makes no sense, is not hammered.
#[tokio::test(start_paused = true)]
async fn a_server_that_finds_everything_expired_is_not_hammered() {
    let (source, _informer) = start(InformerOptions::new().on_error(|_| ()));
    let began = Instant::now();
    // A list is tried instead, from any version and then from the newest.
    for lists in [&["0", ""][..], &[""], &[""]] {
        assert_eq!(as_watch(next(&source).await).resource_version, "");
        source.push_watch_error(expired().into());
        for version in lists {
            assert_eq!(as_list(next(&source).await).resource_version, *version);
            source.push_list(Err(expired().into()));
        }
    }
    assert!(began.elapsed() >= Duration::from_millis(800 + 1600));
}

/// A watch whose connection is dead without a word is given up some time after its deadline.
#[tokio::test(start_paused = true)]
async fn a_watch_that_never_ends_is_ended() {
    let (source, _informer) = start(plain());
    source.push_list(Ok(list("1", [])));
    as_list(next(&source).await);
    let seconds = as_watch(next(&source).await).timeout_seconds.unwrap() as u64;
    assert!((300..=600).contains(&seconds));
    let watch = source.push_watch();
    let began = Instant::now();
    assert_eq!(as_watch(next(&source).await).resource_version, "1");
    assert_eq!(began.elapsed().as_secs(), seconds + 30);
    assert!(watch.is_abandoned());
}

/// Cannot decode objects called "bad", wherever they come.
struct Picky(FakeSource<Meta>);

impl ListerWatcher<Meta> for Picky {
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<Meta>, Error>> {
        Box::pin(async {
            let list = self.0.list(options).await?;
            match list.items.iter().any(|object| object.name() == "bad") {
                true => Err(Error::decode("a bad list")),
                false => Ok(list),
            }
        })
    }
    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<Meta>, Error>> {
        Box::pin(async {
            let events = self.0.watch(options).await?.map(|event| match event {
                Ok(event) if event.object().is_some_and(|object| object.name() == "bad") => {
                    Err(Error::decode("a bad event"))
                }
                event => event,
            });
            Ok(Box::pin(events) as WatchStream<Meta>)
        })
    }
}

/// With kube-rs one object that cannot be decoded ends the watch, with client-go it leads to lists
/// that fail for as long as the object is there.
#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_decoded_does_not_keep_others_away() {
    let source = FakeSource::new();
    let informer = SharedInformer::with_options(Picky(source.clone()), plain());
    informer.start();
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    source.push_list(Ok(list("1", [meta("a", 1)])));
    as_list(next(&source).await);
    as_watch(next(&source).await);
    let watch = source.push_watch();
    for event in [added("bad", 2), modified("a", 3), modified("bad", 4)] {
        watch.send(event);
    }
    assert_eq!(notes.take(2).await, ["add a@1 initial", "update a@1 -> a@3"]);
    assert!(!watch.is_abandoned());
    // When the watch ends, a list shows what was missed; not if it cannot be decoded either.
    watch.close();
    assert_eq!(as_list(next(&source).await).resource_version, "3");
    source.push_list(Ok(list("5", [meta("bad", 4), meta("a", 5)])));
    assert_eq!(as_watch(next(&source).await).resource_version, "3");
    let watch = source.push_watch();
    watch.send(modified("a", 5));
    watch.close();
    assert_eq!(notes.take(1).await, ["update a@3 -> a@5"]);
    assert_eq!(as_list(next(&source).await).resource_version, "5");
    source.push_list(Ok(list("7", [meta("a", 5), meta("b", 6)])));
    assert_eq!(as_watch(next(&source).await).resource_version, "7");
    assert_eq!(notes.take(1).await, ["add b@6"]);
    // Then watches go on from where they were.
    source.push_watch().send(bookmark(9));
    settle().await;
    assert_eq!(source.requests().len(), 6);
    // A first list that cannot be decoded is tried again.
    let source = FakeSource::new();
    let informer = SharedInformer::with_options(Picky(source.clone()), plain());
    informer.start();
    source.push_list(Ok(list("1", [meta("bad", 1)])));
    as_list(next(&source).await);
    as_list(next(&source).await);
    assert!(!informer.is_synced());
}

/// A panic in one callback ends neither the handler nor the informer.
#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_is_called_again() {
    let (source, informer) = start(plain());
    let notes = Notes::new();
    let write = notes.clone();
    let handler = HandlerFuncs::<Meta>::new().on_add(move |object, _| {
        assert_ne!(object.name(), "a", "this panic is part of the test");
        write.write(at(&object));
    });
    let handler = informer.add_handler(handler).unwrap();
    source.push_list(Ok(list("2", [meta("a", 1), meta("b", 2)])));
    assert_eq!(notes.take(1).await, ["b@2"]);
    handler.synced().await.unwrap();
}
