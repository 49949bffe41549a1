//! The child's side of each kind of work: `flow` moves tasks through, `size` looks at what grows with a store, `latency`
//! times single commits.

mod flow;
mod latency;
mod size;

use std::time::Duration;

use crate::contender::{self, Answer, Failure, Store, Worker};
use crate::job::{Job, Report, Work, pass_gate};
use crate::meter::{Meter, resident};

/// Long enough that no claim lapses within a run.
const LEASE: Duration = Duration::from_secs(3_600);
const GROUPS: [&str; 4] = ["map", "sort", "reduce", "publish"];
const DATA: [u8; 32] = *b"thirty-two bytes of task data...";
const FILL_BATCH: usize = 1_000;

/// Does the job in this process.
pub fn perform(job: &Job) -> Answer<Report> {
    let contender = contender::named(&job.contender)?;
    if matches!(job.work, Work::Open) {
        pass_gate()?;
        let meter = Meter::start();
        let store = contender.open(&job.dir, job.terms)?;
        let tasks = store.tasks()?;
        return Ok(Report { tasks, used: meter.used(), ..Report::default() });
    }
    let store = contender.open(&job.dir, job.terms)?;
    let store = store.as_ref();
    match job.work {
        Work::Fill { tasks, batch, snapshot } => fill_job(store, tasks, batch, snapshot),
        Work::Adds { seconds } => flow::adds(store, seconds),
        Work::Phases { tasks } => flow::phases(store, tasks),
        Work::Cycle { threads, batch, seconds } => {
            flow::threads(store, threads, |worker, until| flow::cycle(worker, batch, until), seconds)
        }
        Work::Drain { threads, tasks, seconds } => {
            fill(store.worker()?.as_mut(), tasks, FILL_BATCH)?;
            flow::threads(store, threads, flow::drain, seconds)
        }
        Work::Open => Err(Failure::Broken("the store is open already".into())),
        Work::Turnover { tasks, turns } => size::turnover(store, tasks, turns),
        Work::SnapshotLatency { tasks, seconds } => latency::snapshot_latency(store, tasks, seconds),
        Work::Claims { tasks, claims, turns } => size::claims(store, tasks, claims, turns),
        Work::Renew { bytes, times } => size::renew(store, bytes, times),
        Work::Pace { transactions_per_second, seconds } => flow::pace(store, transactions_per_second, seconds),
        Work::Linger { seconds } => {
            pass_gate()?;
            let meter = Meter::start();
            store.linger(Duration::from_secs_f64(seconds))?;
            let mut report = Report { used: meter.used(), ..Report::default() };
            note_resident(&mut report, "resident");
            Ok(report)
        }
    }
}

fn note_resident(report: &mut Report, name: &str) {
    if let Some(bytes) = resident() {
        report.more.insert(name.into(), bytes as f64);
    }
}

fn fill(worker: &mut dyn Worker, tasks: u64, batch: usize) -> Answer<()> {
    let all = vec![DATA.as_slice(); batch];
    let mut left = tasks;
    while left > 0 {
        let now = left.min(batch as u64);
        worker.add(GROUPS[0], &all[..now as usize])?;
        left -= now;
    }
    Ok(())
}

fn fill_job(store: &dyn Store, tasks: u64, batch: usize, snapshot: bool) -> Answer<Report> {
    pass_gate()?;
    let meter = Meter::start();
    fill(store.worker()?.as_mut(), tasks, batch)?;
    if snapshot {
        store.snapshot()?;
    }
    Ok(Report { tasks, transactions: tasks.div_ceil(batch as u64), used: meter.used(), ..Report::default() })
}
