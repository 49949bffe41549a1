//! A thread-safe store: one engine behind a lock, commits in groups, waits, held leases, background snapshots.
//!
//! ```text
//!  threads ── submit ──► queue ──► leader: section { catch up, stage all, append, confirm } ──► until
//!                                                          │ stirred groups wake waiting claims
//!                                  syncer: one sync for all whose `until` it covers ──► answers
//! ```
//!
//! * `place`      where it is done: by the engine here, or by a service
//! * `alone`      a store that one handle has for itself
//! * `commit`     the queue and its leader, `run` what it does; `batch` several requests of one caller
//! * `durable`    waiting for stable storage, one sync for all
//! * `wait`       claims that wait, `cancel` what ends them
//! * `post`       requests that hold no thread, committed by `courier`, in `rounds` where the host has a loop
//! * `read`       consistent and weak reads
//! * `verb`       the verbs on a task
//! * `transact`   a closure over a transaction, run again when what it read has changed; `subject` what it can name
//! * `held`       leases that renew themselves, by `renewal`; `claims` iterates over them; `staged` a change of one in a batch
//! * `watch`      confirmed entries, as they come
//! * `snapshot`   snapshots in the background
//! * `level`      the format level

mod alone;
mod batch;
mod cancel;
mod claims;
mod commit;
mod courier;
mod durable;
mod held;
mod level;
mod open;
mod place;
mod post;
mod read;
mod renewal;
mod rounds;
mod run;
mod snapshot;
mod staged;
mod stats;
mod subject;
mod transact;
mod verb;
mod wait;
mod watch;

pub use batch::{Batch, Work};
pub use cancel::Cancel;
pub use claims::Claims;
pub use held::Held;
pub(crate) use open::{default_actor, random, random_id};
pub use post::Posted;
pub use read::Filter;
pub use rounds::{Answers, Rounds};
pub use staged::Staged;
pub use stats::Stats;
pub use subject::Subject;
pub use transact::Transaction;
pub use verb::TaskName;
pub(crate) use verb::millis;
pub use watch::Watch;
#[cfg(feature = "client")]
pub(crate) use {
    cancel::cancelled,
    renewal::Renewals,
    verb::{only, release},
};

use place::{Place, at};

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tenure_core::{Code, Error, Millis, Outcome, OwnerId, Result, StoreId, driver::Driver};

#[cfg(feature = "client")]
use crate::remote::Remote;
use crate::{clock::Clock, durations::Stopwatch, file::Life, interrupt};

/// A handle on a store. Clones share it; it is closed when it is [closed](Store::close) or the last clone is gone.
#[derive(Clone)]
pub struct Store {
    place: Place,
    weak_reads: bool,
}

struct Shared {
    driver: Mutex<Driver>,
    queue: commit::Queue,
    durable: Arc<durable::Durable>,
    waits: Arc<wait::Waits>,
    post: Arc<post::Post>,
    watches: watch::Watches,
    renewals: Arc<renewal::Renewals>,
    snapshots: Arc<snapshot::Snapshots>,
    path: Option<PathBuf>,
    lock_waits: Arc<Stopwatch>,
    /// Held while this handle has the store for itself.
    life: Mutex<Option<Life>>,
    identity: StoreId,
    owner: OwnerId,
    actor: Arc<str>,
    clock: Clock,
    strict: bool,
    read_only: bool,
    closed: AtomicBool,
    fork: u64,
    /// This handle itself, for the threads that serve it and must not keep it alive.
    own: Weak<Self>,
}

impl Store {
    /// The store's identity: random, drawn when it was created.
    pub fn identity(&self) -> StoreId {
        at!(self, |shared| shared.identity, |remote| remote.client().identity())
    }

    /// The folder that it lies in; none in memory, or in a journal that the host supplied.
    pub fn path(&self) -> Option<&std::path::Path> {
        at!(self, |shared| shared.path.as_deref(), |_remote| None)
    }

    /// The owner of requests that name none.
    pub fn owner(&self) -> OwnerId {
        at!(self, |shared| shared.owner, |remote| remote.client().owner())
    }

    /// The label of who does it.
    pub fn actor(&self) -> &str {
        at!(self, |shared| &shared.actor, |remote| remote.client().actor())
    }

    /// The time by this handle's clock, in milliseconds since the Epoch.
    pub fn now(&self) -> Millis {
        self.clock().now()
    }

