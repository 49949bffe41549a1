//! Ending a wait for the journal's lock, and one for a thread that waits for it, for hosts that learn of a signal only when they
//! look.

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError},
    thread,
    time::{Duration, Instant},
};

static CHECK: OnceLock<fn() -> bool> = OnceLock::new();

/// How often a waiting thread asks.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// Tries without a sleep between them, at what another thread of this process has.
const TRIES: u32 = 64;
/// What it sleeps after these: twice as long each time, up to this.
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// From now on every thread that waits for the lock of a store in a folder asks `check` now and then, and gives up
/// with code `cancelled` where the answer is yes. For the whole process, once: a later call changes nothing.
pub fn check_while_waiting(check: fn() -> bool) {
    let _ = CHECK.set(check);
}

/// Whether there is anybody to ask.
pub(crate) fn is_checked() -> bool {
    CHECK.get().is_some()
}

/// Takes what another thread may keep while it waits for the lock of a store; `None` where this thread is to give up.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    if !is_checked() {
        return Some(mutex.lock().unwrap_or_else(PoisonError::into_inner));
    }
    let mut look = None;
    let mut sleep = Duration::from_micros(50);
    for tries in 0_u64.. {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        // Most of them are given back within microseconds.
        if tries < u64::from(TRIES) {
            thread::yield_now();
            continue;
        }
        let now = Instant::now();
        if look.get_or_insert_with(|| Look::begin(now)).again(now) {
            return None;
        }
        thread::sleep(sleep);
        sleep = (sleep * 2).min(LONGEST_SLEEP);
    }
    None
}

/// Asks now and then.
#[derive(Debug)]
pub(crate) struct Look(Instant);

impl Look {
    pub(crate) fn begin(now: Instant) -> Self {
        Self(now)
    }

    /// Whether to give up.
    pub(crate) fn again(&mut self, now: Instant) -> bool {
        if now.duration_since(self.0) < LOOK {
            return false;
        }
        self.0 = now;
        CHECK.get().is_some_and(|check| check())
    }
}
