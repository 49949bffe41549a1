//! Ending a wait for the journal's lock, for hosts that learn of a signal only when they look.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

static CHECK: OnceLock<fn() -> bool> = OnceLock::new();

/// How often a waiting thread asks.
const LOOK: Duration = Duration::from_millis(50);

/// From now on every thread that waits for the lock of a store in a folder asks `check` now and then, and gives up
/// with code `cancelled` where the answer is yes. For the whole process, once: a later call changes nothing.
pub fn check_while_waiting(check: fn() -> bool) {
    let _ = CHECK.set(check);
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
