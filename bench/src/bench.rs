//! One run: its sizes, its disk, and the taking of turns between contenders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use crate::contender::{Answer, Failure, Terms};
use crate::figure::{Figure, Findings, median};
use crate::job::{self, Job, Report, Work};

/// How much is done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sizes {
    /// Rounds of short work.
    pub rounds: usize,
    /// Rounds of work that takes many seconds.
    pub long_rounds: usize,
    /// Length of a timed stretch in seconds.
    pub seconds: f64,
    /// What the rows call a million tasks.
    pub million: u64,
    /// What the rows call five million tasks.
    pub five_million: u64,
    /// What the rows call ten thousand tasks.
    pub ten_thousand: u64,
    /// What the rows call 10 MiB.
    pub ten_mebibytes: usize,
}

impl Sizes {
    /// As the table promises.
    pub const FULL: Self = Self {
        rounds: 9,
        long_rounds: 3,
        seconds: 1.0,
        million: 1_000_000,
        five_million: 5_000_000,
        ten_thousand: 10_000,
        ten_mebibytes: 10 << 20,
    };
    /// Small: shows that the rows run, not how fast anything is.
    pub const QUICK: Self = Self {
        rounds: 3,
        long_rounds: 1,
        seconds: 0.3,
        million: 20_000,
        five_million: 50_000,
        ten_thousand: 2_000,
        ten_mebibytes: 1 << 20,
    };
}

/// A run.
pub struct Bench {
    /// How much is done.
    pub sizes: Sizes,
    /// The `tenure` program, if it was found.
    pub program: Option<PathBuf>,
    dir: PathBuf,
    next: AtomicU32,
}

/// A directory of its own, removed afterwards.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed lies in the target directory and is overwritten by the next run.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What one turn gave.
pub struct Sample {
    /// The figure.
    pub value: f64,
    /// What explains it.
    pub beside: Vec<(String, f64)>,
}

impl Sample {
    /// A figure alone.
    pub fn of(value: f64) -> Self {
        Self { value, beside: Vec::new() }
    }

    /// The figure with something beside it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: f64) -> Self {
        self.beside.push((name.into(), value));
        self
    }

    /// Transactions (or what else is counted) per second, with how they shared syncs and cores.
    pub fn rate(count: u64, report: &Report) -> Self {
        let used = report.used;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let sample = Self::of(count as f64 / used.seconds)
            .with("cores busy", used.cpu / used.seconds / cores)
            .with("us cpu each", used.cpu * 1e6 / count as f64);
        if used.syncs == 0 {
            return sample;
        }
        sample
            .with("tx per sync", report.transactions as f64 / used.syncs as f64)
            .with("us a sync", used.sync_seconds * 1e6 / used.syncs as f64)
    }
}

/// A contender with what it does in its turn.
pub struct Turn<'a> {
    who: String,
    take: Box<dyn Fn() -> Answer<Sample> + 'a>,
}

impl<'a> Turn<'a> {
    /// `who` in the table, and its turn.
    pub fn new(who: impl Into<String>, take: impl Fn() -> Answer<Sample> + 'a) -> Self {
        Self { who: who.into(), take: Box::new(take) }
    }
}

impl Bench {
    /// A run on `dir`, which is made.
    pub fn new(dir: PathBuf, sizes: Sizes, program: Option<PathBuf>) -> Answer<Self> {
        std::fs::create_dir_all(&dir)?;
        Ok(Self { sizes, program, dir, next: AtomicU32::new(0) })
    }

    /// An empty directory.
    pub fn scratch(&self) -> Answer<Scratch> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{}-{number}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }

    /// One job in one process on an empty directory.
    pub fn alone(&self, contender: &str, terms: Terms, work: Work) -> Answer<Report> {
        let scratch = self.scratch()?;
        job::run_one(&Job { contender: contender.into(), dir: scratch.path().into(), terms, work })
    }

    /// The same job in several processes on one store.
    pub fn together(&self, contender: &str, terms: Terms, work: &Work, processes: usize) -> Answer<Report> {
        let scratch = self.scratch()?;
        let job = |work| Job { contender: contender.into(), dir: scratch.path().into(), terms, work };
        job::run_one(&job(Work::Fill { tasks: 0, batch: 1, snapshot: false }))?;
        Ok(job::sum(&job::run(&vec![job(work.clone()); processes])?))
    }
}

/// Rounds in which each takes its turn, A, B, A, B, so that what disturbs the machine disturbs all alike. One that has
/// nothing to offer is left out with a note.
pub fn interleave(found: &mut Findings, unit: &str, rounds: usize, turns: &[Turn<'_>]) -> Answer<()> {
    let mut taken: Vec<Vec<Sample>> = turns.iter().map(|_| Vec::new()).collect();
    let mut out = vec![false; turns.len()];
    for _ in 0..rounds {
        for (at, turn) in turns.iter().enumerate() {
            if out[at] {
                continue;
            }
            match (turn.take)() {
                Ok(sample) => taken[at].push(sample),
                Err(Failure::NotOffered(what)) => {
                    out[at] = true;
                    found.notes.push(format!("{} left out: {what}", turn.who));
                }
                Err(Failure::Broken(what)) => return Err(Failure::Broken(format!("{}: {what}", turn.who))),
            }
        }
    }
    for (turn, samples) in turns.iter().zip(&taken).filter(|(_, samples)| !samples.is_empty()) {
        let mut beside = BTreeMap::<String, Vec<f64>>::new();
        for (name, value) in samples.iter().flat_map(|sample| &sample.beside) {
            beside.entry(name.clone()).or_default().push(*value);
        }
        let rounds: Vec<_> = samples.iter().map(|sample| sample.value).collect();
        found.figures.push(Figure {
            who: turn.who.clone(),
            unit: unit.into(),
            value: median(&rounds),
            rounds,
            beside: beside.into_iter().map(|(name, values)| (name, median(&values))).collect(),
        });
    }
    Ok(())
}
