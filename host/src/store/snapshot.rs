//! Snapshots in the background: due by bytes and entries, walked in slices while commits go on.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tenure_core::{
    Code, Error, Result, Revision,
    driver::{Driver, Prepared, begin_of, overtaken, prune},
    port::{Piece, SnapshotName},
    snapshot::{ChunkKind, pack},
};

use super::{Shared, Store, at};
use crate::options::SnapshotPolicy;

/// Items that one slice takes while commits wait: well under 200 µs.
const SLICE: usize = 256;

/// How long a walk works at a stretch, and how long it rests then: a system that has no core to spare would otherwise
/// let a commit wait for as long as it lets any thread run.
const STRETCH: Duration = Duration::from_millis(1);
const BREATH: Duration = Duration::from_micros(100);

/// How often a walk begins again after a rollback before it gives up.
const WALKS: u32 = 8;

/// How long it waits after one in the background failed; twice as long each time, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

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
    failed: Mutex<Option<Failed>>,
    /// Held by the one that takes one: two at once would only be twice the work.
    taking: Mutex<()>,
}

/// The last one in the background failed.
struct Failed {
    error: Error,
    pause: Duration,
    until: Instant,
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
        let mut names = driver.journal().snapshots()?;
        names.retain(|name| driver.damaged().iter().all(|(damaged, _)| damaged != name));
        for name in names {
            let begin = match begin_of(driver.journal(), name) {
                Ok(begin) => begin,
                // Opening has gone past it, or will; or a newer one has taken its place.
                Err(error) if matches!(error.code(), Code::Corrupt | Code::NotFound) => continue,
                Err(error) => return Err(error),
            };
            let bytes = driver.stats()?.snapshot_bytes;
            self.begin_at(begin.0, name.end.0, bytes / 2);
            break;
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
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|failed| failed.error.clone())
    }

    /// Whether one is due, as far as this handle knows, and no other has begun one lately.
    fn is_due(&self, driver: &Driver) -> bool {
        let tail = *driver.engine().tail();
        let bytes = self.policy.bytes.max(self.bytes.load(Ordering::Relaxed) / 16 * 7);
        let since = tail.position.0.saturating_sub(self.begin.load(Ordering::Relaxed));
        let entries = tail.revision.0.saturating_sub(self.begin_revision.load(Ordering::Relaxed));
        if since < bytes && entries < self.policy.entries {
            return false;
        }
        // Another handle that has begun one is left to it, until half of what makes one due has come since.
        let Some((author, at)) = driver.engine().snapshot_marker() else { return true };
        let behind = tail.revision.0.saturating_sub(at.0);
        let about = u128::from(behind) * u128::from(since) / u128::from(entries.max(1));
        author == driver.engine().author() || about >= u128::from(bytes / 2) || behind >= self.policy.entries / 2
    }

    /// Whether one is due, and if so, sets it going.
    pub fn look(self: &Arc<Self>, driver: &Driver, shared: &Weak<Shared>) {
        if !self.policy.automatic || !self.is_due(driver) || self.closed.load(Ordering::Acquire) {
            return;
        }
        if self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = failed.as_ref().is_some_and(|failed| Instant::now() < failed.until);
        drop(failed);
        let (snapshots, shared) = (self.clone(), shared.clone());
        let take = move || {
            if let Some(shared) = shared.upgrade() {
                let done = shared.take_due_snapshot();
                snapshots.note(done.err());
            }
            snapshots.running.store(false, Ordering::Release);
        };
        if wait || thread::Builder::new().name("tenure-snapshot".into()).spawn(take).is_err() {
            self.running.store(false, Ordering::Release);
        }
    }

    fn note(&self, error: Option<Error>) {
        if let Some(error) = &error {
            crate::trace::snapshot_failed(error);
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = failed.as_ref().map_or(PAUSE.0, |failed| (failed.pause * 2).min(PAUSE.1));
        *failed = error.map(|error| Failed { error, pause, until: Instant::now() + pause });
    }
}

impl Store {
    /// Takes a snapshot now, and lets go of what it makes superfluous. Commits go on meanwhile. Answers with the revision
    /// that it holds.
    pub fn snapshot(&self) -> Result<Revision> {
        at!(
            self,
            |shared| {
                shared.may_go_on()?;
                shared.take_snapshot().map(|name| name.end)
            },
            |remote| remote.read(remote.client().snapshot())
        )
    }
}

impl Shared {
    /// Takes one if it is due by what the journal itself says: another handle may have published one.
    fn take_due_snapshot(&self) -> Result<()> {
        {
            let mut driver = self.driver()?;
            self.snapshots.find(&mut driver)?;
            driver.catch_up(&|| self.clock.now())?;
            self.tell(&mut driver);
            if !self.snapshots.is_due(&driver) {
                return Ok(());
            }
        }
        self.take_snapshot().map(drop)
    }

    fn take_snapshot(&self) -> Result<SnapshotName> {
        let _taking = self.snapshots.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut walks, mut spent) = (0, false);
        loop {
            match self.walk() {
                Err(error) if error.code() == Code::Cancelled && walks < WALKS => walks += 1,
                // The reserve was let go of: once more, with that.
                Err(error) if error.code() == Code::NoSpace && !spent => spent = true,
                done => return done,
            }
        }
    }

    fn walk(&self) -> Result<SnapshotName> {
        let (now, start) = (|| self.clock.now(), Instant::now());
        let (mut prepared, loads, author) = {
            let mut driver = self.driver()?;
            let prepared = driver.begin_snapshot(&now)?;
            (prepared, driver.engine().loads(), driver.engine().author())
        };
        let Prepared { walk, journal } = &mut prepared;
        let mut written = 0;
        let mut rested = Instant::now();
        self.driver()?.make_room(&mut **journal)?;
        let published = journal.publish_snapshot(&mut || loop {
            let driver = self.driver()?;
            if driver.engine().loads() != loads {
                return Err(Error::new(Code::Cancelled, "the state was loaded anew while it was walked"));
            }
            let slice = walk.slice(driver.engine().state(), driver.engine().tail(), SLICE);
            drop(driver);
            let Some((kind, raw)) = slice else {
                self.wait_durable(walk.end().position)?;
                return Ok(Piece::Name(SnapshotName { end: walk.end().revision, author }));
            };
            let passed = kind == ChunkKind::Items && raw.is_empty();
            // Where nothing was packed meanwhile, those who wait for the lock are let in.
            if passed || rested.elapsed() >= STRETCH {
                thread::sleep(BREATH);
                rested = Instant::now();
            }
            if !passed {
                // Packed and written beside the lock.
                let chunk = pack(kind, &raw);
                written += chunk.len() as u64;
                return Ok(Piece::Bytes(chunk));
            }
        });
        let (begin, end) = (*walk.begin(), walk.end().revision);
        if let Err(error) = published {
            let newer = overtaken(&mut **journal, begin.revision, error)?;
            self.snapshots.find(&mut *self.driver()?)?;
            return Ok(newer);
        }
        self.driver()?.remove_damaged(&mut **journal)?;
        self.snapshots.begin_at(begin.position.0, begin.revision.0, written);
        prune(&mut **journal)?;
        {
            let mut driver = self.driver()?;
            // It only spares others work; the next snapshot tries again.
            let _ = driver.lift_guard(end, &now);
            self.tell(&mut driver);
        }
        let name = SnapshotName { end, author };
        self.snapshots.taken.fetch_add(1, Ordering::Relaxed);
        crate::trace::snapshot(name.end, written, start.elapsed());
        Ok(name)
    }
}
