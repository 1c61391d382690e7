//! What the tests of the runner share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pintle_apimachinery::{
    Error, GroupVersionKind, ObjectKey, OwnerReference, PartialObjectMetadata,
};
use pintle_controller::{Controller, ManualSource, Run};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) const FOO: GroupVersionKind =
    GroupVersionKind::from_static("samplecontroller.k8s.io", "v1alpha1", "Foo");
pub(crate) const DEPLOYMENT: GroupVersionKind =
    GroupVersionKind::from_static("apps", "v1", "Deployment");

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("team-a", name)
}

pub(crate) fn object(name: &str, resource_version: &str) -> PartialObjectMetadata {
    let mut object = PartialObjectMetadata::default();
    object.metadata.namespace = "team-a".into();
    object.metadata.name = name.into();
    object.metadata.resource_version = resource_version.into();
    object
}

/// An object with one owner reference.
pub(crate) fn owned(
    name: &str,
    api_version: &str,
    kind: &str,
    owner: &str,
    controller: Option<bool>,
) -> PartialObjectMetadata {
    let mut object = object(name, "1");
    object.metadata.owner_references.push(OwnerReference {
        api_version: api_version.into(),
        kind: kind.into(),
        name: owner.into(),
        controller,
        ..Default::default()
    });
    object
}

/// A source of Foos that has synced.
pub(crate) fn foos() -> ManualSource {
    let source = ManualSource::namespaced(FOO);
    source.synced();
    source
}

/// What was reconciled when, since the log was made.
#[derive(Clone)]
pub(crate) struct Log {
    start: Instant,
    lines: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Log { start: Instant::now(), lines: Arc::default() }
    }

    /// Writes a line and returns how many there are with the same text.
    pub(crate) fn write(&self, line: impl Into<String>) -> usize {
        let line = line.into();
        let mut lines = self.lines.lock().expect("no panic");
        lines.push((self.start.elapsed(), line.clone()));
        lines.iter().filter(|(_, text)| *text == line).count()
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        self.take_timed().into_iter().map(|(_, line)| line).collect()
    }

    /// The lines since the last call, with milliseconds since the log was made.
    pub(crate) fn take_timed(&self) -> Vec<(u64, String)> {
        let lines = std::mem::take(&mut *self.lines.lock().expect("no panic"));
        lines.into_iter().map(|(at, line)| (at.as_millis() as u64, line)).collect()
    }
}

/// A controller that runs as a task.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Starts it and lets it come to rest.
    pub(crate) async fn start<F, Fut>(run: Run<F>) -> Running
    where
        F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<pintle_controller::Action, pintle_controller::BoxError>>
            + Send
            + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run.until(async move {
            let _ = stopped.await;
        }));
        rest().await;
        Running { stop, task }
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        let _ = self.stop.send(());
        self.task.await.expect("the controller does not panic")
    }

    pub(crate) fn abort(self) -> JoinHandle<Result<(), Error>> {
        self.task.abort();
        self.task
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

/// Lets every task run until all wait; no time passes on a paused clock.
pub(crate) async fn rest() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn controller() -> Controller {
    Controller::new("sample")
}
