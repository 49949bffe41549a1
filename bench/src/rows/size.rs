//! What grows with the store, or must not.

use std::process::{Command, Stdio};

use crate::bench::{Bench, Sample, Scratch, Turn, interleave};
use crate::contender::{Answer, Failure, Snapshots, TENURE, Terms};
use crate::figure::{Bound, Check, Findings};
use crate::job::{self, Job, Work};
use crate::meter::{Whose, cpu_seconds};
use crate::sqlite;

/// Without snapshots of the store's own accord. Shared: in a store that somebody once had for itself, a program that
/// adds has to know the whole state.
const FILLING: Terms = Terms { snapshots: Snapshots::Asked, ..Terms::OPPORTUNISTIC };

fn filled(bench: &Bench, batch: usize, snapshot: bool) -> Answer<Scratch> {
    let scratch = bench.scratch()?;
    let work = Work::Fill { tasks: bench.sizes.million, batch, snapshot };
    job::run_one(&Job { contender: TENURE.into(), dir: scratch.path().into(), terms: FILLING, work })?;
    Ok(scratch)
}

/// A store that only Tenure can prepare; without it the row says so and is not measured.
fn prepared(found: &mut Findings, filled: Answer<Scratch>) -> Answer<Option<Scratch>> {
    match filled {
        Ok(scratch) => Ok(Some(scratch)),
        Err(Failure::NotOffered(what)) => {
            found.notes.push(format!("{TENURE} left out: {what}"));
            Ok(None)
        }
        Err(broken) => Err(broken),
    }
}

/// Opening, up to the first answer that needs the whole state.
pub fn open(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let from_snapshot = prepared(&mut found, filled(bench, 1_000, true))?;
    let from_entries = prepared(&mut found, filled(bench, 1, false))?;
    let mut turns = Vec::new();
    for (who, scratch) in [("tenure from a snapshot", &from_snapshot), ("tenure from entries", &from_entries)] {
        let Some(scratch) = scratch else { continue };
        turns.push(Turn::new(who, move || {
            let terms = Terms { snapshots: Snapshots::Asked, ..Terms::STRICT };
            let job = Job { contender: TENURE.into(), dir: scratch.path().into(), terms, work: Work::Open };
            let report = job::run_one(&job)?;
            if report.tasks != bench.sizes.million {
                return Err(Failure::Broken(format!("{} tasks were found", report.tasks)));
            }
            Ok(Sample::of(report.used.seconds).with("cpu", report.used.cpu))
        }));
    }
    interleave(&mut found, "s", bench.sizes.rounds, &turns)?;
    let checks = [
        Check::new("s from a snapshot", Bound::AtMost, 0.4, found.value("tenure from a snapshot")),
        Check::new("s from entries", Bound::AtMost, 0.6, found.value("tenure from entries")),
    ];
    found.checks.extend(checks);
    found
        .notes
        .push("the files are in the page cache; the Go original: 2.5 s from a snapshot, 3.1 s from entries".into());
    Ok(found)
}

/// Growth of resident memory per task.
pub fn resident(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let tasks = bench.sizes.million;
    let turn = |who: &'static str| {
        Turn::new(who, move || {
            let report = bench.alone(who, Terms::MEMORY, Work::Turnover { tasks, turns: 3 })?;
            let grown = |when: &str, tasks: u64| -> Answer<f64> {
                let at = |when: &str| report.more.get(when).copied();
                let unknown = || Failure::NotOffered("resident memory can't be read here".into());
                Ok((at(when).ok_or_else(unknown)? - at("empty").ok_or_else(unknown)?) / tasks as f64)
            };
            Ok(Sample::of(grown("turned", tasks)?)
                .with("filled", grown("filled", tasks)?)
                .with("with a fifth more", grown("filled by a fifth more", tasks + tasks / 5)?))
        })
    };
    interleave(&mut found, "B/task", bench.sizes.long_rounds, &[turn(TENURE), turn(sqlite::TIMEOUT)])?;
    let got = found.value(TENURE);
    found.checks.push(Check::new("B of resident memory per task", Bound::AtMost, 115.0, got));
    found.notes.push("SQLite in memory, for comparison; the Go original: 330 B".into());
    Ok(found)
}

