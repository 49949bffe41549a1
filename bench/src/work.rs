//! The child's side of each kind of work.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
        Work::Adds { seconds } => adds(store, seconds),
        Work::Phases { tasks } => phases(store, tasks),
        Work::Cycle { threads, batch, seconds } => {
            threads_job(store, threads, |worker, until| cycle(worker, batch, until), seconds)
        }
        Work::Drain { threads, tasks, seconds } => {
            fill(store.worker()?.as_mut(), tasks, FILL_BATCH)?;
            threads_job(store, threads, drain, seconds)
        }
        Work::Open => Err(Failure::Broken("the store is open already".into())),
        Work::Turnover { tasks, turns } => turnover(store, tasks, turns),
        Work::SnapshotLatency { tasks, seconds } => snapshot_latency(store, tasks, seconds),
        Work::Claims { tasks, claims, turns } => claims_job(store, tasks, claims, turns),
        Work::Renew { bytes, times } => renew(store, bytes, times),
        Work::Pace { transactions_per_second, seconds } => pace(store, transactions_per_second, seconds),
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

#[derive(Default)]
struct Done {
    tasks: u64,
    transactions: u64,
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

fn adds(store: &dyn Store, seconds: f64) -> Answer<Report> {
    let mut worker = store.worker()?;
    worker.add(GROUPS[0], &[&DATA])?;
    pass_gate()?;
    let meter = Meter::start();
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut done = 0;
    while Instant::now() < until {
        worker.add(GROUPS[0], &[&DATA])?;
        done += 1;
    }
    Ok(Report { tasks: done, transactions: done, used: meter.used(), ..Report::default() })
}

fn phases(store: &dyn Store, tasks: u64) -> Answer<Report> {
    const BATCH: usize = 100;
    let mut worker = store.worker()?;
    let data = [DATA.as_slice(); BATCH];
    let tasks = tasks.next_multiple_of((BATCH * GROUPS.len()) as u64);
    let mut held = Vec::with_capacity(tasks as usize);
    let mut one = Vec::with_capacity(1);
    pass_gate()?;
    let meter = Meter::start();
    for batch in 0..tasks as usize / BATCH {
        worker.add(GROUPS[batch % GROUPS.len()], &data)?;
    }
    let added = meter.used().cpu;
    for task in 0..tasks as usize {
        worker.claim(GROUPS[task % GROUPS.len()], 1, LEASE, &mut one)?;
        held.push(*one.first().ok_or_else(|| Failure::Broken("a task is missing".into()))?);
    }
    let claimed = meter.used().cpu;
    for one in &held {
        worker.finish(std::slice::from_ref(one))?;
    }
    let mut report =
        Report { tasks, transactions: tasks * 2 + tasks / BATCH as u64, used: meter.used(), ..Report::default() };
    report.more.insert("add".into(), added);
    report.more.insert("claim".into(), claimed - added);
    report.more.insert("finish".into(), report.used.cpu - claimed);
    Ok(report)
}

fn threads_job(
    store: &dyn Store,
    threads: usize,
    work: impl Fn(&mut dyn Worker, Instant) -> Answer<Done> + Sync,
    seconds: f64,
) -> Answer<Report> {
    let mut workers = (0..threads).map(|_| store.worker()).collect::<Answer<Vec<_>>>()?;
    let barrier = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(worker.as_mut(), Instant::now() + Duration::from_secs_f64(seconds))
                })
            })
            .collect();
        let passed = pass_gate();
        let meter = Meter::start();
        barrier.wait();
        let mut report = Report::default();
        for thread in running {
            let done = thread.join().map_err(|_| Failure::Broken("a thread panicked".into()))??;
            report.tasks += done.tasks;
            report.transactions += done.transactions;
        }
        report.used = meter.used();
        passed.map(|()| report)
    })
}

fn cycle(worker: &mut dyn Worker, batch: usize, until: Instant) -> Answer<Done> {
    let data = vec![DATA.as_slice(); batch];
    let mut held = Vec::with_capacity(batch);
    let mut done = Done::default();
    while Instant::now() < until {
        worker.add(GROUPS[0], &data)?;
        worker.claim(GROUPS[0], batch, LEASE, &mut held)?;
        done.transactions += 2;
        if !held.is_empty() {
            worker.finish(&held)?;
            done.tasks += held.len() as u64;
            done.transactions += 1;
        }
    }
    Ok(done)
}

