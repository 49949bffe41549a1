//! A waiter that tells when somebody has written to the directory.
//!
//! Where the system notifies, a write wakes it at once and it looks for itself once a second; elsewhere it looks
//! every 25 ms. It can't tell who wrote: the caller looks at the journal's tail, which is cheap.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tenure_core::Result;

use super::{
    fault::fault,
    platform::{Bell, Rang, Ringer},
};

/// Between two looks where writes are notified: notifications may be lost, and shared bytes may change without one.
const SLOW_LOOK: Duration = Duration::from_secs(1);
/// Between two looks where they are not.
const FAST_LOOK: Duration = Duration::from_millis(25);

/// Tells when somebody has written to a directory. It belongs to the process that made it: after a fork, make
/// another.
#[derive(Debug)]
pub struct Notice {
    bell: Bell,
    cool_down: Duration,
    last_wake: Option<Instant>,
    last_look: Instant,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Interrupter(Ringer);

impl Interrupter {
    /// Makes the wait that runs, or else the next one, return `false` at once.
    pub fn interrupt(&self) {
        self.0.ring();
    }
}

impl Notice {
    /// Begins to watch a directory: every write after this wakes a wait, also one that begins later.
    pub fn new(dir: &Path) -> Result<Self> {
        Bell::new(dir).map(Self::at).map_err(|error| fault(error, "watch", dir))
    }

    pub(super) fn at(bell: Bell) -> Self {
        Self { bell, cool_down: Duration::ZERO, last_wake: None, last_look: Instant::now() }
    }

    /// For how long after a wake further writes are gathered into the next one; none at first. With 10 ms a busy
    /// writer causes at most 100 wakes a second, and a single write after a rest is still told at once.
    /// At most a second.
    pub fn set_cool_down(&mut self, cool_down: Duration) {
        self.cool_down = cool_down.min(SLOW_LOOK);
    }

    /// Whether the system notifies of writes at present; else they are looked for every 25 ms.
    pub fn is_notified(&self) -> bool {
        self.bell.armed()
    }

    /// What ends a wait from another thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.bell.ringer())
    }

    /// Waits until it is worth looking for something new, which is `true`; or, `false`, until `timeout` has passed
    /// or somebody interrupted. What is written after it returned wakes the next wait, so look between two.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        let mut now = Instant::now();
        let deadline = now.checked_add(timeout);
        loop {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
            let cooling =
                self.last_wake.map_or(Duration::ZERO, |wake| (wake + self.cool_down).saturating_duration_since(now));
            let rang = if cooling.is_zero() {
                let period = if self.bell.armed() { SLOW_LOOK } else { FAST_LOOK };
                let look = (self.last_look + period).saturating_duration_since(now);
                self.bell.wait(look.min(left), true)
            } else {
                self.bell.wait(cooling.min(left), false)
            };
            now = Instant::now();
            match rang {
                Rang::Interrupted => return false,
                Rang::Written => {
                    // Armed before the caller looks: a write that it does not see wakes the next wait.
                    self.bell.arm();
                    self.last_wake = Some(now);
                    self.last_look = now;
                    return true;
                }
                Rang::Nothing => {
                    let period = if self.bell.armed() { SLOW_LOOK } else { FAST_LOOK };
                    if now.saturating_duration_since(self.last_look) >= period {
                        // Watches may have become available in the meantime.
                        self.bell.arm();
                        self.last_look = now;
                        return true;
                    }
                    if deadline.is_some_and(|deadline| deadline <= now) {
                        return false;
                    }
                }
            }
        }
    }
}
