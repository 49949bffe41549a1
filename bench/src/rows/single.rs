//! One thread.

use crate::bench::{Bench, Sample, Turn, interleave};
use crate::contender::{Answer, Sharing, TENURE, Terms};
use crate::figure::{Bound, Check, Findings};
use crate::job::Work;
use crate::{raw, sqlite};

/// CPU per task in memory, for add, claim and finish together.
pub fn memory(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |who: &'static str| {
        Turn::new(who, move || {
            let report = bench.alone(who, Terms::MEMORY, Work::Phases { tasks: bench.sizes.million })?;
            let each = |seconds: f64| seconds * 1e6 / report.tasks as f64;
            let phases = report.more.iter().map(|(name, cpu)| (name.clone(), each(*cpu))).collect();
            Ok(Sample { value: each(report.used.cpu), beside: phases })
        })
    };
    interleave(&mut found, "us cpu", bench.sizes.long_rounds, &[turn(TENURE), turn(sqlite::TIMEOUT)])?;
    let got = found.value(TENURE);
    found.checks.push(Check::new("us CPU per task for all three", Bound::AtMost, 3.0, got));
    found.notes.push("the Go original: 16.3 us; 2.0 is the stretch".into());
    Ok(found)
}

/// Single adds, each synced before the next.
pub fn strict(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |who: &'static str| {
        Turn::new(who, move || {
            let report = bench.alone(who, Terms::STRICT, Work::Adds { seconds: bench.sizes.seconds })?;
            Ok(Sample::rate(report.transactions, &report))
        })
    };
    let turns = [turn(raw::APPENDED), turn(TENURE), turn(sqlite::TIMEOUT), turn(raw::PREPARED)];
    interleave(&mut found, "adds/s", bench.sizes.rounds, &turns)?;
    let got = found.ratio(TENURE, raw::APPENDED);
    found.checks.push(Check::new("x the raw loop of append + fdatasync", Bound::AtLeast, 0.85, got));
    Ok(found)
}

/// Add, claim, finish, answered before the sync.
pub fn opportunistic(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |who: &'static str, sharing: Sharing| {
        let name = format!("{who} {}", if sharing == Sharing::Shared { "shared" } else { "exclusive" });
        Turn::new(name, move || {
            let work = Work::Cycle { threads: 1, batch: 1, seconds: bench.sizes.seconds };
            let report = bench.alone(who, Terms { sharing, ..Terms::OPPORTUNISTIC }, work)?;
            Ok(Sample::rate(report.tasks, &report))
        })
    };
    let turns = [
        turn(TENURE, Sharing::Shared),
        turn(sqlite::TIMEOUT, Sharing::Shared),
        turn(TENURE, Sharing::Exclusive),
        turn(sqlite::TIMEOUT, Sharing::Exclusive),
    ];
    interleave(&mut found, "tasks/s", bench.sizes.rounds, &turns)?;
    let (shared, exclusive) = (found.value("tenure shared"), found.value("tenure exclusive"));
    let checks = [
        Check::new("shared, tasks/s", Bound::AtLeast, 90_000.0, shared),
        Check::new("exclusive, tasks/s", Bound::AtLeast, 300_000.0, exclusive),
        Check::new("shared x SQLite", Bound::AtLeast, 4.0, found.ratio("tenure shared", "sqlite-timeout shared")),
        Check::new(
            "exclusive x SQLite",
            Bound::AtLeast,
            10.0,
            found.ratio("tenure exclusive", "sqlite-timeout shared"),
        ),
    ];
    found.checks.extend(checks);
    if let Some(like) = found.ratio("tenure exclusive", "sqlite-timeout exclusive") {
        found.notes.push(format!("exclusive against SQLite with locking_mode=EXCLUSIVE: {like:.1} x"));
    }
    Ok(found)
}
