//! Faults that requests meet: what happens, to whom, how often.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::request::Parts;
use tokio::sync::watch;

use crate::core::Core;
use crate::request::{Query, RequestInfo};
use crate::status::ApiError;

/// Something that goes wrong with requests. Injected with
/// [`Faults::inject`](super::Faults::inject), it meets every request that matches all it names; a
/// fresh one names nothing and so meets all.
///
/// # Example: a server that is down for writes to Pods, for a while
/// ```
/// use pintle_apiserver::ApiServer;
/// use pintle_apiserver::testing::Fault;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = ApiServer::builder().start().await?;
/// let down = server.faults().inject(Fault::status(503).method("POST").resource("pods"));
/// let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, \
///            spec: {containers: [{name: c, image: i}]}}";
/// let error = server.load(pod).await.unwrap_err();
/// assert!(error.is_service_unavailable());
/// assert_eq!(down.hits(), 1);
/// down.remove();
/// server.load(pod).await?;
/// # Ok::<(), pintle_apimachinery::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    effect: Effect,
    times: Option<u64>,
    method: String,
    path: String,
    verb: String,
    group: Option<String>,
    resource: String,
    subresource: Option<String>,
    namespace: String,
    name: String,
}

#[derive(Clone, Debug)]
enum Effect {
    Refuse(ApiError),
    Delay(Duration),
    BreakOff,
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Fault {
            effect,
            times: None,
            method: String::new(),
            path: String::new(),
            verb: String::new(),
            group: None,
            resource: String::new(),
            subresource: None,
            namespace: String::new(),
            name: String::new(),
        }
    }

    /// Refuses with a code, and the reason and text Kubernetes has for it: 500, 503, 504, 429, 410,
    /// 409, 403, 401, 404 and others.
    pub fn status(code: u16) -> Self {
        Fault::new(Effect::Refuse(ApiError::of_code(code, 0)))
    }

    /// Refuses with 429, `Retry-After: seconds` and the text of a server that has too much to do.
    pub fn too_many_requests(retry_after_seconds: u32) -> Self {
        Fault::new(Effect::Refuse(ApiError::of_code(429, retry_after_seconds)))
    }

    /// Refuses with a code and `Retry-After: seconds`.
    pub fn retry_after(code: u16, seconds: u32) -> Self {
        Fault::new(Effect::Refuse(ApiError::of_code(code, seconds)))
    }

    /// Refuses with 410 Expired: lists with the status code, watches with an ERROR event after
    /// they were accepted, as Kubernetes does. To let history expire instead, see
    /// [`Faults::compact`](super::Faults::compact).
    pub fn expired() -> Self {
        Fault::status(410)
    }

    /// Lets requests wait, by the server's clock, before anything is looked at. They then go on.
    pub fn delay(by: Duration) -> Self {
        Fault::new(Effect::Delay(by))
    }

    /// Does what the request asks for, and closes the connection in the middle of the answer: half
    /// of the first chunk arrives, of an HTTP/2 stream, too. Of a watch that is in the middle of
    /// an event.
    pub fn break_off() -> Self {
        Fault::new(Effect::BreakOff)
    }

    /// Meets the first `n` requests that match and then no more; without, until it is removed.
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }

    /// Only requests of this HTTP method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Only requests whose path begins with this.
    pub fn path(mut self, prefix: impl Into<String>) -> Self {
        self.path = prefix.into();
        self
    }

    /// Only requests of this verb, as authorization has them: `get`, `list`, `watch`, `create`,
    /// `update`, `patch`, `delete`, `deletecollection`.
    pub fn verb(mut self, verb: impl Into<String>) -> Self {
        self.verb = verb.into();
        self
    }

    /// Only requests for resources of this group; empty for the core API.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Only requests for this resource: its plural name.
    pub fn resource(mut self, plural: impl Into<String>) -> Self {
        self.resource = plural.into();
        self
    }

    /// Only requests for this subresource; empty for those for none.
    pub fn subresource(mut self, name: impl Into<String>) -> Self {
        self.subresource = Some(name.into());
        self
    }

    /// Only requests in this namespace.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Only requests for the object of this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn meets(&self, parts: &Parts, info: &RequestInfo) -> bool {
        let any = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let same = |wanted: &Option<String>, is: &str| {
            wanted.as_deref().is_none_or(|wanted| info.is_resource && wanted == is)
        };
        any(&self.method, parts.method.as_str())
            && parts.uri.path().starts_with(&self.path)
            && any(&self.verb, info.verb)
            && same(&self.group, &info.group)
            && any(&self.resource, &info.resource)
            && same(&self.subresource, &info.subresource)
            && any(&self.namespace, &info.namespace)
            && any(&self.name, &info.name)
    }
}

