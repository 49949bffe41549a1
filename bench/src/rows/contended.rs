//! Many threads, many processes. SQLite takes part with each way of waiting for its write lock; the best one counts.

use crate::bench::{Bench, Sample, Turn, interleave};
use crate::contender::{Answer, TENURE, Terms};
use crate::figure::{Bound, Check, Findings};
use crate::job::Work;
use crate::sqlite;

const THREADS: usize = 64;
const PROCESSES: usize = 4;
const THREADS_OF_A_SERVER: usize = 16;
/// More than any contender gets through in the time; those that do stop the clock when nothing is left.
const TO_DRAIN: u64 = 100_000;

fn all() -> impl Iterator<Item = &'static str> {
    std::iter::once(TENURE).chain(sqlite::CONTENDING)
}

/// 64 threads claim and finish.
pub fn threads(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |who: &'static str| {
        Turn::new(who, move || {
            let work = Work::Drain { threads: THREADS, tasks: TO_DRAIN, seconds: bench.sizes.seconds };
            let report = bench.alone(who, Terms::STRICT, work)?;
            Ok(Sample::rate(report.transactions, &report))
        })
    };
    interleave(&mut found, "tx/s", bench.sizes.rounds, &all().map(turn).collect::<Vec<_>>())?;
    let got = found.ratio_to_best(TENURE, |who| who.starts_with("sqlite"));
    found.checks.push(Check::new("x SQLite", Bound::AtLeast, 15.0, got));
    let shared = Check::new("transactions per sync", Bound::AtLeast, 20.0, found.beside(TENURE, "tx per sync"));
    let busy = Check::new("of both cores busy", Bound::AtLeast, 0.9, found.beside(TENURE, "cores busy"));
    found.checks.push(shared.either(busy));
    Ok(found)
}

fn processes<'a>(bench: &'a Bench, terms: Terms, threads: usize, batch: usize, label: &str) -> Vec<Turn<'a>> {
    all()
        .filter(|who| threads > 1 || *who != sqlite::MUTEX)
        .map(|who| {
            Turn::new(format!("{who} {label}"), move || {
                let work = Work::Cycle { threads, batch, seconds: bench.sizes.seconds };
                let report = bench.together(who, terms, &work, PROCESSES)?;
                Ok(Sample::rate(report.tasks, &report))
            })
        })
        .collect()
}

fn against(found: &Findings, label: &str) -> Option<f64> {
    let is_rival = |who: &str| who.starts_with("sqlite") && who.ends_with(label);
    found.ratio_to_best(&format!("{TENURE} {label}"), is_rival)
}

/// 4 processes, each commit synced.
pub fn processes_strict(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let (one, many) = ("1 thread", "16 threads");
    let rounds = bench.sizes.rounds;
    interleave(&mut found, "tasks/s", rounds, &processes(bench, Terms::STRICT, 1, 1, one))?;
    let turns = processes(bench, Terms::STRICT, THREADS_OF_A_SERVER, 1, many);
    interleave(&mut found, "tasks/s", rounds, &turns)?;
    let checks = [
        Check::new("x SQLite, one thread in each process", Bound::AtLeast, 15.0, against(&found, one)),
        Check::new("x SQLite, 16 threads in each process", Bound::AtLeast, 15.0, against(&found, many)),
    ];
    found.checks.extend(checks);
    Ok(found)
}

/// 4 processes, answered before the sync.
pub fn processes_opportunistic(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let (one, ten) = ("singly", "by tens");
    let rounds = bench.sizes.rounds;
    interleave(&mut found, "tasks/s", rounds, &processes(bench, Terms::OPPORTUNISTIC, 1, 1, one))?;
    interleave(&mut found, "tasks/s", rounds, &processes(bench, Terms::OPPORTUNISTIC, 1, 10, ten))?;
    let checks = [
        Check::new("x SQLite, singly", Bound::AtLeast, 2.5, against(&found, one)),
        Check::new("x SQLite, in batches of 10", Bound::AtLeast, 4.0, against(&found, ten)),
    ];
    found.checks.extend(checks);
    Ok(found)
}
