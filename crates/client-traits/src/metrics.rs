//! Metrics behind a small trait. Go counterparts: `util/workqueue.MetricsProvider`,
//! `tools/metrics` and controller-runtime's `metrics.Registry`.
//!
//! A component asks a [`MetricsProvider`] for its instruments once, when it is made, and then only
//! bumps them; no name is looked up on a hot path. [`Registry`](crate::Registry) is the provider
//! that comes with the project; an adapter to another metrics library is three short methods.

use std::fmt::Debug;
use std::sync::Arc;

/// The fixed facts of one metric.
#[derive(Debug)]
#[non_exhaustive]
pub struct MetricDesc {
    /// Prometheus name, for example `workqueue_depth`.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets, ascending, without the infinite one; empty for
    /// counters and gauges. In the metric's unit, seconds for every duration.
    pub buckets: &'static [f64],
}

impl MetricDesc {
    /// A counter or a gauge.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        MetricDesc { name, help, buckets: &[] }
    }

    /// A histogram with these upper bounds.
    pub const fn histogram(
        name: &'static str,
        help: &'static str,
        buckets: &'static [f64],
    ) -> Self {
        MetricDesc { name, help, buckets }
    }
}

/// A value that only grows.
pub trait Counter: Debug + Send + Sync {
    /// Adds `by`.
    fn add(&self, by: u64);
}

/// A value that goes up and down.
pub trait Gauge: Debug + Send + Sync {
    /// Adds `by`, which may be negative.
    fn add(&self, by: f64);
    /// Replaces the value.
    fn set(&self, value: f64);
}

/// A distribution of observed values.
pub trait Histogram: Debug + Send + Sync {
    /// Counts one value.
    fn observe(&self, value: f64);
}

/// Label names and values, in the order in which they are shown.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// Hands out instruments.
///
/// The same description with the same labels gives an instrument that counts into the same place.
/// Instruments are used from many threads and must not block.
pub trait MetricsProvider: Debug + Send + Sync {
    /// A counter.
    fn counter(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Counter>;
    /// A gauge.
    fn gauge(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Gauge>;
    /// A histogram over [`MetricDesc::buckets`].
    fn histogram(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Histogram>;
}
