//! Requests as numbers for Prometheus: how many, how they ended, how long they took.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

type Labels = Vec<(&'static str, String)>;

/// A path, a method and a status.
type Name = (&'static str, &'static str, u16);

/// What is counted of requests.
pub struct Requests {
    answered: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    lost: Counter,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    /// Where a path, a method and a status are counted, found without making up their labels.
    known: RwLock<HashMap<Name, (Counter, Histogram)>>,
}

fn seconds() -> Histogram {
    // From 0.1 ms to 26 s.
    Histogram::new(exponential_buckets(0.0001, 4.0, 10))
}

impl Requests {
    pub fn new(registry: &mut Registry) -> Self {
        let answered = Family::default();
        registry.register("http_requests", "Requests by path, method and status", answered.clone());
        let refused = Family::default();
        registry.register("refusals", "Requests that were refused, by code", refused.clone());
        let lost = Counter::default();
        registry.register("lost_leases", "Commits that came after another had claimed the task", lost.clone());
        let seconds = Family::new_with_constructor(seconds as fn() -> Histogram);
        let about = "Time from a request's body to its answer";
        registry.register_with_unit("request", about, Unit::Seconds, seconds.clone());
        Self { answered, refused, lost, seconds, known: RwLock::default() }
    }

    /// Notes a request that was answered.
    pub fn answered(&self, path: &'static str, method: &'static str, status: u16, took: Duration) {
        let name = (path, method, status);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, time)) = known.get(&name) {
            count.inc();
            time.observe(took.as_secs_f64());
            return;
        }
        drop(known);
        let labels = vec![("path", path.to_owned()), ("method", method.to_owned()), ("status", status.to_string())];
        let count = self.answered.get_or_create_owned(&labels);
        let time = self.seconds.get_or_create_owned(&vec![("path", path.to_owned())]);
        count.inc();
        time.observe(took.as_secs_f64());
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(name, (count, time));
    }

    /// Notes one that was refused.
    pub fn refused(&self, code: &str) {
        self.refused.get_or_create(&vec![("code", code.to_owned())]).inc();
        if code == "lease_lost" {
            self.lost.inc();
        }
    }
}
