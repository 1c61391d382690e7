//! A metrics provider that renders the Prometheus text format. Go counterpart: the
//! `prometheus.Registry` behind controller-runtime's `metrics.Registry`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics::{Counter, Gauge, Histogram, Labels, MetricDesc, MetricsProvider};

/// Keeps every instrument and renders them as Prometheus text (version 0.0.4).
///
/// It does not listen: serve [`Registry::render`] from whatever HTTP server the program has.
/// Clones share the instruments.
///
/// # Example: count and render
/// ```
/// use pintle_client_traits::{MetricDesc, MetricsProvider, Registry};
///
/// static ADDS: MetricDesc = MetricDesc::new("workqueue_adds_total", "Keys added to the queue");
///
/// let registry = Registry::new();
/// registry.counter(&ADDS, &[("name", "sample")]).add(2);
/// assert_eq!(registry.value("workqueue_adds_total", &[("name", "sample")]), Some(2.0));
/// assert!(registry.render().contains("workqueue_adds_total{name=\"sample\"} 2\n"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    /// Rendered labels without braces -> instrument.
    series: BTreeMap<String, Series>,
}

#[derive(Clone, Debug)]
enum Series {
    Counter(Arc<CounterCell>),
    Gauge(Arc<GaugeCell>),
    Histogram(Arc<HistogramCell>),
}

#[derive(Debug, Default)]
struct CounterCell(AtomicU64);

/// Bits of an `f64`.
#[derive(Debug, Default)]
struct GaugeCell(AtomicU64);

#[derive(Debug)]
struct HistogramCell {
    bounds: &'static [f64],
    /// One for each bound and one for what lies above, not cumulative.
    counts: Vec<AtomicU64>,
    sum: GaugeCell,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything counted so far, in the Prometheus text format, in the order of names and labels.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for (name, family) in self.lock().iter() {
            let kind = match family.series.values().next() {
                Some(Series::Counter(_)) => "counter",
                Some(Series::Gauge(_)) => "gauge",
                Some(Series::Histogram(_)) => "histogram",
                None => continue,
            };
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, series) in &family.series {
                series.render(&mut out, name, labels);
            }
        }
        out
    }

    /// The value of one series: a counter's or gauge's, or the number of values a histogram has
    /// observed. `None` if there is no such series.
    pub fn value(&self, name: &str, labels: Labels<'_>) -> Option<f64> {
        let families = self.lock();
        Some(match families.get(name)?.series.get(&render_labels(labels))? {
            Series::Counter(cell) => cell.0.load(Relaxed) as f64,
            Series::Gauge(cell) => cell.get(),
            Series::Histogram(cell) => cell.count() as f64,
        })
    }

    fn series(
        &self,
        desc: &'static MetricDesc,
        labels: Labels<'_>,
        new: impl FnOnce() -> Series,
    ) -> Series {
        let mut families = self.lock();
        let family = families
            .entry(desc.name)
            .or_insert_with(|| Family { help: desc.help, series: BTreeMap::new() });
        family.series.entry(render_labels(labels)).or_insert_with(new).clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asking for a name under another kind than before gives an instrument that nobody sees: the
/// first kind stays, because one name must not be rendered as two kinds.
impl MetricsProvider for Registry {
    fn counter(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Counter> {
        match self.series(desc, labels, || Series::Counter(Arc::default())) {
            Series::Counter(cell) => cell,
            _ => Arc::new(CounterCell::default()),
        }
    }

    fn gauge(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Gauge> {
        match self.series(desc, labels, || Series::Gauge(Arc::default())) {
            Series::Gauge(cell) => cell,
            _ => Arc::new(GaugeCell::default()),
        }
    }

    fn histogram(&self, desc: &'static MetricDesc, labels: Labels<'_>) -> Arc<dyn Histogram> {
        let new = || Arc::new(HistogramCell::new(desc.buckets));
        match self.series(desc, labels, || Series::Histogram(new())) {
            Series::Histogram(cell) => cell,
            _ => new(),
        }
    }
}

impl Counter for CounterCell {
    fn add(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }
}

impl GaugeCell {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

impl Gauge for GaugeCell {
    fn add(&self, by: f64) {
        let _ = self
            .0
            .fetch_update(Relaxed, Relaxed, |bits| Some((f64::from_bits(bits) + by).to_bits()));
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }
}

impl HistogramCell {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        HistogramCell { bounds, counts, sum: GaugeCell::default() }
    }

    fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }
}

impl Histogram for HistogramCell {
    fn observe(&self, value: f64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at].fetch_add(1, Relaxed);
        Gauge::add(&self.sum, value);
    }
}

impl Series {
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        // Writing to a String cannot fail.
        let _ = match self {
            Series::Counter(cell) => {
                writeln!(out, "{name}{} {}", braced(labels, ""), cell.0.load(Relaxed))
            }
            Series::Gauge(cell) => writeln!(out, "{name}{} {}", braced(labels, ""), cell.get()),
            Series::Histogram(cell) => {
                let mut below = 0;
                for (i, count) in cell.counts.iter().enumerate() {
                    below += count.load(Relaxed);
                    let bound = match cell.bounds.get(i) {
                        Some(bound) => format!("le=\"{bound}\""),
                        None => "le=\"+Inf\"".to_owned(),
                    };
                    let _ = writeln!(out, "{name}_bucket{} {below}", braced(labels, &bound));
                }
                let labels = braced(labels, "");
                let sum = cell.sum.get();
                writeln!(out, "{name}_sum{labels} {sum}\n{name}_count{labels} {below}")
            }
        };
    }
}

