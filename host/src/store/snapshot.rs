//! Snapshots in the background: due by bytes and entries, walked in slices while commits go on.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tenure_core::{
    Code, Error, Result, Revision,
    driver::{Driver, begin_of, prune},
    port::SnapshotName,
    snapshot::pack,
};

use super::{Shared, Store};
use crate::options::SnapshotPolicy;

/// Items that one slice takes while commits wait: well under 200 µs.
const SLICE: usize = 256;

/// How often a walk begins again after a rollback before it gives up.
const WALKS: u32 = 8;

/// When the last one was, and whether one runs.
#[derive(Default)]
pub(super) struct Snapshots {
    policy: SnapshotPolicy,
    /// Where the replay of the last one begins, and at which revision.
    begin: AtomicU64,
    begin_revision: AtomicU64,
    bytes: AtomicU64,
    running: AtomicBool,
    closed: AtomicBool,
    taken: AtomicU64,
    last_error: Mutex<Option<Error>>,
}

impl Snapshots {
    pub fn new(policy: SnapshotPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Notes where the last snapshot lies, as far as it is known.
    pub fn begin_at(&self, position: u64, revision: u64, bytes: u64) {
        self.begin.fetch_max(position, Ordering::AcqRel);
        self.begin_revision.fetch_max(revision, Ordering::AcqRel);
        self.bytes.store(bytes, Ordering::Release);
    }

    /// Looks where the last snapshot lies, whoever took it.
    pub fn find(&self, driver: &mut Driver) -> Result<()> {
        if let Some(newest) = driver.journal().snapshots()?.first() {
            let begin = begin_of(driver.journal(), *newest)?;
            let bytes = driver.stats()?.snapshot_bytes;
            self.begin_at(begin.0, newest.end.0, bytes / 2);
        }
        Ok(())
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// How many this handle took.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Why the last one in the background failed, if it did.
    pub fn last_error(&self) -> Option<Error> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one is due, and if so, sets it going.
    pub fn look(self: &Arc<Self>, driver: &Driver, shared: &Weak<Shared>) {
        if !self.policy.automatic {
            return;
        }
        let tail = *driver.engine().tail();
        let bytes = self.policy.bytes.max(self.bytes.load(Ordering::Relaxed) / 2);
        let since = tail.position.0.saturating_sub(self.begin.load(Ordering::Relaxed));
        let entries = tail.revision.0.saturating_sub(self.begin_revision.load(Ordering::Relaxed));
        if since < bytes && entries < self.policy.entries {
            return;
        }
        // Another handle that has begun one not long ago is left to it.
        if let Some(marker) = driver.engine().snapshot_marker()
            && marker.0 != driver.engine().author()
            && tail.revision.0.saturating_sub(marker.1.0) < self.policy.entries.min(entries) / 2
        {
            return;
        }
        if self.closed.load(Ordering::Acquire) || self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let snapshots = self.clone();
        let shared = shared.clone();
        let spawned = thread::Builder::new().name("tenure-snapshot".into()).spawn(move || {
            if let Some(shared) = shared.upgrade() {
                let done = shared.take_snapshot();
                *snapshots.last_error.lock().unwrap_or_else(PoisonError::into_inner) = done.err();
            }
            snapshots.running.store(false, Ordering::Release);
        });
        if spawned.is_err() {
            self.running.store(false, Ordering::Release);
        }
    }
}

impl Store {
    /// Takes a snapshot now, and lets go of what it makes superfluous. Commits go on meanwhile. Answers with the revision
    /// that it holds.
    pub fn snapshot(&self) -> Result<Revision> {
        self.shared.may_go_on()?;
        self.shared.take_snapshot().map(|name| name.end)
    }
}

impl Shared {
    fn take_snapshot(&self) -> Result<SnapshotName> {
        let mut walks = 0;
        loop {
            match self.walk() {
                Err(error) if error.code() == Code::Cancelled && walks < WALKS => walks += 1,
                done => return done,
            }
        }
    }

    fn walk(&self) -> Result<SnapshotName> {
        let now = || self.clock.now();
        let (mut prepared, loads, author) = {
            let mut driver = self.driver()?;
            let prepared = driver.begin_snapshot(&now)?;
            (prepared, driver.engine().loads(), driver.engine().author())
        };
        let mut written = 0;
        let walk = &mut prepared.walk;
        let mut next = || -> Result<Option<Vec<u8>>> {
            let driver = self.driver()?;
            if driver.engine().loads() != loads {
                return Err(Error::new(Code::Cancelled, "the state was loaded anew while it was walked"));
            }
            let slice = driver.slice(walk, SLICE);
            drop(driver);
            // Packed beside the lock.
            let chunk = slice.map(|(kind, raw)| pack(kind, &raw));
            written += chunk.as_ref().map_or(0, Vec::len) as u64;
            Ok(chunk)
        };
        let mut chunks = Vec::new();
        while let Some(chunk) = next()? {
            chunks.push(chunk);
        }
        let name = SnapshotName { end: prepared.walk.end().revision, author };
        self.wait_durable(prepared.walk.end().position)?;
        let mut chunks = chunks.into_iter();
        prepared.journal.publish_snapshot(name, &mut || Ok(chunks.next()))?;
        let begin = *prepared.walk.begin();
        self.snapshots.begin_at(begin.position.0, begin.revision.0, written);
        prune(&mut *prepared.journal, begin.position)?;
        self.snapshots.taken.fetch_add(1, Ordering::Relaxed);
        Ok(name)
    }
}
