//! The numbered guarantees, one test each. The model test checks them together under chance.

use crate::support::*;
use pintle_apimachinery::{Error, Object, PartialObjectMetadata as Meta, Status, WatchEvent};
use pintle_client_traits::FakeRequest;
use pintle_informer::{Handler, InformerOptions, Lister};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn g01_per_object_order() {
    let (source, informer) = start(plain());
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    source.push_list(Ok(list("5", [meta("b", 4), meta("a", 5)])));
    let watch = source.push_watch();
    watch.send(modified("b", 6));
    watch.send(added("c", 7));
    watch.send(modified("b", 8));
    watch.send(deleted("a", 9));
    watch.send(added("a", 10));
    assert_eq!(
        notes.take(7).await,
        [
            "add b@4 initial",
            "add a@5 initial",
            "update b@4 -> b@6",
            "add c@7",
            "update b@6 -> b@8",
            "delete a@9",
            "add a@10"
        ],
        "the stream's order, across keys too"
    );
    // A replace tells deletes first, and not what did not change.
    watch.send(WatchEvent::Error(expired()));
    source.push_list(Ok(list("20", [meta("d", 15), meta("b", 12), meta("c", 7)])));
    assert_eq!(notes.take(3).await, ["delete a@10 unknown", "add d@15", "update b@8 -> b@12"]);
    settle().await;
    assert!(notes.now().is_empty());
}

#[tokio::test(start_paused = true)]
async fn g02_no_lost_deletes() {
    let (source, informer) = start(plain());
    let handlers: Vec<_> = (0..2)
        .map(|_| {
            let (recorder, notes) = Recorder::new();
            (informer.add_handler(recorder).unwrap(), notes)
        })
        .collect();
    source.push_list(Ok(list("5", ["a", "b", "c"].map(|name| meta(name, 5)))));
    source.push_watch().send(WatchEvent::Error(expired()));
    // Meanwhile a was deleted and created anew, and b was deleted.
    let mut anew = meta("a", 8);
    anew.metadata.uid = "another".into();
    source.push_list(Ok(list("9", [anew, meta("c", 5)])));
    for (_, notes) in &handlers {
        notes.take(3).await;
        assert_eq!(notes.take(2).await, ["delete b@5 unknown", "update a@5 -> another a@8"]);
    }
    assert!(informer.lister().get(&key("b")).is_none());
    // The same by a watch-list.
    let (source, informer) = start(InformerOptions::new().on_error(|_| ()));
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    let watch = source.push_watch();
    for event in [added("a", 1), added("b", 2), complete(3), WatchEvent::Error(expired())] {
        watch.send(event);
    }
    let watch = source.push_watch();
    for event in [added("b", 2), complete(9)] {
        watch.send(event);
    }
    assert_eq!(notes.take(3).await[2], "delete a@1 unknown");
    watch.send(deleted("a", 10));
    watch.send(deleted("b", 11));
    assert_eq!(notes.take(1).await, ["delete b@11"], "told once");
}

/// Compares every event with the cache.
struct Checker {
    lister: Lister<Meta>,
    notes: Notes,
}

