//! Recording events without waiting for them. Go counterpart: `tools/record/event.go`.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use pintle_api::core_v1::{Event, EventSource, ObjectReference};
use pintle_apimachinery::{Error, Object, ObjectMeta, Str};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::correlator::{Correlated, Correlator, CorrelatorOptions, Moment, event_name};
use super::sink::EventSink;

/// Whether an event is something to worry about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// All goes as it should.
    Normal,
    /// Something may need attention.
    Warning,
}

impl EventType {
    /// As it is on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How events are recorded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecorderOptions {
    /// The node the program runs on, if that matters; empty by default.
    pub host: String,
    /// How much is told about one object.
    pub correlator: CorrelatorOptions,
    /// How many events may wait to be written; more are dropped. 1,000 by default.
    pub queue: usize,
    /// How often the write of one event is tried; 12 by default.
    pub tries: u32,
    /// The pause between two tries; the first is shortened at random. 10 s by default.
    pub retry_delay: Duration,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        RecorderOptions {
            host: String::new(),
            correlator: CorrelatorOptions::default(),
            queue: 1000,
            tries: 12,
            retry_delay: Duration::from_secs(10),
        }
    }
}

/// Tells people what happens to objects, as events of core/v1.
///
/// Recording never waits and never fails: events go into a bounded queue, and a task writes them
/// one after the other. If the server cannot be reached they wait; if the queue is full they are
/// dropped, with a line in the log. The same event again raises a count, many similar ones are
/// combined, and a flood about one object is cut off.
///
/// Clones write through the same task. It ends when the last clone is gone and everything queued
/// has been dealt with.
///
/// Go counterparts: `record.EventRecorder` and `record.EventBroadcaster`.
///
/// # Example: a warning about an object
/// ```
/// # use futures_core::future::BoxFuture;
/// # use pintle_api::core_v1::Event;
/// # use pintle_apimachinery::Error;
/// use pintle_api::core_v1::Pod;
/// use pintle_controller::{EventRecorder, EventSink};
/// # #[derive(Clone)]
/// # struct Printed(tokio::sync::mpsc::UnboundedSender<String>);
/// # impl EventSink for Printed {
/// #     fn create<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<Event, Error>> {
/// #         let _ = self.0.send(format!("{} {} {}", event.type_, event.reason, event.message));
/// #         Box::pin(async { Ok(event.clone()) })
/// #     }
/// #     fn patch<'a>(&'a self, event: &'a Event, _: Vec<u8>) -> BoxFuture<'a, Result<Event, Error>> {
/// #         self.create(event)
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (sent, mut events) = tokio::sync::mpsc::unbounded_channel();
/// # let sink = Printed(sent);
/// // In a program the sink is a client: `clients.core_v1().events("")`.
/// let recorder = EventRecorder::start("sample-controller", sink);
///
/// let mut pod = Pod::default();
/// pod.metadata.name = "web".into();
/// recorder.warning(&pod, "ErrResourceExists", "a Deployment of that name belongs to another");
/// recorder.flush().await;
/// # assert_eq!(
/// #     events.try_recv().as_deref(),
/// #     Ok("Warning ErrResourceExists a Deployment of that name belongs to another")
/// # );
/// # }
/// ```
#[derive(Clone)]
pub struct EventRecorder {
    source: EventSource,
    queue: mpsc::Sender<Message>,
}

enum Message {
    Event(Box<Event>),
    Flush(oneshot::Sender<()>),
}

