//! Objects, events, and a handler that takes notes.

use pintle_apimachinery::{
    Bookmark, Error, ListOptions, Object, ObjectKey, ObjectList, PartialObjectMetadata as Meta,
    Status, WatchEvent,
};
use pintle_client_traits::{FakeRequest, FakeSource};
use pintle_informer::{Handler, InformerOptions, SharedInformer, Tombstone};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub(crate) fn meta(name: &str, version: u64) -> Meta {
    let mut meta = Meta::default();
    meta.metadata.namespace = "ns".into();
    meta.metadata.name = name.into();
    meta.metadata.uid = format!("uid-{name}").into();
    meta.metadata.resource_version = version.to_string().into();
    meta
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("ns", name)
}

pub(crate) fn added(name: &str, version: u64) -> WatchEvent<Meta> {
    WatchEvent::Added(meta(name, version))
}

pub(crate) fn modified(name: &str, version: u64) -> WatchEvent<Meta> {
    WatchEvent::Modified(meta(name, version))
}

pub(crate) fn deleted(name: &str, version: u64) -> WatchEvent<Meta> {
    WatchEvent::Deleted(meta(name, version))
}

pub(crate) fn bookmark(version: u64) -> WatchEvent<Meta> {
    let resource_version = version.to_string().into();
    WatchEvent::Bookmark(Bookmark { resource_version, initial_events_end: false })
}

/// The bookmark that ends a watch-list's initial events.
pub(crate) fn complete(version: u64) -> WatchEvent<Meta> {
    let resource_version = version.to_string().into();
    WatchEvent::Bookmark(Bookmark { resource_version, initial_events_end: true })
}

pub(crate) fn list(version: &str, items: impl IntoIterator<Item = Meta>) -> ObjectList<Meta> {
    let mut list = ObjectList { items: items.into_iter().collect(), ..Default::default() };
    list.metadata.resource_version = version.into();
    list
}

pub(crate) fn expired() -> Status {
    Status::failure(410, "Expired", "too old resource version")
}

pub(crate) fn too_large() -> Status {
    Status::failure(504, "Timeout", "too large resource version").with_cause(
        "ResourceVersionTooLarge",
        "Too large resource version",
        "",
    )
}

pub(crate) fn refused() -> Error {
    let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    Error::transport("connect").with_source(source)
}

/// Without watch-lists, quiet.
pub(crate) fn plain() -> InformerOptions<Meta> {
    InformerOptions::new().watch_list(false).on_error(|_| ())
}

pub(crate) fn start(options: InformerOptions<Meta>) -> (FakeSource<Meta>, SharedInformer<Meta>) {
    let source = FakeSource::new();
    let informer = SharedInformer::with_options(source.clone(), options);
    informer.start();
    (source, informer)
}

#[track_caller]
pub(crate) fn as_list(request: FakeRequest) -> ListOptions {
    match request {
        FakeRequest::List(options) => options,
        FakeRequest::Watch(options) => panic!("a watch: {options:?}"),
    }
}

#[track_caller]
pub(crate) fn as_watch(request: FakeRequest) -> ListOptions {
    match request {
        FakeRequest::Watch(options) => options,
        FakeRequest::List(options) => panic!("a list: {options:?}"),
    }
}

/// Waits for an hour at most, so that a test that waits in vain ends.
pub(crate) async fn soon<F: Future>(work: F) -> Option<F::Output> {
    tokio::time::timeout(Duration::from_secs(3600), work).await.ok()
}

/// The next call that the source got.
pub(crate) async fn next<T>(source: &FakeSource<T>) -> FakeRequest {
    soon(source.next_request()).await.expect("a call")
}

/// Lets everything that can run without time passing do so.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_nanos(1)).await;
}

/// What a handler was told, one line an event.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>, watch::Sender<usize>);

impl Notes {
    pub(crate) fn new() -> Self {
        Notes(Arc::default(), watch::Sender::new(0))
    }

    pub(crate) fn write(&self, line: String) {
        let mut lines = self.0.lock().unwrap();
        lines.push(line);
        self.1.send_replace(lines.len());
    }

    /// Takes so many lines, waiting for them if need be.
    pub(crate) async fn take(&self, count: usize) -> Vec<String> {
        let mut written = self.1.subscribe();
        if soon(written.wait_for(|there| *there >= count)).await.is_none() {
            panic!("waiting for {count} lines, there are {:?}", self.now());
        }
        let mut lines = self.0.lock().unwrap();
        let taken = lines.drain(..count).collect();
        self.1.send_replace(lines.len());
        taken
    }

    pub(crate) fn now(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) fn at(meta: &Meta) -> String {
    format!("{}@{}", meta.name(), meta.resource_version())
}

/// Writes down what it is told.
pub(crate) struct Recorder(pub(crate) Notes, pub(crate) Option<Duration>);

impl Recorder {
    pub(crate) fn new() -> (Self, Notes) {
        let notes = Notes::new();
        (Recorder(notes.clone(), None), notes)
    }

    pub(crate) fn resyncing(period: Duration) -> (Self, Notes) {
        let notes = Notes::new();
        (Recorder(notes.clone(), Some(period)), notes)
    }
}

impl Handler<Meta> for Recorder {
    async fn on_add(&mut self, object: Arc<Meta>, is_in_initial_list: bool) {
        let initial = if is_in_initial_list { " initial" } else { "" };
        self.0.write(format!("add {}{initial}", at(&object)));
    }

    async fn on_update(&mut self, old: Arc<Meta>, new: Arc<Meta>) {
        if Arc::ptr_eq(&old, &new) {
            self.0.write(format!("resync {}", at(&new)));
        } else if old.uid() != new.uid() {
            self.0.write(format!("update {} -> another {}", at(&old), at(&new)));
        } else {
            self.0.write(format!("update {} -> {}", at(&old), at(&new)));
        }
    }

    async fn on_delete(&mut self, tombstone: Tombstone<Meta>) {
        let unknown = if tombstone.final_state_unknown { " unknown" } else { "" };
        self.0.write(format!("delete {}{unknown}", at(&tombstone.object)));
    }

    fn resync_period(&self) -> Option<Duration> {
        self.1
    }
}
