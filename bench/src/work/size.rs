//! What grows with the store or with a task: memory, claims, renewals.

use std::time::Instant;

use super::{DATA, FILL_BATCH, GROUPS, LEASE, fill, note_resident};
use crate::contender::{Answer, Failure, Store};
use crate::job::{Report, pass_gate};
use crate::meter::Meter;

pub(super) fn turnover(store: &dyn Store, tasks: u64, turns: u32) -> Answer<Report> {
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

pub(super) fn claims(store: &dyn Store, tasks: u64, claims: u64, turns: u32) -> Answer<Report> {
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

pub(super) fn renew(store: &dyn Store, bytes: usize, times: u32) -> Answer<Report> {
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