impl EventRecorder {
    /// A recorder for this component, and the task that writes.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(component: impl Into<Str>, sink: impl EventSink + 'static) -> Self {
        Self::start_with(component, sink, RecorderOptions::default())
    }

    /// [`EventRecorder::start`] with options.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start_with(
        component: impl Into<Str>,
        sink: impl EventSink + 'static,
        options: RecorderOptions,
    ) -> Self {
        let (queue, messages) = mpsc::channel(options.queue.max(1));
        let source =
            EventSource { component: component.into(), host: Str::from(options.host.as_str()) };
        let writer = Writer {
            sink: Arc::new(sink),
            correlator: Correlator::new(options.correlator.clone()),
            options,
        };
        tokio::spawn(writer.run(messages).boxed());
        EventRecorder { source, queue }
    }

    /// Records that all goes well. See [`EventRecorder::event`].
    pub fn normal(&self, about: &dyn Object, reason: &str, message: impl Into<Str>) {
        self.event(about, EventType::Normal, reason, message);
    }

    /// Records a warning. See [`EventRecorder::event`].
    pub fn warning(&self, about: &dyn Object, reason: &str, message: impl Into<Str>) {
        self.event(about, EventType::Warning, reason, message);
    }

    /// Records an event about an object. `reason` is for programs: short, in `UpperCamelCase`, from
    /// a fixed set. `message` is for people. The event is created in the object's namespace, or in
    /// `default` for objects of the cluster.
    ///
    /// Does not wait. The event is dropped if too many wait already.
    pub fn event(
        &self,
        about: &dyn Object,
        event_type: EventType,
        reason: &str,
        message: impl Into<Str>,
    ) {
        let gvk = about.gvk();
        if gvk.kind.is_empty() {
            tracing::error!(name = about.name(), reason, "no event about an object without a kind");
            return;
        }
        let event = self.make(reference(about), event_type, reason, message.into());
        let key = about.key();
        tracing::debug!(kind = %gvk.kind, object = %key, r#type = %event_type, reason, "event");
        match self.queue.try_send(Message::Event(Box::new(event))) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::error!(object = %key, reason, "too many events wait; this one is dropped");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::error!(object = %key, reason, "the event writer is gone; dropped");
            }
        }
    }

    /// Waits until everything recorded before has been written, dropped as spam, or given up.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and nothing else.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = written.await; // an error: the writer is gone, and nothing is left to wait for
        }
    }

    fn make(
        &self,
        about: ObjectReference,
        event_type: EventType,
        reason: &str,
        message: Str,
    ) -> Event {
        let now = moment();
        let namespace =
            if about.namespace.is_empty() { Str::from("default") } else { about.namespace.clone() };
        Event {
            metadata: ObjectMeta {
                name: event_name(&about.name, now.unix_nanos),
                namespace,
                ..ObjectMeta::default()
            },
            involved_object: about,
            reason: reason.into(),
            message,
            source: self.source.clone(),
            first_timestamp: now.time(),
            last_timestamp: now.time(),
            count: 1,
            type_: event_type.as_str().into(),
            reporting_component: self.source.component.clone(),
            reporting_instance: self.source.host.clone(),
            ..Event::default()
        }
    }
}

impl fmt::Debug for EventRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRecorder")
            .field("component", &self.source.component.as_str())
            .finish_non_exhaustive()
    }
}

/// Go counterpart: `tools/reference.GetReference`.
fn reference(about: &dyn Object) -> ObjectReference {
    let (gvk, m) = (about.gvk(), about.metadata());
    ObjectReference {
        api_version: gvk.api_version().into(),
        kind: gvk.kind.into(),
        namespace: m.namespace.clone(),
        name: m.name.clone(),
        uid: m.uid.clone(),
        resource_version: m.resource_version.clone(),
        field_path: Str::default(),
    }
}

fn moment() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment { instant: Instant::now().into_std(), unix_nanos: since.as_nanos() as i128 }
}

struct Writer<S> {
    sink: Arc<S>,
    correlator: Correlator,
    options: RecorderOptions,
}

impl<S: EventSink> Writer<S> {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Event(event) => self.record(*event).await,
                Message::Flush(done) => drop(done.send(())),
            }
        }
    }

    async fn record(&mut self, event: Event) {
        let (mut event, mut patch) = match self.correlator.correlate(event, moment()) {
            Correlated::Spam => return,
            Correlated::Create(event) => (event, None),
            Correlated::Patch(event, patch) => (event, Some(patch)),
        };
        for attempt in 1.. {
            match self.write(&mut event, &mut patch).await {
                Ok(stored) => return self.correlator.stored(&stored),
                Err(error) if !may_pass(&error) => {
                    let dying = error.has_cause("NamespaceTerminating");
                    if error.is_already_exists() || dying {
                        tracing::debug!(%error, "the server refused an event");
                    } else {
                        tracing::error!(%error, "the server refused an event; it is dropped");
                    }
                    return;
                }
                Err(error) if attempt >= self.options.tries => {
                    tracing::error!(%error, attempt, "an event could not be written; dropped");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, attempt, "an event could not be written; will retry");
                    // Programs that lost the same server do not all come back at once.
                    let part = if attempt == 1 { random_part() } else { 1.0 };
                    sleep(self.options.retry_delay.mul_f64(part)).await;
                }
            }
        }
    }

    /// Patches if there is something to patch. An event that is gone meanwhile is created anew.
    async fn write(&self, event: &mut Event, patch: &mut Option<Vec<u8>>) -> Result<Event, Error> {
        if let Some(body) = patch {
            match self.sink.patch(event, body.clone()).await {
                Err(error) if error.is_not_found() => *patch = None,
                other => return other,
            }
        }
        event.metadata.resource_version = Str::default();
        self.sink.create(event).await
    }
}

/// Whether trying again may help: what the server has answered will not change, nor what this
/// program asks for.
fn may_pass(error: &Error) -> bool {
    error.status().is_none()
        && !error.is_encode()
        && !error.is_config()
        && !error.is_invalid_argument()
}

/// Anything from 0 up to 1.
fn random_part() -> f64 {
    // A hasher's random keys are the randomness that the standard library has.
    let bits = RandomState::new().hash_one(0) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