impl Handler<Meta> for Checker {
    async fn on_add(&mut self, object: Arc<Meta>, _: bool) {
        let stored = self.lister.get(&object.key()).map(|stored| at(&stored));
        self.notes.write(format!("{} of {}, {stored:?}", at(&object), self.lister.len()));
    }
    async fn on_update(&mut self, _: Arc<Meta>, new: Arc<Meta>) {
        self.on_add(new, false).await;
    }
    async fn on_delete(&mut self, tombstone: pintle_informer::Tombstone<Meta>) {
        self.on_add(tombstone.object, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn g03_store_before_handler() {
    let (source, informer) = start(plain());
    let by_name = informer.index("name", |m: &Meta| [m.metadata.name.clone()]).unwrap();
    let notes = Notes::new();
    let checker = Checker { lister: informer.lister(), notes: notes.clone() };
    let _handler = informer.add_handler(checker).unwrap();
    source.push_list(Ok(list("2", [meta("a", 1), meta("b", 2)])));
    let watch = source.push_watch();
    assert_eq!(notes.take(2).await, ["a@1 of 2, Some(\"a@1\")", "b@2 of 2, Some(\"b@2\")"]);
    watch.send(modified("a", 3));
    assert_eq!(notes.take(1).await, ["a@3 of 2, Some(\"a@3\")"]);
    watch.send(deleted("a", 4));
    assert_eq!(notes.take(1).await, ["a@4 of 1, None"]);
    assert_eq!((by_name.count("a"), by_name.count("b")), (0, 1));
    // After a relist the whole list is there before the first call.
    watch.send(WatchEvent::Error(expired()));
    source.push_list(Ok(list("9", [meta("c", 7), meta("d", 8)])));
    let told = notes.take(3).await;
    assert_eq!(told, ["b@2 of 2, None", "c@7 of 2, Some(\"c@7\")", "d@8 of 2, Some(\"d@8\")"]);
}

/// Returns from each call when it is let.
struct Gated(Arc<Semaphore>, Notes);

impl Handler<Meta> for Gated {
    async fn on_add(&mut self, object: Arc<Meta>, _: bool) {
        self.1.write(at(&object));
        self.0.acquire().await.unwrap().forget();
    }
}

#[tokio::test(start_paused = true)]
async fn g04_has_synced() {
    let (source, informer) = start(plain().page_size(1));
    let (gate, notes) = (Arc::new(Semaphore::new(0)), Notes::new());
    let slow = informer.add_handler(Gated(gate.clone(), notes.clone())).unwrap();
    let mut first = list("2", [meta("a", 1)]);
    first.metadata.continue_ = "more".into();
    as_list(next(&source).await);
    source.push_list(Ok(first));
    as_list(next(&source).await);
    settle().await;
    assert!(!informer.is_synced() && informer.lister().is_empty(), "one page is not the list");
    source.push_list(Ok(list("2", [meta("b", 2)])));
    informer.synced().await.unwrap();
    assert_eq!(informer.lister().len(), 2);

    notes.take(1).await;
    assert!(!slow.is_synced(), "the first call has not returned");
    gate.add_permits(1);
    notes.take(1).await;
    settle().await;
    assert!(!slow.is_synced(), "the last call has not returned");
    gate.add_permits(1);
    slow.synced().await.unwrap();

    // Late handlers have a sync, and initial adds, of their own.
    let (recorder, notes) = Recorder::new();
    let late = informer.add_handler(recorder).unwrap();
    assert!(!late.is_synced());
    late.synced().await.unwrap();
    assert_eq!(notes.take(2).await, ["add a@1 initial", "add b@2 initial"]);
    source.push_watch().send(added("c", 3));
    assert_eq!(notes.take(1).await, ["add c@3"], "not in the initial list");

    // An empty list is one too.
    let (source, informer) = start(plain());
    let (recorder, _notes) = Recorder::new();
    let handler = informer.add_handler(recorder).unwrap();
    settle().await;
    assert!(!informer.is_synced() && !handler.is_synced());
    source.push_list(Ok(list("1", [])));
    informer.synced().await.unwrap();
    handler.synced().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn g05_watch_list_atomicity() {
    let (source, informer) = start(InformerOptions::new());
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    let options = as_watch(next(&source).await);
    assert_eq!(options.send_initial_events, Some(true));
    assert_eq!(options.resource_version_match, "NotOlderThan");
    assert_eq!(options.resource_version, "");
    assert!(options.allow_watch_bookmarks);
    let watch = source.push_watch();
    watch.send(added("a", 9));
    watch.send(added("b", 3));
    watch.send(bookmark(11));
    settle().await;
    assert!(watch.is_drained() && informer.lister().is_empty() && notes.now().is_empty());
    assert_eq!(informer.resource_version(), "");
    assert!(!informer.is_synced());

    watch.send(complete(12));
    assert_eq!(notes.take(2).await, ["add a@9 initial", "add b@3 initial"]);
    assert_eq!(informer.resource_version(), "12");
    watch.send(modified("a", 13));
    assert_eq!(notes.take(1).await, ["update a@9 -> a@13"]);
    assert_eq!(source.requests().len(), 1, "one watch, no list");
    assert!(!watch.is_abandoned());
}

#[tokio::test(start_paused = true)]
async fn g06_resource_version_never_regresses() {
    // A list without a version leads to a watch from "", which begins with objects in any order.
    let (source, informer) = start(plain());
    source.push_list(Ok(list("", [])));
    as_list(next(&source).await);
    assert_eq!(as_watch(next(&source).await).resource_version, "");
    let watch = source.push_watch();
    watch.send(added("a", 9));
    watch.send(added("b", 3));
    settle().await;
    assert_eq!((informer.lister().len(), informer.resource_version().as_str()), (2, ""));
    watch.send(modified("b", 10));
    settle().await;
    assert_eq!(informer.resource_version(), "10", "from here on events are ordered");
    watch.send(added("c", 11));
    watch.send(bookmark(20));
    settle().await;
    assert_eq!(informer.resource_version(), "20");
    assert!(informer.lister().get(&key("c")).is_some(), "a bookmark comes after what it marks");
    watch.send(modified("a", 15));
    watch.send(bookmark(14));
    watch.close();
    settle().await;
    assert_eq!(informer.resource_version(), "20");
    assert_eq!(as_watch(next(&source).await).resource_version, "20");
}

#[tokio::test(start_paused = true)]
async fn g07_resume() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("5", [meta("a", 5)])));
    as_list(next(&source).await);
    assert_eq!(as_watch(next(&source).await).resource_version, "5");
    let watch = source.push_watch();
    watch.send(modified("a", 6));
    watch.close();
    let began = Instant::now();
    assert_eq!(as_watch(next(&source).await).resource_version, "6");
    assert_eq!(began.elapsed(), Duration::ZERO, "an ordinary end is no failure");

    let watch = source.push_watch();
    watch.send(bookmark(30));
    watch.fail(Error::transport("connection reset"));
    assert_eq!(as_watch(next(&source).await).resource_version, "30");

    let too_many = Status::failure(429, "TooManyRequests", "busy");
    let asked = Error::from(too_many.clone().retry_after(20));
    for (error, least, most) in [
        (refused(), 800, 1600),
        (too_many.into(), 1600, 3200),
        (asked, 20_000, 20_000),
        (Error::transport("no route"), 6400, 12_800),
    ] {
        source.push_watch_error(error);
        let began = Instant::now();
        assert_eq!(as_watch(next(&source).await).resource_version, "30");
        let waited = began.elapsed().as_millis();
        assert!((least..=most + 1).contains(&waited), "{waited} ms");
    }
    let lists = source.requests().into_iter().filter(|r| matches!(r, FakeRequest::List(_)));
    assert_eq!(lists.count(), 1, "only the first");
    assert_eq!(informer.lister().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn g08_gone() {
    for failure in [expired(), too_large()] {
        let (source, informer) = start(plain());
        source.push_list(Ok(list("5", [meta("a", 5)])));
        assert_eq!(as_list(next(&source).await).resource_version, "0");
        as_watch(next(&source).await);
        source.push_watch().send(WatchEvent::Error(expired()));
        assert_eq!(as_list(next(&source).await).resource_version, "5");
        source.push_list(Err(failure.clone().into()));
        let began = Instant::now();
        assert_eq!(as_list(next(&source).await).resource_version, "");
        assert_eq!(began.elapsed(), Duration::ZERO, "at once");
        assert_eq!(informer.lister().len(), 1, "the cache stays as it was");
        source.push_list(Ok(list("9", [])));
        assert_eq!(as_watch(next(&source).await).resource_version, "9");
        assert!(informer.lister().is_empty());

        // And with a watch-list, whether it says so when opened or in its first event.
        let (source, informer) = start(InformerOptions::new().on_error(|_| ()));
        let watch = source.push_watch();
        for event in [added("a", 1), complete(5), WatchEvent::Error(expired())] {
            watch.send(event);
        }
        as_watch(next(&source).await);
        let options = as_watch(next(&source).await);
        assert_eq!(
            (options.resource_version.as_str(), options.send_initial_events),
            ("5", Some(true))
        );
        source.push_watch_error(failure.clone().into());
        let began = Instant::now();
        assert_eq!(as_watch(next(&source).await).resource_version, "");
        assert_eq!(began.elapsed(), Duration::ZERO, "at once");
        assert_eq!(informer.lister().len(), 1);
        let watch = source.push_watch();
        watch.send(complete(9));
        settle().await;
        assert!(informer.lister().is_empty());
        watch.send(WatchEvent::Error(expired()));
        assert_eq!(as_watch(next(&source).await).resource_version, "9");
        source.push_watch().send(WatchEvent::Error(failure.clone()));
        assert_eq!(as_watch(next(&source).await).resource_version, "");
    }
}

#[tokio::test(start_paused = true)]
async fn g09_backoff() {
    let (source, _informer) = start(plain());
    as_list(next(&source).await);
    let mut failed = Instant::now();
    for least in [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
        source.push_list(Err(Status::failure(500, "InternalError", "oh").into()));
        as_list(next(&source).await);
        let waited = failed.elapsed().as_millis();
        assert!((least..=2 * least + 1).contains(&waited), "{waited} ms");
        failed = Instant::now();
    }
    // A watch that ends at once and empty is a failure like others.
    source.push_list(Ok(list("1", [])));
    as_watch(next(&source).await);
    let empty = source.push_watch();
    settle().await;
    let began = Instant::now();
    empty.close();
    as_list(next(&source).await);
    assert!(began.elapsed() >= Duration::from_secs(30));
    // One that lasted is not; and two quiet minutes begin the delays anew.
    source.push_list(Ok(list("1", [])));
    as_watch(next(&source).await);
    let lasting = source.push_watch();
    settle().await;
    tokio::time::advance(Duration::from_secs(121)).await;
    lasting.close();
    as_watch(next(&source).await);
    source.push_watch().send(WatchEvent::Error(expired()));
    let began = Instant::now();
    as_list(next(&source).await);
    let waited = began.elapsed().as_millis();
    assert!((800..=1601).contains(&waited), "{waited} ms");
}

#[tokio::test(start_paused = true)]
async fn g12_handler_isolation_and_resync() {
    let (source, informer) = start(plain());
    let (gate, stuck) = (Arc::new(Semaphore::new(0)), Notes::new());
    let blocked = informer.add_handler(Gated(gate.clone(), stuck.clone())).unwrap();
    let (recorder, notes) = Recorder::new();
    let _free = informer.add_handler(recorder).unwrap();
    source.push_list(Ok(list("1", [meta("a", 1)])));
    let watch = source.push_watch();
    for version in 2..500 {
        watch.send(modified("a", version));
    }
    assert_eq!(notes.take(499).await.len(), 499);
    assert_eq!(informer.resource_version(), "499", "the cache goes on");
    assert_eq!(stuck.now(), ["a@1"]);
    gate.add_permits(1);
    blocked.synced().await.unwrap();

    // Late handlers: one add for each object, then every event, no gap and nothing twice.
    let mut late = Vec::new();
    for version in 500..600 {
        let (recorder, notes) = Recorder::new();
        late.push((informer.add_handler(recorder).unwrap(), notes));
        watch.send(modified("a", version));
        if version % 3 == 0 {
            settle().await;
        }
    }
    for (_registration, notes) in &late {
        let mut last = None;
        while last != Some(599) {
            for line in notes.take(1).await {
                let version: u64 =
                    line.rsplit('@').next().unwrap().split(' ').next().unwrap().parse().unwrap();
                match last {
                    None => assert!(line.starts_with("add "), "{line}"),
                    Some(last) => assert_eq!(line, format!("update a@{last} -> a@{}", last + 1)),
                }
                last = Some(version);
            }
        }
    }
    drop(late);

    // Resyncs: for those who asked, at their own pace, from the cache alone.
    notes.take(100).await;
    let (recorder, every_minute) = Recorder::resyncing(Duration::from_secs(60));
    let minutes = informer.add_handler(recorder).unwrap();
    let (recorder, every_second) = Recorder::resyncing(Duration::from_millis(1));
    let seconds = informer.add_handler(recorder).unwrap();
    minutes.synced().await.unwrap();
    seconds.synced().await.unwrap();
    assert_eq!(every_minute.take(1).await, ["add a@599 initial"]);
    assert_eq!(every_second.take(1).await, ["add a@599 initial"]);
    let (requests, began) = (source.requests().len(), Instant::now());
    assert_eq!(every_minute.take(2).await, ["resync a@599", "resync a@599"]);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(119) && waited <= Duration::from_secs(121), "{waited:?}");
    let fast = every_second.now().len();
    assert!((118..=121).contains(&fast), "at most one a second: {fast}");
    assert_eq!(source.requests().len(), requests);
    assert!(notes.now().is_empty(), "others are not told");
}
