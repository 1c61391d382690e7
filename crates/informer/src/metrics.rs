//! What an informer counts, under client-go's names. Go: `cache.InformerMetricsProvider`.

use pintle_apimachinery::GroupVersionResource;
use pintle_client_traits::{Gauge, Histogram, MetricDesc, MetricsProvider};
use std::sync::Arc;
use std::time::Duration;

static QUEUED: MetricDesc =
    MetricDesc::new("informer_queued_items", "Events seen and not yet in the store");
static LATENCY: MetricDesc = MetricDesc::histogram(
    "informer_processing_latency_seconds",
    "Time to store a batch of events and to hand it to the handlers",
    &[0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0, 10.0],
);
static VERSION: MetricDesc = MetricDesc::new(
    "informer_store_resource_version",
    "Resource version that the store has reached",
);

/// The instruments of one informer, or none.
#[derive(Debug, Default)]
pub(crate) struct Instruments(Option<Set>);

#[derive(Debug)]
struct Set {
    queued: Arc<dyn Gauge>,
    latency: Arc<dyn Histogram>,
    version: Arc<dyn Gauge>,
}

impl Instruments {
    pub(crate) fn new(
        provider: &dyn MetricsProvider,
        name: &str,
        resource: &GroupVersionResource,
    ) -> Self {
        let labels = [
            ("name", name),
            ("group", &*resource.group),
            ("version", &*resource.version),
            ("resource", &*resource.resource),
        ];
        Instruments(Some(Set {
            queued: provider.gauge(&QUEUED, &labels),
            latency: provider.histogram(&LATENCY, &labels),
            version: provider.gauge(&VERSION, &labels),
        }))
    }

    pub(crate) fn queued(&self, events: usize) {
        if let Instruments(Some(set)) = self {
            set.queued.set(events as f64);
        }
    }

    pub(crate) fn processed(&self, time: impl FnOnce() -> Duration) {
        if let Instruments(Some(set)) = self {
            set.latency.observe(time().as_secs_f64());
        }
    }

    /// Versions that are no numbers are not shown.
    pub(crate) fn reached(&self, resource_version: &str) {
        if let Instruments(Some(set)) = self
            && let Ok(version) = resource_version.parse()
        {
            set.version.set(version);
        }
    }
}