fn drain(worker: &mut dyn Worker, until: Instant) -> Answer<Done> {
    let mut held = Vec::with_capacity(1);
    let mut done = Done::default();
    while Instant::now() < until {
        worker.claim(GROUPS[0], 1, LEASE, &mut held)?;
        if held.is_empty() {
            break;
        }
        worker.finish(&held)?;
        done.tasks += 1;
        done.transactions += 2;
    }
    Ok(done)
}

fn turnover(store: &dyn Store, tasks: u64, turns: u32) -> Answer<Report> {
    const BATCH: usize = 100;
    let mut worker = store.worker()?;
    let data = [DATA.as_slice(); BATCH];
    let mut held = Vec::with_capacity(BATCH);
    pass_gate()?;
    let meter = Meter::start();
    let mut report = Report { tasks, ..Report::default() };
    note_resident(&mut report, "empty");
    fill(worker.as_mut(), tasks, BATCH)?;
    note_resident(&mut report, "filled");
    for _ in 0..turns {
        for _ in 0..tasks / BATCH as u64 {
            worker.claim(GROUPS[0], BATCH, LEASE, &mut held)?;
            worker.finish(&held)?;
            worker.add(GROUPS[0], &data[..held.len()])?;
        }
    }
    note_resident(&mut report, "turned");
    fill(worker.as_mut(), tasks / 5, BATCH)?;
    note_resident(&mut report, "filled by a fifth more");
    report.used = meter.used();
    Ok(report)
}

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

fn snapshot_latency(store: &dyn Store, tasks: u64, seconds: f64) -> Answer<Report> {
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

fn claims_job(store: &dyn Store, tasks: u64, claims: u64, turns: u32) -> Answer<Report> {
    let mut worker = store.worker()?;
    fill(worker.as_mut(), tasks, FILL_BATCH)?;
    let (mut one, mut held) = (Vec::with_capacity(1), Vec::with_capacity(claims as usize));
    pass_gate()?;
    let meter = Meter::start();
    let mut per_claim = Vec::new();
    for _ in 0..turns {
        let began = Instant::now();
        for _ in 0..claims {
            worker.claim(GROUPS[0], 1, LEASE, &mut one)?;
            held.append(&mut one);
        }
        per_claim.push(began.elapsed().as_secs_f64() / claims as f64);
        for some in held.chunks(FILL_BATCH) {
            worker.finish(some)?;
        }
        fill(worker.as_mut(), held.len() as u64, FILL_BATCH)?;
        held.clear();
    }
    let mut report = Report { tasks, used: meter.used(), ..Report::default() };
    report.more.insert("seconds per claim".into(), crate::figure::median(&per_claim));
    Ok(report)
}

fn renew(store: &dyn Store, bytes: usize, times: u32) -> Answer<Report> {
    let mut worker = store.worker()?;
    worker.add(GROUPS[0], &[&vec![7; bytes]])?;
    let mut held = Vec::new();
    worker.claim(GROUPS[0], 1, LEASE, &mut held)?;
    let held = held.first_mut().ok_or_else(|| Failure::Broken("the task is missing".into()))?;
    pass_gate()?;
    let meter = Meter::start();
    for _ in 0..times {
        worker.renew(held, LEASE)?;
    }
    Ok(Report { tasks: 1, transactions: u64::from(times), used: meter.used(), ..Report::default() })
}

fn pace(store: &dyn Store, per_second: u64, seconds: f64) -> Answer<Report> {
    const TICK: Duration = Duration::from_millis(1);
    let mut worker = store.worker()?;
    let mut held = Vec::with_capacity(1);
    pass_gate()?;
    let meter = Meter::start();
    let (began, stretch) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut report = Report::default();
    loop {
        let passed = began.elapsed();
        if passed >= stretch {
            break;
        }
        let due = per_second * passed.as_micros() as u64 / 1_000_000;
        while report.transactions < due && began.elapsed() < stretch {
            worker.add(GROUPS[0], &[&DATA])?;
            worker.claim(GROUPS[0], 1, LEASE, &mut held)?;
            worker.finish(&held)?;
            report.tasks += 1;
            report.transactions += 3;
        }
        std::thread::sleep(TICK);
    }
    report.used = meter.used();
    Ok(report)
}
