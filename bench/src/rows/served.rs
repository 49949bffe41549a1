//! The service beside the servers that people use for the same: one load program, each server in a process of its own.

use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Sample, Turn, interleave};
use crate::contender::{Answer, Failure, TENURE};
use crate::figure::{Bound, Check, Findings, median};
use crate::service::{
    host::{Host, Kind},
    load::{self, Asks, Single},
};

const CONNECTIONS: usize = 64;
const WAITING: usize = 5000;

/// More than a server gets through in the time, but few enough to be put in at one sync each, where that is its way.
fn enough(kind: Kind, strict: bool) -> (usize, usize) {
    match (kind, strict) {
        (Kind::Beanstalkd, true) => (30_000, 100),
        _ => (150_000, 1000),
    }
}

/// Claims and finishes on 64 connections; the figure is made from tasks, requests, seconds and CPU seconds.
fn cycles(bench: &Bench, kind: Kind, strict: bool, figure: fn(load::Came, f64) -> f64) -> Turn<'_> {
    Turn::new(kind.name(), move || {
        let host = Host::start(bench, kind, strict)?;
        let (tasks, batch) = enough(kind, strict);
        load::fill(host.at, kind, tasks, batch)?;
        let before = host.cpu()?;
        let came = load::run(host.at, kind, CONNECTIONS, Asks::Cycles, bench.sizes.seconds)?;
        let cpu = host.cpu()? - before;
        Ok(Sample::of(figure(came, cpu))
            .with("tasks/s", came.tasks as f64 / came.seconds)
            .with("us cpu a request", cpu * 1e6 / came.requests as f64)
            .with("cores busy", cpu / came.seconds))
    })
}

/// What a request costs the server.
pub fn cpu(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |kind| cycles(bench, kind, false, |came, cpu| cpu * 1e6 / came.requests as f64);
    let turns = [Kind::Tenure, Kind::Beanstalkd, Kind::Redis].map(turn);
    interleave(&mut found, "us cpu", bench.sizes.rounds, &turns)?;
    found.checks.push(Check::new("us server CPU per request", Bound::AtMost, 15.0, found.value(TENURE)));
    found.notes.push("the Go original: 59 us; the others sync once in 50 ms (beanstalkd) or a second (Redis)".into());
    Ok(found)
}

/// Claims and finishes, each on stable storage before it is answered.
pub fn strict(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    let turn = |kind| cycles(bench, kind, true, |came, _| came.tasks as f64 / came.seconds);
    let kinds = [Kind::Tenure, Kind::Beanstalkd, Kind::Redis];
    interleave(&mut found, "tasks/s", bench.sizes.rounds, &kinds.map(turn))?;
    for kind in &kinds[1..] {
        let got = found.ratio(TENURE, kind.name());
        found.checks.push(Check::new(format!("x {}", kind.name()), Bound::AtLeast, 3.0, got));
    }
    Ok(found)
}

/// Adds in batches of 100.
pub fn adds(bench: &Bench) -> Answer<Findings> {
    const ADDING: usize = 8;
    let mut found = Findings::default();
    let turn = |kind: Kind| {
        Turn::new(kind.name(), move || {
            let host = Host::start(bench, kind, false)?;
            let before = host.cpu()?;
            let came = load::run(host.at, kind, ADDING, Asks::Adds(100), bench.sizes.seconds)?;
            let cpu = host.cpu()? - before;
            Ok(Sample::of(came.tasks as f64 / came.seconds).with("us cpu a task", cpu * 1e6 / came.tasks as f64))
        })
    };
    let turns = [Kind::Tenure, Kind::Beanstalkd, Kind::Redis].map(turn);
    interleave(&mut found, "tasks/s", bench.sizes.long_rounds, &turns)?;
    found.checks.push(Check::new("tasks/s", Bound::AtLeast, 250_000.0, found.value(TENURE)));
    Ok(found)
}

/// From an add until a claim that waits on another connection has the task.
pub fn wake(bench: &Bench) -> Answer<Findings> {
    const TIMES: usize = 400;
    /// After this the service has given the connection's buffers back.
    const LONG: Duration = Duration::from_millis(30);
    let mut found = Findings::default();
    let turn = |kind: Kind| {
        Turn::new(kind.name(), move || {
            let host = Host::start(bench, kind, false)?;
            let (mut adding, mut waiting) = (Single::connect(host.at, kind, 0)?, Single::connect(host.at, kind, 1)?);
            let mut took = Vec::with_capacity(TIMES);
            for _ in 0..TIMES {
                waiting.claim(30_000)?;
                // It has waited for long by then, as most do.
                thread::sleep(LONG);
                let began = Instant::now();
                adding.add()?;
                waiting.hear()?;
                took.push(began.elapsed().as_secs_f64() * 1e3);
                adding.hear()?;
            }
            took.sort_unstable_by(f64::total_cmp);
            Ok(Sample::of(median(&took)).with("p99", took[TIMES * 99 / 100]))
        })
    };
    interleave(&mut found, "ms (p50)", bench.sizes.long_rounds, &[Kind::Tenure, Kind::Beanstalkd].map(turn))?;
    found.checks.push(Check::new("ms, p50", Bound::AtMost, 1.0, found.value(TENURE)));
    found.checks.push(Check::new("ms, p99", Bound::AtMost, 5.0, found.beside(TENURE, "p99")));
    Ok(found)
}

/// Claims that wait.
pub fn waiting(bench: &Bench) -> Answer<Findings> {
    let mut found = Findings::default();
    raise_limit();
    let turn = |kind: Kind| {
        Turn::new(kind.name(), move || {
            let host = Host::start(bench, kind, false)?;
            let before = host.resident()?;
            let mut claims = Vec::with_capacity(WAITING);
            for number in 0..WAITING {
                let mut one = Single::connect(host.at, kind, number as u64)?;
                one.claim(60_000)?;
                claims.push(one);
            }
            let mut last = f64::NAN;
            for _ in 0..100 {
                thread::sleep(Duration::from_millis(100));
                let cpu = host.cpu()?;
                if (cpu - last).abs() < 0.001 {
                    break;
                }
                last = cpu;
            }
            let grown = (host.resident()? - before) / f64::from(1 << 20);
            let (began, spent) = (Instant::now(), host.cpu()?);
            thread::sleep(Duration::from_secs_f64(bench.sizes.seconds * 2.0));
            let idle = (host.cpu()? - spent) / began.elapsed().as_secs_f64() * 100.0;
            Single::connect(host.at, kind, 0)?.add()?;
            let heard = claims.first_mut().map(Single::hear).transpose()?;
            if heard.is_none() {
                return Err(Failure::Broken("no claim waited".into()));
            }
            Ok(Sample::of(grown).with("% of a core while idle", idle))
        })
    };
    interleave(&mut found, "MiB more", bench.sizes.long_rounds, &[Kind::Tenure, Kind::Beanstalkd].map(turn))?;
    found.checks.push(Check::new("MiB more", Bound::AtMost, 40.0, found.value(TENURE)));
    let idle = found.beside(TENURE, "% of a core while idle");
    found.checks.push(Check::new("% of a core while idle", Bound::AtMost, 0.5, idle));
    Ok(found)
}

/// Lets this process, and the servers that it starts, have as many descriptors as they may.
fn raise_limit() {
    #[cfg(unix)]
    {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a whole rlimit.
        unsafe {
            if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
                limit.rlim_cur = limit.rlim_max;
                libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            }
        }
    }
}
