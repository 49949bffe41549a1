//! Requests as numbers for Prometheus: how many, how they ended, how long they took.

use std::{
    ptr,
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

use crate::route::Route;

type Labels = Vec<(&'static str, String)>;

/// Where requests of one route that ended with one status are counted.
struct Known {
    route: Option<&'static Route>,
    status: u16,
    count: Counter,
    time: Histogram,
}

/// What is counted of requests.
pub struct Requests {
    answered: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    lost: Counter,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    /// The same counters as in `answered` and `seconds`, found without making up labels: few are ever in use.
    known: RwLock<Vec<Known>>,
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
    pub fn answered(&self, route: Option<&'static Route>, status: u16, took: Duration) {
        let took = took.as_secs_f64();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &&Known| known.status == status && is_same(known.route, route);
        if let Some(Known { count, time, .. }) = known.iter().find(is_it) {
            count.inc();
            time.observe(took);
            return;
        }
        drop(known);
        let path = route.map_or("none", |route| route.path).to_owned();
        // A method that nothing here takes is not worth a number of its own.
        let method = route.map_or("any", |route| route.method.as_str()).to_owned();
        let time = self.seconds.get_or_create_owned(&vec![("path", path.clone())]);
        let labels = vec![("path", path), ("method", method), ("status", status.to_string())];
        let count = self.answered.get_or_create_owned(&labels);
        count.inc();
        time.observe(took);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.push(Known { route, status, count, time });
    }

    /// Notes one that was refused.
    pub fn refused(&self, code: &str) {
        self.refused.get_or_create(&vec![("code", code.to_owned())]).inc();
        if code == "lease_lost" {
            self.lost.inc();
        }
    }
}

fn is_same(one: Option<&'static Route>, other: Option<&'static Route>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => ptr::eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
