//! Tasks that go through: added, claimed, finished, by one thread or many, for some time or at a pace.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::{DATA, GROUPS, LEASE};
use crate::contender::{Answer, Failure, Store, Worker};
use crate::job::{Report, pass_gate};
use crate::meter::Meter;

#[derive(Default)]
pub(super) struct Done {
    tasks: u64,
    transactions: u64,
}

pub(super) fn adds(store: &dyn Store, seconds: f64) -> Answer<Report> {
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

pub(super) fn phases(store: &dyn Store, tasks: u64) -> Answer<Report> {
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

pub(super) fn threads(
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

pub(super) fn cycle(worker: &mut dyn Worker, batch: usize, until: Instant) -> Answer<Done> {
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

pub(super) fn drain(worker: &mut dyn Worker, until: Instant) -> Answer<Done> {
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

pub(super) fn pace(store: &dyn Store, per_second: u64, seconds: f64) -> Answer<Report> {
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