/// A fault in force. Dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Injected {
    entry: Arc<Entry>,
    board: Weak<Shared>,
}

impl Injected {
    /// How many requests it met.
    pub fn hits(&self) -> u64 {
        *self.entry.hits.borrow()
    }

    /// Waits until it has met `n` requests.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn met(&self, n: u64) {
        let mut hits = self.entry.hits.subscribe();
        // The sender is in our hands.
        let _ = hits.wait_for(|hits| *hits >= n).await;
    }

    /// It meets no more requests. Those that wait for a delay go on waiting.
    pub fn remove(&self) {
        if let Some(board) = self.board.upgrade() {
            board.retain(|entry| !Arc::ptr_eq(entry, &self.entry));
        }
    }
}

#[derive(Debug)]
struct Entry {
    fault: Fault,
    hits: watch::Sender<u64>,
}

/// The faults of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    entries: Mutex<Vec<Arc<Entry>>>,
    /// So that a server without faults takes no lock for them.
    count: AtomicUsize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retain(&self, keep: impl Fn(&Arc<Entry>) -> bool) {
        let mut entries = self.lock();
        entries.retain(keep);
        self.count.store(entries.len(), Ordering::Release);
    }
}

/// What became of a request.
#[derive(Default)]
pub(crate) struct Met {
    /// It is refused with this.
    pub(crate) refused: Option<ApiError>,
    /// Its answer breaks off.
    pub(crate) breaks: bool,
}

impl Board {
    pub(crate) fn add(&self, fault: Fault) -> Injected {
        let entry = Arc::new(Entry { fault, hits: watch::Sender::new(0) });
        let mut entries = self.0.lock();
        entries.push(Arc::clone(&entry));
        self.0.count.store(entries.len(), Ordering::Release);
        Injected { entry, board: Arc::downgrade(&self.0) }
    }

    pub(crate) fn clear(&self) {
        self.0.retain(|_| false);
    }

    /// The faults a request meets, in the order in which they were injected.
    fn matching(&self, parts: &Parts, info: &RequestInfo) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut spent = false;
        for entry in self.0.lock().iter() {
            let left = |hits: u64| entry.fault.times.is_none_or(|times| hits < times);
            if !entry.fault.meets(parts, info) || !left(*entry.hits.borrow()) {
                continue;
            }
            effects.push(entry.fault.effect.clone());
            entry.hits.send_modify(|hits| *hits += 1);
            spent |= !left(*entry.hits.borrow());
            if matches!(entry.fault.effect, Effect::Refuse(_)) {
                break;
            }
        }
        if spent {
            self.0
                .retain(|entry| entry.fault.times.is_none_or(|times| *entry.hits.borrow() < times));
        }
        effects
    }

    /// Lets a request meet its faults.
    ///
    /// # Cancel safety
    /// The faults count it as met.
    pub(crate) async fn meet(&self, core: &Core, parts: &Parts) -> Met {
        let mut met = Met::default();
        if self.0.count.load(Ordering::Acquire) == 0 {
            return met;
        }
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let info = RequestInfo::new(&parts.method, parts.uri.path(), &query);
        for effect in self.matching(parts, &info) {
            match effect {
                Effect::Delay(by) => core.timers.after(by).await,
                Effect::BreakOff => met.breaks = true,
                Effect::Refuse(error) => met.refused = Some(error),
            }
        }
        met
    }
}
