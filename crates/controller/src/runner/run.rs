//! A controller's life: subscribe, wait for the first lists, work, stop. Go counterpart: `Start` of
//! controller-runtime's `pkg/internal/controller`.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use pintle_apimachinery::{Error, GroupVersionKind, ObjectKey};
use pintle_client_traits::{Source, Subscription};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::action::{Action, BoxError};
use super::builder::Controller;
use super::enqueue::{Map, OwnerKind, Watch, handler};
use super::metrics::ControllerMetrics;
use super::worker::Work;
use crate::queue::WorkQueue;

/// How often the gauges of work in progress are set, as in client-go.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// How often it is logged that a source has not synced.
const REMIND_EVERY: Duration = Duration::from_secs(10);

/// A controller with the function it runs; see [`Run::until`].
#[must_use = "a controller does nothing until `.until(shutdown)` is awaited"]
pub struct Run<F> {
    pub(super) controller: Controller,
    pub(super) reconcile: F,
}

impl<F> fmt::Debug for Run<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Run").field(&self.controller).finish()
    }
}

/// A source that feeds the queue. It is kept: an informer stops when nobody holds it.
struct Feed {
    kind: GroupVersionKind,
    source: Box<dyn Source>,
    subscription: Box<dyn Subscription>,
}

impl<F, Fut> Run<F>
where
    F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
{
    /// Runs the controller until `shutdown` completes: subscribes to its sources, starts those that
    /// have not been started, waits until they have synced, and then reconciles.
    ///
    /// When `shutdown` completes, sources are left, workers take no further key, and reconciles
    /// that are under way have [`Controller::grace`] to finish. Before the sources have synced it
    /// returns at once, even if the server was never reached. Keys that are still queued then are
    /// dropped: the next start lists everything again.
    ///
    /// # Errors
    /// The controller makes no sense (no source, no worker), a source has been stopped, sources did
    /// not sync in [`Controller::sync_timeout`], or reconciles did not finish in time and were
    /// dropped.
    ///
    /// # Cancel safety
    /// Dropping the future stops the controller without grace: reconciles are dropped where they
    /// wait.
    pub async fn until(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let Run { mut controller, reconcile } = self;
        controller.check()?;
        let mut shutdown = pin!(shutdown);
        let queue = controller.queue();
        // However this ends, nothing is queued any longer.
        let _closer = Closer(queue.clone());
        let feeds = subscribe(&mut controller, &queue)?;
        tokio::select! {
            biased;
            () = &mut shutdown => {
                tracing::info!(controller = controller.name, "stopped before its sources synced");
                return Ok(());
            }
            synced = all_synced(&controller, &feeds) => synced?,
        }
        tracing::info!(controller = controller.name, workers = controller.workers, "started");

        let work = Arc::new(Work {
            metrics: ControllerMetrics::new(
                controller.metrics.as_deref(),
                &controller.name,
                controller.workers,
            ),
            name: controller.name,
            queue,
            reconcile,
            timeout: controller.reconcile_timeout,
            next_id: AtomicU64::new(1),
        });
        let (stop, stopping) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..controller.workers {
            start(&mut workers, &work, &stopping);
        }
        supervise(shutdown, &mut workers, &work, &stopping).await;

        tracing::info!(controller = work.name, "stopping");
        drop(feeds);
        work.queue.shut_down();
        stop.send_replace(true);
        let all = async { while workers.join_next().await.is_some() {} };
        if timeout(controller.grace, all).await.is_err() {
            let late = workers.len();
            return Err(Error::timeout(format!(
                "controller {:?}: {late} of {} workers did not finish within {:?} of shutdown; \
                 their reconciles were dropped",
                work.name, controller.workers, controller.grace,
            )));
        }
        tracing::info!(controller = work.name, "stopped");
        Ok(())
    }
}

fn subscribe(
    controller: &mut Controller,
    queue: &WorkQueue<ObjectKey>,
) -> Result<Vec<Feed>, Error> {
    let watches = std::mem::take(&mut controller.watches);
    let own = watches.iter().find(|watch| matches!(watch.map, Map::Itself));
    let own = own.map(|Watch { source, .. }| OwnerKind {
        kind: source.kind(),
        namespaced: source.is_namespaced(),
    });
    let mut feeds = Vec::with_capacity(watches.len());
    for Watch { source, map } in watches {
        let kind = source.kind();
        let handler = handler(map, own.clone(), queue.clone(), controller.name.clone());
        let subscription = source.subscribe(handler).map_err(|error| {
            error.context(format_args!("controller {:?}: watching {kind}", controller.name))
        })?;
        feeds.push(Feed { kind, source, subscription });
    }
    for feed in &feeds {
        feed.source.start();
    }
    Ok(feeds)
}

/// Waits for every source, and says from time to time for which.
async fn all_synced(controller: &Controller, feeds: &[Feed]) -> Result<(), Error> {
    let waiting = || -> String {
        let late = feeds.iter().filter(|feed| !feed.subscription.is_synced());
        late.map(|feed| format!("[{}]", feed.kind)).collect::<Vec<_>>().join(" ")
    };
    let mut synced = pin!(join_all(feeds.iter().map(|feed| feed.subscription.synced())));
    let mut limit = pin!(async {
        match controller.sync_timeout {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    });
    let mut reminder = interval_at(Instant::now() + REMIND_EVERY, REMIND_EVERY);
    loop {
        tokio::select! {
            biased;
            _ = &mut synced => return Ok(()),
            () = &mut limit => {
                return Err(Error::timeout(format!(
                    "controller {:?}: not synced after {:?}: {}; is the server reachable, and may \
                     this program list and watch them?",
                    controller.name,
                    controller.sync_timeout.unwrap_or_default(),
                    waiting(),
                )));
            }
            _ = reminder.tick() => {
                tracing::warn!(
                    controller = controller.name,
                    sources = waiting(),
                    "still waiting for the first list"
                );
            }
        }
    }
}

/// Until shutdown: replaces a worker that died, and sets the gauges of work in progress.
async fn supervise<F, Fut>(
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
    workers: &mut JoinSet<()>,
    work: &Arc<Work<F>>,
    stopping: &watch::Receiver<bool>,
) where
    F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
{
    let mut report = interval_at(Instant::now() + REPORT_EVERY, REPORT_EVERY);
    report.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            _ = report.tick(), if work.metrics.is_on() => work.queue.report_unfinished_work(),
            Some(ended) = workers.join_next() => {
                // A reconcile's panic is contained; this is a metrics provider's or a logger's.
                if let Err(error) = ended {
                    tracing::error!(
                        controller = work.name,
                        error = %error,
                        "a worker died and is replaced"
                    );
                }
                start(workers, work, stopping);
            }
        }
    }
}

fn start<F, Fut>(workers: &mut JoinSet<()>, work: &Arc<Work<F>>, stopping: &watch::Receiver<bool>)
where
    F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
{
    let (work, stopping) = (Arc::clone(work), stopping.clone());
    workers.spawn(async move { work.run(stopping).await }.boxed());
}

/// Shuts the queue down when the controller's future ends or is dropped.
struct Closer(WorkQueue<ObjectKey>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}
