//! The lock: tried and backed off from, never blocked on and never broken.
//!
//! A blocking lock can't be waited for with a bound, and the kernel's is unfair: who gives it back takes it again
//! before the one that was woken has run. So every handle tries, sleeps a little longer each time up to 1 ms, and a
//! handle that held it for long stays away for long enough that each of the others has tried once.
//!
//! Nobody spins, though most sections take a few microseconds: who sleeps leaves the lock to one that has all entries
//! in its caches, and finds many of them later, to be read at once. On two cores four processes got 1.3 times as much
//! done, for half of the CPU time, as with six tries in a row.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tenure_core::{Code, Error, Result, time::Millis};

use super::{fault, platform, shared::Shared};
use crate::{durations::Stopwatch, interrupt::Look};

const FIRST_SLEEP: Duration = Duration::from_micros(50);
const LONGEST_SLEEP: Duration = Duration::from_millis(1);
/// A hold longer than this is followed by a pause.
const LONG_HOLD: Duration = Duration::from_millis(1);
/// The pause: an eighth of the hold, between these two. The longer one exceeds `LONGEST_SLEEP`.
const PAUSE: (Duration, Duration) = (Duration::from_micros(200), Duration::from_micros(1_300));
/// How often it is looked whether the lock file still has its name.
const LOOK: Duration = Duration::from_millis(100);

/// One handle's lock. It excludes every other one on the same file, in this process and in others.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    fork: u64,
    held_since: Option<Instant>,
    asking: Option<Asking>,
    stay_away_until: Option<Instant>,
    looked: Instant,
    waits: Arc<Stopwatch>,
}

/// A lock that was asked for in vain.
#[derive(Debug)]
struct Asking {
    since: Instant,
    deadline: Option<Instant>,
    /// Before the next try but the first.
    sleep: Duration,
    look: Look,
}

impl Lock {
    /// A lock that is not held, on a descriptor that nobody else has.
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self {
            file,
            path,
            fork: crate::fork::generation(),
            held_since: None,
            asking: None,
            stay_away_until: None,
            looked: Instant::now(),
            waits: Arc::default(),
        }
    }

    /// How long it was waited for, each time that it was taken.
    pub(super) fn waits(&self) -> Arc<Stopwatch> {
        self.waits.clone()
    }

    /// One attempt at it: whether it was taken. Who gets `false` asks again; the first of these calls sets the time
    /// after which the answer is `Code::LockTimeout`, `wait` later.
    pub(super) fn attempt(&mut self, wait: Millis, shared: &Shared) -> Result<bool> {
        if self.held_since.is_some() {
            return Err(Error::new(
                Code::Internal,
                format!("{} is locked by this very handle: please report this", self.path.display()),
            ));
        }
        self.stay_away();
        if !self.try_once()? {
            self.wait_a_little(wait, shared)?;
            return Ok(false);
        }
        let mut now = Instant::now();
        // Who gets it at the first try has not waited: the time is not asked for again for that.
        self.waits.note(self.asking.take().map_or(Duration::ZERO, |asking| now.duration_since(asking.since)));
        if now.duration_since(self.looked) >= LOOK {
            if !shared.has_name() {
                self.give_back();
                return Err(self.replaced());
            }
            now = Instant::now();
            self.looked = now;
        }
        if !platform::knows_holders() {
            shared.name_holder();
        }
        self.held_since = Some(now);
        Ok(true)
    }

    /// Gives it back, where it is held. Not for a process that inherited the descriptor: it would free the lock of
    /// the one that holds it. Dropping is right there.
    pub(super) fn release(&mut self) {
        self.asking = None;
        let Some(since) = self.held_since.take() else { return };
        self.give_back();
        let held = since.elapsed();
        if held > LONG_HOLD {
            self.stay_away_until = Some(Instant::now() + (held / 8).clamp(PAUSE.0, PAUSE.1));
        }
    }

    fn stay_away(&mut self) {
        if let Some(until) = self.stay_away_until.take() {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                thread::sleep(left);
            }
        }
    }

    fn try_once(&self) -> Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Interrupted => Ok(false),
            Err(TryLockError::Error(error)) => Err(fault::fault(error, "lock", &self.path)),
        }
    }

    /// A sleep between two attempts; at the first call none, and the caller looks about.
    #[cold]
    fn wait_a_little(&mut self, wait: Millis, shared: &Shared) -> Result<()> {
        let now = Instant::now();
        let Some(asking) = &mut self.asking else {
            // A wait too long to reckon with is one for ever.
            let deadline = now.checked_add(Duration::from_millis(wait));
            let look = Look::begin(now);
            self.asking = Some(Asking { since: now, deadline, sleep: FIRST_SLEEP, look });
            return Ok(());
        };
        let (deadline, sleep) = (asking.deadline, asking.sleep);
        asking.sleep = (sleep * 2).min(LONGEST_SLEEP);
        if asking.look.again(now) {
            self.asking = None;
            return Err(interrupted());
        }
        let left = deadline.map_or(LONGEST_SLEEP, |deadline| deadline.saturating_duration_since(now));
        if left.is_zero() {
            self.asking = None;
            return Err(self.timeout(wait, shared));
        }
        thread::sleep(sleep.min(left));
        Ok(())
    }

    fn give_back(&self) {
        let _ = self.file.unlock();
    }

    #[cold]
    fn timeout(&self, wait: Millis, shared: &Shared) -> Error {
        let holder = if platform::knows_holders() { platform::holder(&self.file) } else { shared.holder() };
        Error::new(Code::LockTimeout, message(&self.path, wait, holder))
    }

    #[cold]
    fn replaced(&self) -> Error {
        Error::new(
            Code::Replaced,
            format!(
                "the lock file {} was removed while this handle was open, with the store or without it: close every \
                 handle, then open the store again",
                self.path.display()
            ),
        )
    }
}

#[cold]
fn interrupted() -> Error {
    Error::new(Code::Cancelled, "the wait for the journal's lock was interrupted; nothing was begun")
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough where a forked process has the descriptor too; and in that process nothing else is
        // allowed.
        if self.held_since.take().is_some() && crate::fork::generation() == self.fork {
            self.give_back();
        }
    }
}

fn message(path: &Path, wait: Millis, holder: Option<u32>) -> String {
    let path = path.display();
    match holder {
        Some(pid) => match platform::process_name(pid) {
            Some(name) => format!(
                "{path} was not free within {wait} ms: process {pid} ({name}) holds it; wait for it, or end it if it \
                 is stopped or stuck, which frees the lock"
            ),
            None => format!(
                "{path} was not free within {wait} ms: process {pid} took it and has ended, but one that it forked \
                 still has it open; end that one, which frees the lock"
            ),
        },
        None => format!(
            "{path} was not free within {wait} ms: a process that can't be seen from here holds it; wait for it, or \
             look for it on the other side of the container"
        ),
    }
}
