//! What every contender offers: a store on a directory, and workers on it, one for each thread.
//!
//! The rows are written against these traits alone, so each contender is one file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{raw, sqlite, tenure};

/// When a commit is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Nothing reaches a disk.
    Memory,
    /// Before stable storage.
    Opportunistic,
    /// After stable storage.
    Strict,
}

/// Who else may use the store meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sharing {
    /// Other processes.
    Shared,
    /// Nobody outside this process.
    Exclusive,
}

/// Whether a store snapshots itself when it thinks it due; rows that need a journal of a known shape forbid it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Snapshots {
    /// When due.
    Due,
    /// Only when asked.
    Asked,
}

/// The terms on which a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When a commit is answered.
    pub durability: Durability,
    /// Who else may use the store.
    pub sharing: Sharing,
    /// Whether it snapshots itself.
    pub snapshots: Snapshots,
}

impl Terms {
    /// Shared, on disk, answered after stable storage.
    pub const STRICT: Self =
        Self { durability: Durability::Strict, sharing: Sharing::Shared, snapshots: Snapshots::Due };
    /// Shared, on disk, answered before.
    pub const OPPORTUNISTIC: Self = Self { durability: Durability::Opportunistic, ..Self::STRICT };
    /// In memory, one process.
    pub const MEMORY: Self =
        Self { durability: Durability::Memory, sharing: Sharing::Exclusive, snapshots: Snapshots::Due };
}

/// Why a figure is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The contender has nothing of the kind; the figure is left out.
    NotOffered(String),
    /// Something went wrong; the run stops.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered(what) => write!(out, "not offered: {what}"),
            Self::Broken(what) => write!(out, "{what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What a contender answers.
pub type Answer<T> = Result<T, Failure>;

/// A task held by a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The task.
    pub id: u64,
    /// What proves the claim, where that is not the id itself.
    pub token: u64,
    /// How long its data was. Every contender has handed the data to its caller by then.
    pub bytes: usize,
}

/// One of the things that are compared.
pub trait Contender: Sync {
    /// Opens the store in `dir`, which exists, and makes it if it is not there.
    fn open(&self, dir: &Path, terms: Terms) -> Answer<Box<dyn Store>>;
}

/// An open store, used by all threads of a process.
pub trait Store: Send + Sync {
    /// What one thread works with.
    fn worker(&self) -> Answer<Box<dyn Worker>>;

    /// How many tasks it holds: the first answer that needs the whole store to be loaded.
    fn tasks(&self) -> Answer<u64>;

    /// Writes a snapshot and returns when it is published.
    fn snapshot(&self) -> Answer<()> {
        Err(Failure::NotOffered("snapshots".into()))
    }

    /// Stays open for so long as an idle process does, following what others write if that is its way.
    fn linger(&self, time: Duration) -> Answer<()> {
        std::thread::sleep(time);
        Ok(())
    }
}

/// What one thread asks of a store. Each call is one transaction.
pub trait Worker: Send {
    /// Adds tasks that are available at once.
    fn add(&mut self, group: &str, data: &[&[u8]]) -> Answer<()>;

    /// Claims up to `most` available tasks of a group into `held`, which is cleared first. None is no failure.
    fn claim(&mut self, group: &str, most: usize, lease: Duration, held: &mut Vec<Lease>) -> Answer<()>;

    /// Finishes tasks, and fails if one of them is no longer held.
    fn finish(&mut self, held: &[Lease]) -> Answer<()>;

    /// Prolongs a claim.
    fn renew(&mut self, held: &mut Lease, lease: Duration) -> Answer<()>;
}

/// The contender of this name.
pub fn named(name: &str) -> Answer<&'static dyn Contender> {
    Ok(match name {
        TENURE => &tenure::Tenure,
        raw::APPENDED => &raw::RawLog { prepared: false },
        raw::PREPARED => &raw::RawLog { prepared: true },
        sqlite::TIMEOUT => &sqlite::Sqlite { waiting: sqlite::Waiting::Timeout },
        sqlite::POLL => &sqlite::Sqlite { waiting: sqlite::Waiting::Poll },
        sqlite::MUTEX => &sqlite::Sqlite { waiting: sqlite::Waiting::Mutex },
        other => return Err(Failure::NotOffered(format!("{other} is not built into this program"))),
    })
}

/// The name under which Tenure takes part.
pub const TENURE: &str = "tenure";
