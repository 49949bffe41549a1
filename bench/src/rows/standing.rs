//! What goes on beside the commits: snapshots, idle handles.

use crate::bench::{Bench, Sample, Turn, interleave};
use crate::contender::{Answer, Snapshots, TENURE, Terms};
use crate::figure::{Bound, Check, Findings, median, number};
use crate::job::{self, Job, Work};

/// Commits while a snapshot is written, against commits without.
pub fn snapshot_latency(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |label: &str, terms: Terms| {
        Turn::new(format!("{TENURE} {label}"), move || {
            let work = Work::SnapshotLatency { tasks: bench.sizes.million, seconds: bench.sizes.seconds * 2.0 };
            let report = bench.alone(TENURE, Terms { snapshots: Snapshots::Asked, ..terms }, work)?;
            let at = |name: &str| report.more.get(name).copied().unwrap_or(f64::NAN) * 1e3;
            Ok(Sample::of(at("during p99.9") - at("without p99.9"))
                .with("p99.9 without", at("without p99.9"))
                .with("max without", at("without max"))
                .with("p50 during", at("during p50"))
                .with("p99.9 during", at("during p99.9"))
                .with("max during", at("during max"))
                .with("snapshot", at("snapshot seconds")))
        })
    };
    let turns = [turn("strict", Terms::STRICT), turn("opportunistic", Terms::OPPORTUNISTIC)];
    interleave(&mut found, "ms", bench.sizes.rounds, &turns)?;
    for label in ["strict", "opportunistic"] {
        let got = found.value(&format!("{TENURE} {label}"));
        found.checks.push(Check::new(format!("ms above the p99.9 without one, {label}"), Bound::AtMost, 2.0, got));
        if let Some(longest) = found.beside(&format!("{TENURE} {label}"), "max during") {
            found.notes.push(format!("{label}: the longest commit beside a snapshot took {} ms", number(longest)));
        }
    }
    Ok(found)
}

/// Handles that follow what one writer does.
pub fn idle(bench: &Bench) -> Answer<Findings> {
    const HANDLES: usize = 16;
    let mut found = Findings::default();
    let turn = Turn::new(TENURE, || {
        let scratch = bench.scratch()?;
        let seconds = bench.sizes.seconds * 2.0;
        let job =
            |work| Job { contender: TENURE.into(), dir: scratch.path().into(), terms: Terms::OPPORTUNISTIC, work };
        job::run_one(&job(Work::Fill { tasks: 0, batch: 1, snapshot: false }))?;
        let mut jobs = vec![job(Work::Pace { transactions_per_second: 10_000, seconds })];
        jobs.extend((0..HANDLES).map(|_| job(Work::Linger { seconds })));
        let reports = job::run(&jobs)?;
        let busy: Vec<_> = reports[1..].iter().map(|report| report.used.cpu / report.used.seconds * 100.0).collect();
        let most = busy.iter().copied().fold(0.0, f64::max);
        let resident: Vec<_> = reports[1..].iter().filter_map(|report| report.more.get("resident").copied()).collect();
        Ok(Sample::of(most)
            .with("median handle", median(&busy))
            .with("transactions/s", reports[0].transactions as f64 / reports[0].used.seconds)
            .with("MiB a handle", median(&resident) / f64::from(1 << 20)))
    });
    interleave(&mut found, "% of a core", bench.sizes.rounds, &[turn])?;
    let got = found.value(TENURE);
    found.checks.push(Check::new("% of a core, the busiest handle", Bound::AtMost, 3.0, got));
    if let Some(resident) = found.beside(TENURE, "MiB a handle") {
        let resident = number(resident);
        found
            .notes
            .push(format!("each handle has the state in memory: {resident} MiB here, where the store is almost empty"));
    }
    Ok(found)
}
