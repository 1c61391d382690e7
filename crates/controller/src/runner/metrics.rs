//! The runner's instruments. Go counterpart: controller-runtime's
//! `pkg/internal/controller/metrics`.

use std::sync::Arc;
use std::time::Duration;

use pintle_client_traits::{Counter, Gauge, Histogram, MetricDesc, MetricsProvider};

static TOTAL: MetricDesc =
    MetricDesc::new("controller_runtime_reconcile_total", "Reconciles by their result");
static ERRORS: MetricDesc =
    MetricDesc::new("controller_runtime_reconcile_errors_total", "Reconciles that failed");
static TERMINAL_ERRORS: MetricDesc = MetricDesc::new(
    "controller_runtime_terminal_reconcile_errors_total",
    "Reconciles that failed and are not retried",
);
static PANICS: MetricDesc =
    MetricDesc::new("controller_runtime_reconcile_panics_total", "Reconciles that panicked");
static TIMEOUTS: MetricDesc = MetricDesc::new(
    "controller_runtime_reconcile_timeouts_total",
    "Reconciles given up because they took too long",
);
static TIME: MetricDesc = MetricDesc::histogram(
    "controller_runtime_reconcile_time_seconds",
    "Seconds a reconcile took",
    &[
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8,
        0.9, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0,
        15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0,
    ],
);
static MAX_CONCURRENT: MetricDesc =
    MetricDesc::new("controller_runtime_max_concurrent_reconciles", "Workers");
static ACTIVE: MetricDesc =
    MetricDesc::new("controller_runtime_active_workers", "Workers that reconcile a key now");

/// How a reconcile ended, as the `result` label has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Requeue,
    RequeueAfter,
    Error,
}

#[derive(Debug)]
struct Instruments {
    success: Arc<dyn Counter>,
    requeue: Arc<dyn Counter>,
    requeue_after: Arc<dyn Counter>,
    error: Arc<dyn Counter>,
    errors: Arc<dyn Counter>,
    terminal_errors: Arc<dyn Counter>,
    panics: Arc<dyn Counter>,
    timeouts: Arc<dyn Counter>,
    time: Arc<dyn Histogram>,
    active: Arc<dyn Gauge>,
}

/// One controller's instruments, or nothing.
#[derive(Debug, Default)]
pub(super) struct ControllerMetrics(Option<Instruments>);

impl ControllerMetrics {
    /// Every series is there from the start, at zero, so that a rate over it is never missing.
    pub(super) fn new(provider: Option<&dyn MetricsProvider>, name: &str, workers: usize) -> Self {
        let Some(provider) = provider else { return Self::default() };
        let labels = &[("controller", name)];
        let total = |result| provider.counter(&TOTAL, &[("controller", name), ("result", result)]);
        provider.gauge(&MAX_CONCURRENT, labels).set(workers as f64);
        ControllerMetrics(Some(Instruments {
            success: total("success"),
            requeue: total("requeue"),
            requeue_after: total("requeue_after"),
            error: total("error"),
            errors: provider.counter(&ERRORS, labels),
            terminal_errors: provider.counter(&TERMINAL_ERRORS, labels),
            panics: provider.counter(&PANICS, labels),
            timeouts: provider.counter(&TIMEOUTS, labels),
            time: provider.histogram(&TIME, labels),
            active: provider.gauge(&ACTIVE, labels),
        }))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Counts a worker as active until the guard is dropped.
    pub(super) fn active(&self) -> ActiveWorker<'_> {
        let gauge = self.0.as_ref().map(|i| &*i.active);
        if let Some(gauge) = gauge {
            gauge.add(1.0);
        }
        ActiveWorker(gauge)
    }

    pub(super) fn ended(&self, outcome: Outcome, took: Duration) {
        let Some(i) = &self.0 else { return };
        i.time.observe(took.as_secs_f64());
        match outcome {
            Outcome::Success => i.success.add(1),
            Outcome::Requeue => i.requeue.add(1),
            Outcome::RequeueAfter => i.requeue_after.add(1),
            Outcome::Error => {
                i.error.add(1);
                i.errors.add(1);
            }
        }
    }

    pub(super) fn terminal(&self) {
        self.0.iter().for_each(|i| i.terminal_errors.add(1));
    }

    pub(super) fn panicked(&self) {
        self.0.iter().for_each(|i| i.panics.add(1));
    }

    pub(super) fn timed_out(&self) {
        self.0.iter().for_each(|i| i.timeouts.add(1));
    }
}

pub(super) struct ActiveWorker<'a>(Option<&'a dyn Gauge>);

impl Drop for ActiveWorker<'_> {
    fn drop(&mut self) {
        if let Some(gauge) = self.0 {
            gauge.add(-1.0);
        }
    }
}
