//! The work queue's instruments. Go counterpart: `util/workqueue/metrics.go`, under the names and
//! labels of controller-runtime's `pkg/metrics/workqueue.go`.

use std::sync::Arc;
use std::time::Duration;

use pintle_client_traits::{Counter, Gauge, Histogram, MetricDesc, MetricsProvider};

/// Twelve powers of ten, from 10 ns up.
const BUCKETS: &[f64] = &[1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0];

static DEPTH: MetricDesc = MetricDesc::new("workqueue_depth", "Keys that wait for a worker");
static ADDS: MetricDesc = MetricDesc::new("workqueue_adds_total", "Keys queued, duplicates apart");
static QUEUE_DURATION: MetricDesc = MetricDesc::histogram(
    "workqueue_queue_duration_seconds",
    "Seconds a key waited before a worker took it",
    BUCKETS,
);
static WORK_DURATION: MetricDesc = MetricDesc::histogram(
    "workqueue_work_duration_seconds",
    "Seconds a worker held a key",
    BUCKETS,
);
static UNFINISHED: MetricDesc = MetricDesc::new(
    "workqueue_unfinished_work_seconds",
    "Seconds that workers have held the keys they hold now; grows steadily if one is stuck",
);
static LONGEST: MetricDesc = MetricDesc::new(
    "workqueue_longest_running_processor_seconds",
    "Seconds the slowest worker has held its key",
);
static RETRIES: MetricDesc =
    MetricDesc::new("workqueue_retries_total", "Delayed and rate-limited adds");

/// The instruments of one queue.
#[derive(Debug)]
pub(super) struct QueueMetrics {
    depth: Arc<dyn Gauge>,
    adds: Arc<dyn Counter>,
    queue_duration: Arc<dyn Histogram>,
    work_duration: Arc<dyn Histogram>,
    unfinished: Arc<dyn Gauge>,
    longest: Arc<dyn Gauge>,
    retries: Arc<dyn Counter>,
}

impl QueueMetrics {
    pub(super) fn new(provider: &dyn MetricsProvider, name: &str) -> Self {
        let labels = &[("name", name), ("controller", name)];
        QueueMetrics {
            depth: provider.gauge(&DEPTH, labels),
            adds: provider.counter(&ADDS, labels),
            queue_duration: provider.histogram(&QUEUE_DURATION, labels),
            work_duration: provider.histogram(&WORK_DURATION, labels),
            unfinished: provider.gauge(&UNFINISHED, labels),
            longest: provider.gauge(&LONGEST, labels),
            retries: provider.counter(&RETRIES, labels),
        }
    }

    pub(super) fn added(&self) {
        self.adds.add(1);
        self.depth.add(1.0);
    }

    pub(super) fn taken(&self, waited: Option<Duration>) {
        self.depth.add(-1.0);
        if let Some(waited) = waited {
            self.queue_duration.observe(waited.as_secs_f64());
        }
    }

    pub(super) fn worked(&self, took: Duration) {
        self.work_duration.observe(took.as_secs_f64());
    }

    pub(super) fn unfinished(&self, total: Duration, longest: Duration) {
        self.unfinished.set(total.as_secs_f64());
        self.longest.set(longest.as_secs_f64());
    }

    pub(super) fn retried(&self) {
        self.retries.add(1);
    }
}
