//! One worker: takes a key, reconciles it, decides what becomes of it. Go counterpart:
//! `processNextWorkItem` and `reconcileHandler` of controller-runtime's `pkg/internal/controller`.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use pintle_apimachinery::ObjectKey;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument;

use super::action::{Action, BoxError, Next, is_terminal, one_line};
use super::metrics::{ControllerMetrics, Outcome};
use crate::queue::{AddOptions, Item, WorkQueue};

/// What the workers of one controller share.
pub(super) struct Work<F> {
    pub(super) name: String,
    pub(super) queue: WorkQueue<ObjectKey>,
    pub(super) reconcile: F,
    pub(super) timeout: Option<Duration>,
    pub(super) metrics: ControllerMetrics,
    pub(super) next_id: AtomicU64,
}

/// How a reconcile went.
enum Ended {
    Answered(Result<Action, BoxError>),
    TooLong(Duration),
    Panicked(Box<dyn Any + Send>),
}

impl<F, Fut> Work<F>
where
    F: Fn(ObjectKey) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Action, BoxError>> + Send + 'static,
{
    /// Works until it is told to stop. A reconcile that is under way then is finished; keys that
    /// are still queued stay there.
    pub(super) async fn run(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let item = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                item = self.queue.get() => item,
            };
            let Some(item) = item else { return };
            let span = tracing::info_span!(
                "reconcile",
                controller = self.name,
                namespace = item.namespace.as_str(),
                name = item.name.as_str(),
                reconcile_id = self.next_id.fetch_add(1, Ordering::Relaxed),
            );
            self.turn(item).instrument(span).await;
        }
    }

    /// One turn of one key. Dropping the item at the end gives the key free, so whatever adds it
    /// again comes before.
    async fn turn(&self, item: Item<'_, ObjectKey>) {
        let _active = self.metrics.active();
        let start = Instant::now();
        tracing::trace!("reconciling");
        let outcome = match self.reconcile(item.key().clone()).await {
            Ended::Answered(Ok(action)) => self.follow(&item, action),
            Ended::Answered(Err(error)) => self.failed(&item, &error),
            Ended::TooLong(limit) => {
                self.metrics.timed_out();
                tracing::error!(?limit, "reconcile took too long and was given up; will retry");
                self.retry(&item);
                Outcome::Error
            }
            Ended::Panicked(panic) => {
                self.metrics.panicked();
                let panic = panic_message(&*panic);
                tracing::error!(panic, "reconcile panicked; will retry");
                self.retry(&item);
                Outcome::Error
            }
        };
        self.metrics.ended(outcome, start.elapsed());
    }

    async fn reconcile(&self, key: ObjectKey) -> Ended {
        let work = async {
            match self.timeout {
                None => Ended::Answered((self.reconcile)(key).await),
                Some(limit) => match tokio::time::timeout(limit, (self.reconcile)(key)).await {
                    Ok(answer) => Ended::Answered(answer),
                    Err(_) => Ended::TooLong(limit),
                },
            }
        };
        // The closure is shared with other workers; what a panic left half done inside it is the
        // user's to guard, as with any shared state.
        AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(Ended::Panicked)
    }

    fn follow(&self, item: &Item<'_, ObjectKey>, action: Action) -> Outcome {
        match action.0 {
            Next::Done => {
                self.queue.forget(item);
                tracing::debug!("reconciled");
                Outcome::Success
            }
            Next::Requeue => {
                tracing::debug!("reconciled; again with back-off");
                self.retry(item);
                Outcome::Requeue
            }
            Next::After(delay) => {
                tracing::debug!(?delay, "reconciled; again after a delay");
                self.queue.forget(item);
                let how = AddOptions::priority(item.priority()).after(delay);
                self.queue.add_with(item.key().clone(), how);
                Outcome::RequeueAfter
            }
        }
    }

    fn failed(&self, item: &Item<'_, ObjectKey>, error: &BoxError) -> Outcome {
        let shown = one_line(&**error);
        if is_terminal(&**error) {
            self.metrics.terminal();
            self.queue.forget(item);
            tracing::error!(error = shown, "reconcile failed; will not retry");
        } else {
            let failures = self.queue.num_requeues(item) + 1;
            tracing::error!(error = shown, failures, "reconcile failed; will retry");
            self.retry(item);
        }
        Outcome::Error
    }

    /// Again at the same priority, after the limiter's delay.
    fn retry(&self, item: &Item<'_, ObjectKey>) {
        let how = AddOptions::priority(item.priority()).rate_limited();
        self.queue.add_with(item.key().clone(), how);
    }
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}
