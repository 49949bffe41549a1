//! How long things took that the store takes down itself, as numbers for Prometheus.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use tenure::Durations;

/// What they are called, in the order in which they are set, and what each is.
pub const TIMES: [(&str, &str); 3] = [
    ("lock_wait", "How long this process waited for the journal's lock, each time that it took it"),
    ("fsync", "How long a sync of this process took"),
    (
        "commit",
        "From a request's arrival at the store until its answer could be given; a claim's wait for tasks left out",
    ),
];

/// How long things took that the store takes down itself.
#[derive(Clone, Debug, Default)]
pub struct Times(Arc<Mutex<Durations>>);

impl Times {
    /// What is told from now on.
    pub fn set(&self, read: Durations) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }
}

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let read = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The last bound is that of all beyond, as the format has it.
        let bound = |bound: Option<Duration>| bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64());
        let ranges: Vec<(f64, u64)> = read.ranges().map(|(most, count)| (bound(most), count)).collect();
        encoder.encode_histogram::<NoLabelSet>(read.total().as_secs_f64(), read.count(), &ranges, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
