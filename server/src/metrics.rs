//! Numbers for Prometheus. Those of the store are read when they are asked for; those of requests are kept as they go.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use tenure::{GroupStats, Result, Store};

use crate::{
    access::{On, Scope},
    app::App,
    body::Body,
    call::Call,
    disk,
    requests::Requests,
    route::Answer,
    tally::Tally,
    times::{TIMES, Times},
};

/// Groups that are named; those with fewer tasks are summed up as `other`.
const GROUPS: usize = 200;

type Float = Gauge<f64, AtomicU64>;
type Labels = Vec<(&'static str, String)>;

/// All numbers.
pub struct Metrics {
    pub requests: Requests,
    pub waiting: Gauge,
    backed_up: AtomicI64,
    store: Mutex<OfStore>,
}

/// Those that are read when they are asked for.
struct OfStore {
    registry: Registry,
    tally: Option<Tally>,
    groups: [Family<Labels, Gauge>; 4],
    oldest: Family<Labels, Float>,
    counted: Vec<Counter>,
    gauges: Vec<Gauge>,
    floats: Vec<Float>,
    times: [Times; 3],
}

const OF_GROUPS: [(&str, &str); 4] = [
    ("group_tasks", "Tasks"),
    ("group_waiting", "Tasks that anyone may claim"),
    ("group_held", "Tasks that somebody holds"),
    ("group_delayed", "Tasks whose time is still to come"),
];

const COUNTED: [(&str, &str); 11] = [
    ("commits", "Transactions and claims that were committed, by anyone"),
    ("added", "Tasks that were added"),
    ("claims", "Tasks that were claimed"),
    ("renewals", "Leases that were lengthened"),
    ("failures", "Tasks that were given back as failed"),
    ("finished", "Tasks that were finished"),
    ("ended", "Tasks that ended otherwise: deleted, cancelled, failed, moved, replaced"),
    ("lease_expiries", "Leases that ran out"),
    ("uncounted_entries", "Entries that the journal let go of before they were counted"),
    ("fsync_errors", "Syncs that failed"),
    ("snapshots", "Snapshots that this process took"),
];

const GAUGES: [(&str, &str); 10] = [
    ("tasks", "Live tasks"),
    ("records", "Records"),
    ("groups", "Groups that have tasks"),
    ("revision", "The store's revision"),
    ("journal_bytes", "Bytes of journal"),
    ("snapshot_bytes", "Bytes of snapshots"),
    ("state_bytes", "Bytes of state in memory, about"),
    ("state_bytes_max", "Bytes of state that are allowed"),
    ("replica_lag_entries", "Entries of others that this process had not read yet"),
    ("connections", "Open connections"),
];

const FLOATS: [(&str, &str, Option<Unit>); 4] = [
    ("free", "Free space where the store lies", Some(Unit::Bytes)),
    ("snapshot_age", "Since the newest snapshot was taken", Some(Unit::Seconds)),
    ("backup_age", "Since a backup was taken through this service; -1 before the first", Some(Unit::Seconds)),
    ("up", "How long the service has been running", Some(Unit::Seconds)),
];

impl Metrics {
    pub fn new(store: &Store) -> Result<Self> {
        let mut registry = Registry::with_prefix("tenure");
        let requests = Requests::new(&mut registry);
        let waiting = Gauge::default();
        registry.register("waiting_claims", "Claims that wait for a task", waiting.clone());
        let groups = OF_GROUPS.map(|(name, about)| {
            let family = Family::default();
            registry.register(name, about, family.clone());
            family
        });
        let oldest = Family::default();
        let about = "Since the oldest task waits that anyone may claim";
        registry.register_with_unit("group_oldest_age", about, Unit::Seconds, oldest.clone());
        let counted = COUNTED.map(|(name, about)| {
            let counter = Counter::default();
            registry.register(name, about, counter.clone());
            counter
        });
        let gauges = GAUGES.map(|(name, about)| {
            let gauge = Gauge::default();
            registry.register(name, about, gauge.clone());
            gauge
        });
        let floats = FLOATS.map(|(name, about, unit)| {
            let gauge = Float::default();
            match unit {
                Some(unit) => registry.register_with_unit(name, about, unit, gauge.clone()),
                None => registry.register(name, about, gauge.clone()),
            }
            gauge
        });
        let times = TIMES.map(|(name, about)| {
            let times = Times::default();
            registry.register_with_unit(name, about, Unit::Seconds, times.clone());
            times
        });
        let of_store = OfStore {
            registry,
            tally: Tally::begin(store)?,
            groups,
            oldest,
            counted: counted.into(),
            gauges: gauges.into(),
            floats: floats.into(),
            times,
        };
        Ok(Self { requests, waiting, backed_up: AtomicI64::new(-1), store: Mutex::new(of_store) })
    }

    /// Notes that a backup was taken.
    pub fn backed_up(&self, now: u64) {
        self.backed_up.store(now.cast_signed(), Ordering::Relaxed);
    }

    fn text(&self, store: &Store, connections: usize, up: Duration) -> Result<String> {
        let mut of_store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let backed_up = self.backed_up.load(Ordering::Relaxed);
        of_store.read(store, connections, up, backed_up)?;
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &of_store.registry);
        Ok(text)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is about")]
fn float(number: u64) -> f64 {
    number as f64
}

impl OfStore {
    fn read(&mut self, store: &Store, connections: usize, up: Duration, backed_up: i64) -> Result<()> {
        let known = store.weak().revision()?;
        let mut groups = store.groups()?;
        let now = store.now();
        let stats = store.stats()?;
        self.set_groups(&mut groups, now);
        let counts = match &mut self.tally {
            Some(tally) => tally.count(store, now)?,
            None => crate::tally::Counts::default(),
        };
        let counted = [
            counts.commits,
            counts.added,
            counts.claims,
            counts.renewals,
            counts.failures,
            counts.finished,
            counts.ended_otherwise,
            counts.lapsed,
            counts.missed,
            stats.sync_failures,
            stats.snapshots_taken,
        ];
        for (counter, value) in self.counted.iter().zip(counted) {
            counter.inner().store(value, Ordering::Relaxed);
        }
        let lag = stats.revision.0.saturating_sub(known.0);
        let gauges = [
            stats.tasks,
            stats.records,
            stats.groups,
            stats.revision.0,
            stats.journal.journal_bytes,
            stats.journal.snapshot_bytes,
            stats.state_bytes,
            stats.max_state_bytes,
            lag,
            connections as u64,
        ];
        for (gauge, value) in self.gauges.iter().zip(gauges) {
            gauge.set(value.cast_signed());
        }
        let age = u64::try_from(backed_up).map_or(-1.0, |at| float(now.saturating_sub(at)) / 1000.0);
        let floats = [disk::free(store), disk::snapshot_age(store), age, up.as_secs_f64()];
        for (gauge, value) in self.floats.iter().zip(floats) {
            gauge.set(value);
        }
        for (times, read) in self.times.iter().zip([stats.lock_waits, stats.sync_times, stats.post_times]) {
            times.set(read);
        }
        Ok(())
    }

    fn set_groups(&mut self, groups: &mut [GroupStats], now: u64) {
        groups.sort_unstable_by(|a, b| b.tasks.cmp(&a.tasks).then_with(|| a.name.cmp(&b.name)));
        self.groups.iter().for_each(Family::clear);
        self.oldest.clear();
        for (at, group) in groups.iter().enumerate() {
            let name = if at < GROUPS { group.name.clone() } else { "other".into() };
            let labels = vec![("group", name)];
            let counts = [group.tasks, group.available, group.held, group.delayed];
            for (family, count) in self.groups.iter().zip(counts) {
                family.get_or_create(&labels).inc_by(count.cast_signed());
            }
            let age = group.oldest.map_or(0.0, |oldest| float(now.saturating_sub(oldest)) / 1000.0);
            let gauge = self.oldest.get_or_create(&labels);
            gauge.set(gauge.get().max(age));
        }
    }
}

/// Answers with all numbers.
pub async fn answer(app: Arc<App>, call: Box<Call>) -> Answer {
    call.who.need(Scope::Read, On::All)?;
    let (metrics, connections, up) = (app.metrics.clone(), app.conns.count(), app.started.elapsed());
    let text = app.read(move |store| metrics.text(store, connections, up)).await?;
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
