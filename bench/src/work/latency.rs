//! How long single commits take, without a snapshot and while one is written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{DATA, FILL_BATCH, GROUPS, LEASE, fill};
use crate::contender::{Answer, Failure, Store, Worker};
use crate::job::{Report, pass_gate};
use crate::meter::Meter;

fn percentile(sorted: &[u32], per_mille: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * per_mille / 1_000).min(last)).map_or(f64::NAN, |nanos| f64::from(*nanos) / 1e9)
}

fn note_latencies(report: &mut Report, name: &str, mut nanos: Vec<u32>) {
    nanos.sort_unstable();
    for (label, per_mille) in [("p50", 500), ("p99", 990), ("p99.9", 999), ("max", 1_000)] {
        report.more.insert(format!("{name} {label}"), percentile(&nanos, per_mille));
    }
    report.more.insert(format!("{name} commits"), nanos.len() as f64);
}

fn commits(worker: &mut dyn Worker, go_on: impl Fn() -> bool) -> Answer<Vec<u32>> {
    fn timed(nanos: &mut Vec<u32>, call: impl FnOnce() -> Answer<()>) -> Answer<()> {
        let began = Instant::now();
        call()?;
        nanos.push(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX));
        Ok(())
    }
    let (mut nanos, mut held) = (Vec::with_capacity(1 << 20), Vec::with_capacity(1));
    while go_on() {
        timed(&mut nanos, || worker.add(GROUPS[1], &[&DATA]))?;
        timed(&mut nanos, || worker.claim(GROUPS[1], 1, LEASE, &mut held))?;
        timed(&mut nanos, || worker.finish(&held))?;
    }
    Ok(nanos)
}

pub(super) fn snapshot_latency(store: &dyn Store, tasks: u64, seconds: f64) -> Answer<Report> {
    let mut worker = store.worker()?;
    fill(worker.as_mut(), tasks, FILL_BATCH)?;
    pass_gate()?;
    let meter = Meter::start();
    let mut report = Report { tasks, ..Report::default() };
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    note_latencies(&mut report, "without", commits(worker.as_mut(), || Instant::now() < until)?);
    let over = AtomicBool::new(false);
    let (written, nanos) = std::thread::scope(|scope| {
        let snapshot = scope.spawn(|| {
            let began = Instant::now();
            let answer = store.snapshot();
            over.store(true, Ordering::Release);
            answer.map(|()| began.elapsed().as_secs_f64())
        });
        let nanos = commits(worker.as_mut(), || !over.load(Ordering::Acquire));
        (snapshot.join().map_err(|_| Failure::Broken("the snapshot panicked".into())), nanos)
    });
    report.more.insert("snapshot seconds".into(), written??);
    note_latencies(&mut report, "during", nanos?);
    report.used = meter.used();
    Ok(report)
}
