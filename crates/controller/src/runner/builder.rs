//! Putting a controller together. Go counterpart: controller-runtime's `pkg/builder` and
//! `controller.Options`.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pintle_apimachinery::{Error, Object, ObjectKey};
use pintle_client_traits::{MetricsProvider, Source};

use super::action::{Action, BoxError};
use super::enqueue::{Map, Watch};
use super::run::Run;
use crate::queue::{QueueOptions, RateLimiter, WorkQueue, default_rate_limiter};

/// A controller: sources that name keys, and one function that is called for each key until the
/// world is as it should be.
///
/// - One key is reconciled by one worker at a time; events that come meanwhile lead to one more
///   turn afterwards.
/// - An error or a panic leads to another try, after a delay that grows with each failure of that
///   key; a [`terminal`](crate::terminal) error does not.
/// - Objects of the initial list and updates that changed nothing yield to everything else.
/// - It stops at once when asked to, in every state: while the sources have not synced yet it
///   returns, and later it lets the reconciles that are under way finish.
///
/// Go counterparts: controller-runtime's `builder.Builder` and `controller.Controller`.
///
/// # Example: a controller from start to stop
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pintle_apimachinery::Error> {
/// use pintle_apimachinery::{GroupVersionKind, ObjectKey, PartialObjectMetadata};
/// use pintle_controller::{Action, Controller, ManualSource};
///
/// // In a program this is an informer: `informers.of::<Foo>()`.
/// const FOO: GroupVersionKind =
///     GroupVersionKind::from_static("samplecontroller.k8s.io", "v1alpha1", "Foo");
/// let foos = ManualSource::namespaced(FOO);
/// foos.synced();
///
/// let (seen, mut keys) = tokio::sync::mpsc::unbounded_channel();
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let controller = Controller::new("sample")
///     .watches(&foos)
///     .workers(2)
///     .run(move |key: ObjectKey| {
///         let seen = seen.clone();
///         async move {
///             seen.send(key)?; // any error is retried
///             Ok(Action::done())
///         }
///     })
///     .until(async { stopped.await.unwrap_or_default() }); // in a program: shutdown_signal()
///
/// let program = async {
///     let mut foo = PartialObjectMetadata::default();
///     foo.metadata.namespace = "default".into();
///     foo.metadata.name = "one".into();
///     tokio::task::yield_now().await; // the controller has subscribed
///     foos.added(&foo);
///     assert_eq!(keys.recv().await, Some(ObjectKey::new("default", "one")));
///     stop.send(()).expect("the controller waits for it");
/// };
/// let (result, ()) = tokio::join!(controller, program);
/// result
/// # }
/// ```
#[must_use = "a controller does nothing until it is run"]
pub struct Controller {
    pub(super) name: String,
    pub(super) workers: usize,
    pub(super) watches: Vec<Watch>,
    pub(super) rate_limiter: Box<dyn RateLimiter<ObjectKey>>,
    pub(super) metrics: Option<Arc<dyn MetricsProvider>>,
    pub(super) reconcile_timeout: Option<Duration>,
    pub(super) sync_timeout: Option<Duration>,
    pub(super) grace: Duration,
}

impl Controller {
    /// A controller that watches nothing yet, with one worker. The name is shown in logs and
    /// metrics.
    pub fn new(name: impl Into<String>) -> Self {
        Controller {
            name: name.into(),
            workers: 1,
            watches: Vec::new(),
            rate_limiter: default_rate_limiter(),
            metrics: None,
            reconcile_timeout: None,
            sync_timeout: None,
            grace: Duration::from_secs(30),
        }
    }

    /// Reconciles each object of the source under its own key. The kind of the first source added
    /// this way is the controller's own kind, which [`Controller::owns`] looks for.
    ///
    /// Go counterpart: `For`, and `Watches` with `EnqueueRequestForObject`.
    pub fn watches<S: Source + Clone + 'static>(self, source: &S) -> Self {
        self.watch(source, Map::Itself)
    }

    /// Reconciles the controlling owner of each object of the source, if it is of the controller's
    /// own kind. When an object changes hands, both owners are reconciled.
    ///
    /// Go counterpart: `Owns`.
    pub fn owns<S: Source + Clone + 'static>(self, source: &S) -> Self {
        self.watch(source, Map::Owner)
    }

    /// Reconciles the keys that `map` names for each object of the source; for an update, those of
    /// the old and of the new state. `map` must be quick and must not block.
    ///
    /// Go counterpart: `Watches` with `EnqueueRequestsFromMapFunc`.
    ///
    /// # Example: a ConfigMap all Foos of its namespace depend on
    /// ```
    /// # use pintle_apimachinery::{GroupVersionKind, Object, ObjectKey};
    /// # use pintle_controller::{Controller, ManualSource};
    /// # let foos = ManualSource::namespaced(GroupVersionKind::from_static("g", "v1", "Foo"));
    /// # let maps = ManualSource::namespaced(GroupVersionKind::from_static("", "v1", "ConfigMap"));
    /// let controller = Controller::new("sample").watches(&foos).maps(&maps, |config: &dyn Object| {
    ///     vec![ObjectKey::new(config.namespace(), "main")]
    /// });
    /// # let _ = controller;
    /// ```
    pub fn maps<S, M>(self, source: &S, map: M) -> Self
    where
        S: Source + Clone + 'static,
        M: Fn(&dyn Object) -> Vec<ObjectKey> + Send + Sync + 'static,
    {
        self.watch(source, Map::Keys(Arc::new(map)))
    }

    fn watch<S: Source + Clone + 'static>(mut self, source: &S, map: Map) -> Self {
        self.watches.push(Watch { source: Box::new(source.clone()), map });
        self
    }

    /// How many keys are reconciled at the same time; 1 unless said otherwise.
    pub fn workers(self, workers: usize) -> Self {
        Controller { workers, ..self }
    }

    /// How long failed keys wait; [`default_rate_limiter`] unless said otherwise.
    pub fn rate_limiter(self, limiter: impl RateLimiter<ObjectKey> + 'static) -> Self {
        Controller { rate_limiter: Box::new(limiter), ..self }
    }

    /// Counts reconciles and the queue under controller-runtime's and client-go's names, such as
    /// `controller_runtime_reconcile_total` and `workqueue_depth`.
    pub fn metrics(self, provider: Arc<dyn MetricsProvider>) -> Self {
        Controller { metrics: Some(provider), ..self }
    }

    /// Gives a reconcile up, as failed, when it takes longer than this. No limit unless said
    /// otherwise. The reconcile is dropped at the point where it waits; one that never waits is
    /// not stopped.
    pub fn reconcile_timeout(self, limit: Duration) -> Self {
        Controller { reconcile_timeout: Some(limit), ..self }
    }

    /// Fails when the sources have not synced after this long. No limit unless said otherwise: the
    /// controller waits until it is asked to stop, and logs what it waits for.
    ///
    /// Go counterpart: `CacheSyncTimeout`.
    pub fn sync_timeout(self, limit: Duration) -> Self {
        Controller { sync_timeout: Some(limit), ..self }
    }

    /// How long reconciles that are under way may take to finish after the controller was asked to
    /// stop; 30 s unless said otherwise.
    ///
    /// Go counterpart: the manager's `GracefulShutdownTimeout`.
    pub fn grace(self, grace: Duration) -> Self {
        Controller { grace, ..self }
    }

    /// Sets the function that reconciles a key. It reads what should be and what is, and brings the
    /// one nearer to the other. The object may be gone: then there is nothing to do, or something
    /// to clean up.
    ///
    /// `?` works on every error type inside. What the function needs is taken along by
    /// [`run_with`](Self::run_with) without a clone for each call.
    pub fn run<F, Fut>(self, reconcile: F) -> Run<F>
    where
        F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
    {
        Run { controller: self, reconcile }
    }

    /// As [`run`](Self::run), with what the function needs: listers, clients, recorders, or one
    /// `Arc` of the program's own. Each call gets a clone.
    ///
    /// # Example: a lister and a limit
    /// ```
    /// # use pintle_apimachinery::{GroupVersionKind, ObjectKey};
    /// # use pintle_controller::{Action, Controller, ManualSource};
    /// # let foos = ManualSource::namespaced(GroupVersionKind::from_static("g", "v1", "Foo"));
    /// # let lister = std::sync::Arc::new(std::collections::BTreeMap::<ObjectKey, usize>::new());
    /// let controller = Controller::new("sample").watches(&foos).run_with(
    ///     (lister, 10),
    ///     |(foos, limit), key| async move {
    ///         let Some(foo) = foos.get(&key) else { return Ok(Action::done()) };
    ///         if *foo > limit {
    ///             return Err(format!("{key}: more than {limit}").into());
    ///         }
    ///         Ok(Action::done())
    ///     },
    /// );
    /// # let _ = controller;
    /// ```
    pub fn run_with<S, F, Fut>(
        self,
        state: S,
        reconcile: F,
    ) -> Run<impl Fn(ObjectKey) -> Fut + Send + Sync + 'static>
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, ObjectKey) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
    {
        self.run(move |key| reconcile(state.clone(), key))
    }

    /// What makes no sense is said before anything starts.
    pub(super) fn check(&self) -> Result<(), Error> {
        let fail = |what: &str| Err(Error::invalid(format!("controller {:?} {what}", self.name)));
        if self.workers == 0 {
            return fail("has 0 workers; give it at least 1");
        }
        if self.watches.is_empty() {
            return fail("watches nothing; add a source with .watches(&source)");
        }
        let owns = self.watches.iter().any(|w| matches!(w.map, Map::Owner));
        if owns && !self.watches.iter().any(|w| matches!(w.map, Map::Itself)) {
            return fail(
                "owns objects but has no kind of its own; add its source with .watches(&source)",
            );
        }
        Ok(())
    }

    pub(super) fn queue(&mut self) -> WorkQueue<ObjectKey> {
        let limiter = std::mem::replace(&mut self.rate_limiter, default_rate_limiter());
        let options = QueueOptions {
            name: self.name.clone(),
            rate_limiter: limiter,
            metrics: self.metrics.clone(),
        };
        WorkQueue::with_options(options)
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.watches.iter().map(|w| w.source.kind().to_string()).collect();
        f.debug_struct("Controller")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .field("watches", &kinds)
            .finish_non_exhaustive()
    }
}