    fn clock(&self) -> &Clock {
        at!(self, |shared| &shared.clock, |remote| remote.clock())
    }

    fn renewals(&self) -> &Arc<renewal::Renewals> {
        at!(self, |shared| &shared.renewals, |remote| remote.renewals())
    }

    /// `Err` where no call can be made any more.
    pub(super) fn may_go_on(&self) -> Result<()> {
        at!(self, |shared| shared.may_go_on(), |remote| remote.may_go_on())
    }

    /// The service that it is asked of, where it is not in this process.
    #[cfg(feature = "client")]
    pub(crate) fn remote(&self) -> Option<&Arc<Remote>> {
        at!(self, |_shared| None, |remote| Some(remote))
    }

    /// The same store with reads that never wait: they see what this handle has seen, and nothing of what others did
    /// since.
    #[must_use]
    pub fn weak(&self) -> Self {
        Self { weak_reads: true, ..self.clone() }
    }

    /// `Err` with code `forked` in a process that inherited this handle. Every call that can fail says so by itself; those
    /// that can't, as of a [`Held`], may hang there.
    pub fn here(&self) -> Result<()> {
        at!(self, |shared| shared.here(), |remote| remote.here())
    }

    /// Waits until everything that was answered is on stable storage.
    pub fn flush(&self) -> Result<()> {
        at!(self, |shared| shared.flush(), |remote| remote.read(remote.client().flush()))
    }

    /// Ends the handle: waiting claims end, everything that was answered is made durable, and an exclusive store is
    /// given back. Later calls answer `Closed`.
    pub fn close(&self) -> Result<()> {
        at!(self, |shared| shared.close(), |remote| {
            remote.close();
            Ok(())
        })
    }
}

impl Shared {
    /// The engine and its journal, while the handle is open and in the process that opened it.
    fn driver(&self) -> Result<MutexGuard<'_, Driver>> {
        self.may_go_on()?;
        // Another thread may have it while it waits for the journal's lock.
        interrupt::lock(&self.driver).ok_or_else(|| commit::interrupted(Outcome::NotStarted))
    }

    fn driver_anyway(&self) -> MutexGuard<'_, Driver> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Err` in a forked process, where another thread's lock may be held for ever.
    fn here(&self) -> Result<()> {
        if self.fork == crate::fork::generation() {
            return Ok(());
        }
        Err(Error::new(
            Code::Forked,
            "this handle was inherited by a forked process, where its threads and locks do not exist: open the store anew there",
        ))
    }

    fn may_go_on(&self) -> Result<()> {
        self.here()?;
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::new(Code::Closed, "the handle was closed: open the store again"));
        }
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        let until = self.driver()?.engine().tail().position;
        self.wait_durable(until)
    }

    fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        crate::trace::closed(self.identity);
        self.end()
    }

    /// Ends the background, flushes, gives back an exclusive store, closes the journal.
    fn end(&self) -> Result<()> {
        if self.fork != crate::fork::generation() {
            return Ok(());
        }
        self.waits.close();
        self.post.close();
        self.watches.close();
        self.renewals.close();
        self.snapshots.close();
        self.durable.close();
        let mut driver = self.driver_anyway();
        let now = || self.clock.now();
        // A store that is not this handle's alone is not given back, and its lock not taken for that.
        let alone = driver.engine().state().exclusive() == driver.engine().author();
        let released = if self.read_only || !alone { Ok(()) } else { driver.release(&now).map(|_| ()) };
        drop(self.life.lock().unwrap_or_else(PoisonError::into_inner).take());
        let closed = driver.journal().close();
        driver.engine_mut().close(Error::new(Code::Closed, "the handle was closed: open the store again"));
        // A store that was fenced has nothing to give back.
        match released {
            Err(error) if error.code() != Code::Fenced && error.code() != Code::Closed => Err(error),
            _ => closed,
        }
    }
}

/// What the clones of a store share and the threads that serve it do not: the last of them ends the handle, on the thread
/// that drops it, so that everything is written before that thread goes on.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        if !self.0.closed.swap(true, Ordering::AcqRel) {
            // Nobody is left to be told.
            let _ = self.0.end();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path())
            .field("identity", &self.identity())
            .field("owner", &self.owner())
            .finish_non_exhaustive()
    }
}
