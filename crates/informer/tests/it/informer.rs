//! Everything else that a shared informer does.

use crate::support::*;
use pintle_apimachinery::{
    Error, GroupVersionResource, Object, PartialObjectMetadata as Meta, Status, Str, WatchEvent,
};
use pintle_client_traits::{FakeRequest, FakeSource, Registry};
use pintle_informer::{
    Handler, HandlerFuncs, Index, InformerFactory, InformerOptions, Lister, Registration,
    SharedInformer, Store,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

#[test]
fn handles_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<SharedInformer<Meta>>();
    anywhere::<Lister<Meta>>();
    anywhere::<Index<Meta, Str>>();
    anywhere::<Store<Meta>>();
    anywhere::<Registration>();
    anywhere::<InformerFactory<()>>();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_watch_lists_is_listed_from() {
    for refusal in [(422, "Invalid"), (400, "BadRequest"), (403, "Forbidden")] {
        let (source, informer) = start(InformerOptions::new().on_error(|_| ()));
        source.push_watch_error(Status::failure(refusal.0, refusal.1, "no").into());
        as_watch(next(&source).await);
        let options = as_list(next(&source).await);
        assert_eq!((options.resource_version.as_str(), options.limit), ("0", 500));
        source.push_list(Ok(list("5", [meta("a", 5)])));
        let options = as_watch(next(&source).await);
        assert_eq!(options.send_initial_events, None);
        assert_eq!((options.resource_version.as_str(), options.limit), ("5", 0));
        assert!(options.allow_watch_bookmarks);
        informer.synced().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages() {
    let (source, informer) = start(plain());
    let page = |token: &str, item: Meta| {
        let mut page = list("5", [item]);
        page.metadata.continue_ = token.into();
        page
    };
    assert_eq!(as_list(next(&source).await).limit, 500);
    source.push_list(Ok(page("two", meta("a", 1))));
    let second = as_list(next(&source).await);
    assert_eq!((second.resource_version.as_str(), second.continue_token.as_str()), ("", "two"));
    assert_eq!(second.limit, 500);
    // The token expires: the whole list is asked for as in the beginning, but without pages.
    source.push_list(Err(expired().into()));
    let whole = as_list(next(&source).await);
    assert_eq!((whole.resource_version.as_str(), whole.continue_token.as_str()), ("0", ""));
    assert_eq!(whole.limit, 0);
    source.push_list(Ok(list("7", [meta("b", 6)])));
    assert_eq!(as_watch(next(&source).await).resource_version, "7");
    assert!(informer.lister().get(&key("a")).is_none(), "of the old list nothing is left");

    // At an exact version there are no pages, so that the server can answer from its cache ...
    source.push_watch().send(WatchEvent::Error(expired()));
    let relist = as_list(next(&source).await);
    assert_eq!((relist.resource_version.as_str(), relist.limit), ("7", 0));
    source.push_list(Err(refused()));
    as_list(next(&source).await);

    // ... unless it has shown to have none.
    let (source, _informer) = start(plain().page_size(1));
    source.push_list(Ok(page("two", meta("a", 1))));
    source.push_list(Ok(list("5", [meta("b", 2)])));
    source.push_watch().send(WatchEvent::Error(expired()));
    for _ in 0..3 {
        next(&source).await;
    }
    let relist = as_list(next(&source).await);
    assert_eq!((relist.resource_version.as_str(), relist.limit), ("5", 1));
}

#[tokio::test(start_paused = true)]
async fn errors_are_reported() {
    let errors = Arc::new(Mutex::new(Vec::new()));
    let write = errors.clone();
    let options =
        plain().on_error(move |error: &Error| write.lock().unwrap().push(error.to_string()));
    let (source, _informer) = start(options);
    source.push_list(Err(Status::failure(403, "Forbidden", "you may not").into()));
    source.push_list(Ok(list("1", [])));
    source.push_watch_error(refused());
    source.push_watch().send(WatchEvent::Error(expired()));
    for _ in 0..5 {
        next(&source).await;
    }
    assert_eq!(
        *errors.lock().unwrap(),
        ["you may not (403)", "connect", "too old resource version (410)"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_removed_handler_is_not_called_again() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("2", [meta("a", 1), meta("b", 2)])));
    let watch = source.push_watch();
    informer.synced().await.unwrap();

    /// Counts calls that have begun and returned.
    struct Slow(Arc<Semaphore>, Notes);
    impl Handler<Meta> for Slow {
        async fn on_add(&mut self, object: Arc<Meta>, _: bool) {
            self.1.write(format!("{} begins", at(&object)));
            self.0.acquire().await.unwrap().forget();
            self.1.write(format!("{} returns", at(&object)));
        }
    }
    let (gate, notes) = (Arc::new(Semaphore::new(0)), Notes::new());
    let handler = informer.add_handler(Slow(gate.clone(), notes.clone())).unwrap();
    let synced = handler.synced();
    assert_eq!(notes.take(1).await, ["a@1 begins"]);
    let removed = tokio::spawn(handler.remove());
    settle().await;
    assert!(!removed.is_finished(), "the call that runs is waited for");
    gate.add_permits(10);
    removed.await.unwrap();
    assert_eq!(notes.now(), ["a@1 returns"], "b is not told any more");
    assert!(synced.await.is_err());

    // Dropping removes too; detaching does not.
    let (recorder, dropped) = Recorder::new();
    let handler = informer.add_handler(recorder).unwrap();
    handler.synced().await.unwrap();
    drop(handler);
    let (recorder, detached) = Recorder::new();
    informer.add_handler(recorder).unwrap().detach();
    watch.send(added("c", 3));
    assert_eq!(detached.take(3).await.len(), 3);
    assert_eq!(dropped.now().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_calls_and_keeps_the_cache() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("1", [meta("a", 1)])));
    let watch = source.push_watch();
    let gate = Arc::new(Semaphore::new(0));
    struct Slow(Arc<Semaphore>);
    impl Handler<Meta> for Slow {
        async fn on_add(&mut self, _: Arc<Meta>, _: bool) {
            self.0.acquire().await.unwrap().forget();
        }
    }
    let _handler = informer.add_handler(Slow(gate.clone())).unwrap();
    informer.synced().await.unwrap();
    settle().await;
    let down = tokio::spawn(informer.shutdown());
    watch.abandoned().await;
    settle().await;
    assert!(!down.is_finished());
    gate.add_permits(1);
    down.await.unwrap();
    assert!(informer.is_stopped());
    assert_eq!(informer.lister().len(), 1);
    informer.synced().await.unwrap();
    let error = informer.add_handler(HandlerFuncs::new()).unwrap_err();
    assert!(error.to_string().contains("stopped"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_stops_the_informer() {
    let (source, informer) = start(plain());
    source.push_list(Ok(list("1", [meta("a", 1)])));
    let watch = source.push_watch();
    informer.synced().await.unwrap();
    let lister = informer.lister();
    let (recorder, notes) = Recorder::new();
    let handler = informer.add_handler(recorder).unwrap();
    handler.synced().await.unwrap();
    let other = informer.clone();
    drop(informer);
    watch.send(added("b", 2));
    notes.take(2).await;
    drop(other);
    watch.abandoned().await;
    assert_eq!(lister.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn churn_is_applied_in_batches_and_in_order() {
    let (source, informer) = start(plain());
    let (recorder, notes) = Recorder::new();
    let _handler = informer.add_handler(recorder).unwrap();
    source.push_list(Ok(list("1", [])));
    let watch = source.push_watch();
    let count = 5000;
    for version in 2..count + 2 {
        watch.send(modified(&format!("o{}", version % 7), version));
    }
    let lines = notes.take(count as usize).await;
    for (line, version) in lines.iter().zip(2..) {
        assert!(line.ends_with(&format!("o{}@{version}", version % 7)), "{line}");
    }
    assert_eq!(informer.lister().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn an_update_keeps_what_did_not_change() {
    let (source, informer) = start(plain());
    let long = |version| {
        let mut object = meta("a", version);
        object.metadata.labels.insert("app".into(), "too long to be stored inline".into());
        object
    };
    source.push_list(Ok(list("1", [long(1)])));
    informer.synced().await.unwrap();
    let old = informer.lister().get(&key("a")).unwrap();
    let watch = source.push_watch();
    watch.send(WatchEvent::Modified(long(2)));
    settle().await;
    let new = informer.lister().get(&key("a")).unwrap();
    assert_eq!(new.resource_version(), "2");
    assert!(new.metadata.labels["app"].ptr_eq(&old.metadata.labels["app"]));
    // A relist that finds it unchanged keeps the object itself.
    watch.send(WatchEvent::Error(expired()));
    source.push_list(Ok(list("9", [long(2)])));
    while informer.resource_version() != "9" {
        tokio::time::advance(Duration::from_millis(100)).await;
        settle().await;
    }
    assert!(Arc::ptr_eq(&new, &informer.lister().get(&key("a")).unwrap()));
}

#[tokio::test(start_paused = true)]
async fn metrics_have_client_gos_names() {
    let registry = Registry::new();
    let gvr = GroupVersionResource::from_static("apps", "v1", "deployments");
    let (source, informer) = start(plain().metrics(&registry, "sample", &gvr));
    source.push_list(Ok(list("41", [])));
    let watch = source.push_watch();
    informer.synced().await.unwrap();
    watch.send(bookmark(42));
    settle().await;
    let labels =
        [("name", "sample"), ("group", "apps"), ("version", "v1"), ("resource", "deployments")];
    assert_eq!(registry.value("informer_store_resource_version", &labels), Some(42.0));
    assert_eq!(registry.value("informer_queued_items", &labels), Some(0.0));
    assert_eq!(registry.value("informer_processing_latency_seconds", &labels), Some(2.0));
}

#[tokio::test(start_paused = true)]
async fn starting_twice_is_starting_once() {
    let source = FakeSource::<Meta>::new();
    let informer = SharedInformer::with_options(source.clone(), plain());
    settle().await;
    assert!(source.requests().is_empty(), "nothing before the start");
    informer.start();
    informer.clone().start();
    settle().await;
    assert!(matches!(source.requests()[..], [FakeRequest::List(_)]));
}