fn braced(labels: &str, more: &str) -> String {
    match (labels, more) {
        ("", "") => String::new(),
        (one, "") | ("", one) => format!("{{{one}}}"),
        (labels, more) => format!("{{{labels},{more}}}"),
    }
}

fn render_labels(labels: Labels<'_>) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        if !out.is_empty() {
            out.push(',');
        }
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{name}=\"{value}\"");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    static DEPTH: MetricDesc = MetricDesc::new("depth", "Depth\nof \\ it");
    static TIME: MetricDesc = MetricDesc::histogram("time_seconds", "Time", &[0.5, 2.0]);

    #[test]
    fn renders_the_text_format() {
        let registry = Registry::new();
        let depth = registry.gauge(&DEPTH, &[("name", "a\"b\\c\nd")]);
        depth.add(3.0);
        depth.add(-1.5);
        let time = registry.histogram(&TIME, &[("name", "x"), ("controller", "y")]);
        for value in [0.5, 0.6, 7.0] {
            time.observe(value);
        }
        registry.histogram(&TIME, &[]).observe(0.25);
        assert_eq!(
            registry.render(),
            "# HELP depth Depth\\nof \\\\ it\n\
             # TYPE depth gauge\n\
             depth{name=\"a\\\"b\\\\c\\nd\"} 1.5\n\
             # HELP time_seconds Time\n\
             # TYPE time_seconds histogram\n\
             time_seconds_bucket{le=\"0.5\"} 1\n\
             time_seconds_bucket{le=\"2\"} 1\n\
             time_seconds_bucket{le=\"+Inf\"} 1\n\
             time_seconds_sum 0.25\n\
             time_seconds_count 1\n\
             time_seconds_bucket{name=\"x\",controller=\"y\",le=\"0.5\"} 1\n\
             time_seconds_bucket{name=\"x\",controller=\"y\",le=\"2\"} 2\n\
             time_seconds_bucket{name=\"x\",controller=\"y\",le=\"+Inf\"} 3\n\
             time_seconds_sum{name=\"x\",controller=\"y\"} 8.1\n\
             time_seconds_count{name=\"x\",controller=\"y\"} 3\n"
        );
    }

    #[test]
    fn same_labels_count_into_the_same_place_and_kinds_do_not_mix() {
        let registry = Registry::new();
        registry.counter(&DEPTH, &[("a", "1")]).add(1);
        registry.clone().counter(&DEPTH, &[("a", "1")]).add(1);
        registry.gauge(&DEPTH, &[("a", "1")]).set(40.0);
        assert_eq!(registry.value("depth", &[("a", "1")]), Some(2.0));
        assert_eq!(registry.value("depth", &[("a", "2")]), None);
        assert_eq!(registry.value("other", &[]), None);
    }
}
