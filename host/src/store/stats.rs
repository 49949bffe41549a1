//! Numbers about a store and a handle.

use tenure_core::{Author, Error, Millis, Result, Revision, TaskId, port::JournalStats};

use super::{Shared, Store, at};
use crate::durations::Durations;

/// Numbers about a store, as a handle sees it.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The revision that they are of.
    pub revision: Revision,
    /// The id that the next new task gets.
    pub next_id: TaskId,
    /// Live tasks.
    pub tasks: u64,
    /// Records, those included that have expired and are not swept away yet.
    pub records: u64,
    /// Groups that have tasks.
    pub groups: u64,
    /// Requests that are remembered.
    pub requests: u64,
    /// Bytes that the state takes up in memory, about.
    pub state_bytes: u64,
    /// Bytes of state that are allowed.
    pub max_state_bytes: u64,
    /// The digest over all tasks and records.
    pub digest: u64,
    /// The store's format level.
    pub level: u32,
    /// The author who has the store for itself, 0 for nobody.
    pub exclusive: Author,
    /// Entries that did not count because another author had the store for itself.
    pub skipped: u64,
    /// How far another handle's clock was ahead of this one's, at most, in milliseconds.
    pub clock_ahead: Millis,
    /// The journal's sizes and marks.
    pub journal: JournalStats,
    /// Syncs that this handle ran.
    pub syncs: u64,
    /// Syncs that failed.
    pub sync_failures: u64,
    /// How long the syncs of this handle took.
    pub sync_times: Durations,
    /// How long this handle waited for the journal's lock, each time that it took it.
    pub lock_waits: Durations,
    /// How long posted requests took, from when they were posted, or from when a claim that waited looked again, until
    /// the answer could be given.
    pub post_times: Durations,
    /// Snapshots that this handle took.
    pub snapshots_taken: u64,
    /// Why the last snapshot in the background failed, if it did; or what is wrong with one that this handle had to do
    /// without when it loaded the state.
    pub snapshot_error: Option<Error>,
}

impl Store {
    /// Numbers about the store and this handle.
    pub fn stats(&self) -> Result<Stats> {
        at!(self, |shared| shared.stats(!self.weak_reads), |remote| remote.read(remote.client().stats()))
    }
}

impl Shared {
    fn stats(&self, consistent: bool) -> Result<Stats> {
        let mut driver = self.driver()?;
        if consistent {
            driver.catch_up(&|| self.clock.now())?;
            self.after(&mut driver);
        }
        let journal = driver.stats()?;
        let damaged = driver.damaged().first().map(|(_, error)| error.clone());
        let engine = driver.engine();
        let state = engine.state();
        let (syncs, sync_failures) = self.durable.counts();
        Ok(Stats {
            revision: state.revision(),
            next_id: state.next_id(),
            tasks: state.tasks(),
            records: state.tables().len(),
            groups: state.group_count(),
            requests: state.memo().len() as u64,
            state_bytes: state.bytes(),
            max_state_bytes: engine.limits().max_state_bytes,
            digest: state.digest(),
            level: state.level(),
            exclusive: state.exclusive(),
            skipped: engine.skipped(),
            clock_ahead: engine.ahead(),
            journal,
            syncs,
            sync_failures,
            sync_times: self.durable.times(),
            lock_waits: self.lock_waits.read(),
            post_times: self.post.times.read(),
            snapshots_taken: self.snapshots.taken(),
            snapshot_error: self.snapshots.last_error().or(damaged),
        })
    }
}