/// Claims in a large and a small store.
pub fn claims(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |who: &'static str, place: &str, terms: Terms, size: &str, tasks: u64| {
        Turn::new(format!("{who} {place} {size}"), move || {
            let small = bench.sizes.ten_thousand;
            let report = bench.alone(who, terms, Work::Claims { tasks, claims: small / 2, turns: 20 })?;
            let seconds = report.more.get("seconds per claim").copied().unwrap_or(f64::NAN);
            Ok(Sample::of(seconds * 1e6))
        })
    };
    let disk = Terms { snapshots: Snapshots::Asked, ..Terms::OPPORTUNISTIC };
    let (small, large) = (bench.sizes.ten_thousand, bench.sizes.five_million);
    let turns = [
        turn(TENURE, "memory", Terms::MEMORY, "10 k", small),
        turn(TENURE, "memory", Terms::MEMORY, "5 M", large),
        turn(TENURE, "disk", disk, "10 k", small),
        turn(TENURE, "disk", disk, "5 M", large),
        turn(sqlite::TIMEOUT, "disk", disk, "10 k", small),
        turn(sqlite::TIMEOUT, "disk", disk, "5 M", large),
    ];
    interleave(&mut found, "us/claim", bench.sizes.long_rounds, &turns)?;
    for (place, limit) in [("memory", 3.5), ("disk", 1.4)] {
        let got = found.ratio(&format!("{TENURE} {place} 5 M"), &format!("{TENURE} {place} 10 k"));
        found.checks.push(Check::new(format!("x the small store, {place}"), Bound::AtMost, limit, got));
    }
    Ok(found)
}

/// Renewals, whose cost must not know the data.
pub fn renew(bench: &Bench) -> Answer<Findings> {
    const SMALL: usize = 10;
    let mut found = Findings::default();
    let turn = |who: &'static str, size: &str, bytes: usize, times: u32| {
        Turn::new(format!("{who} {size}"), move || {
            let report = bench.alone(who, Terms::OPPORTUNISTIC, Work::Renew { bytes, times })?;
            Ok(Sample::of(report.used.seconds * 1e6 / report.transactions as f64))
        })
    };
    let large = bench.sizes.ten_mebibytes;
    let turns = [
        turn(TENURE, "10 B", SMALL, 20_000),
        turn(TENURE, "10 MiB", large, 20_000),
        turn(sqlite::TIMEOUT, "10 B", SMALL, 20_000),
        turn(sqlite::TIMEOUT, "10 MiB", large, 50),
    ];
    interleave(&mut found, "us/renewal", bench.sizes.rounds, &turns)?;
    let got = found.ratio("tenure 10 MiB", "tenure 10 B");
    found.checks.push(Check::new("x the small task", Bound::AtMost, 1.2, got));
    Ok(found)
}

/// The program, started anew for one task.
pub fn program_add(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let Some(program) = &bench.program else {
        found.checks.push(Check::new("s of CPU", Bound::AtMost, 0.02, None));
        found.notes.push("there is no tenure program: `cargo build --release -p tenure-cli` at the root makes it, or name one with --program".into());
        return Ok(found);
    };
    if let Some(scratch) = prepared(&mut found, filled(bench, 1_000, true))? {
        let turn = Turn::new("tenure add", || {
            let before = cpu_seconds(Whose::Children);
            let began = std::time::Instant::now();
            let ended = Command::new(program)
                .arg("add")
                .arg(scratch.path())
                .arg("map")
                .args(["--data", "one more"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status()?;
            if !ended.success() {
                return Err(Failure::Broken(format!("the program ended with {ended}")));
            }
            Ok(Sample::of(cpu_seconds(Whose::Children) - before).with("wall", began.elapsed().as_secs_f64()))
        });
        interleave(&mut found, "s cpu", 10, &[turn])?;
    }
    let got = found.value("tenure add");
    found.checks.push(Check::new("s of CPU", Bound::AtMost, 0.02, got));
    Ok(found)
}
