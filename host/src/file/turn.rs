//! The turn to sync a file: a lock on the file's own descriptor, waited for with a bound.
//!
//! Several processes that sync one file at once each wait for longer than one alone, and write the same pages. So they
//! take turns. The lock is not the folder's: appends go on beside it. It orders and protects nothing, so whatever goes
//! wrong with it only means that one syncs without. That may be because a holder is stopped, or because it was killed
//! and a process that it forked still has the descriptor.

use std::{
    fs::File,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use tenure_core::bytelog;

use super::platform;

/// How long a turn is waited for: longer than a sync takes on most disks.
const PATIENCE: Duration = Duration::from_millis(100);
/// The sleeps between two looks: a quarter of what has been waited for, between these two.
const SLEEP: (Duration, Duration) = (Duration::from_micros(30), Duration::from_millis(1));

/// What an open file knows of turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Set when a turn did not come in time. Until one is free again none is waited for, so that one who is stopped costs
    /// each of the others one wait, and not one for each sync.
    in_vain: AtomicBool,
}

impl Turns {
    /// See [`bytelog::DiskFile::take_turn`].
    pub(super) fn take(&self, file: &File, served: &mut dyn FnMut() -> bool) -> bytelog::Turn {
        let began = Instant::now();
        loop {
            match platform::try_turn(file) {
                Ok(true) => {
                    self.in_vain.store(false, Ordering::Relaxed);
                    return bytelog::Turn::Taken;
                }
                Ok(false) => {}
                Err(_) => return bytelog::Turn::None,
            }
            if served() {
                return bytelog::Turn::Served;
            }
            let waited = began.elapsed();
            if waited >= PATIENCE || self.in_vain.load(Ordering::Relaxed) {
                self.in_vain.store(true, Ordering::Relaxed);
                return bytelog::Turn::None;
            }
            thread::sleep((waited / 4).clamp(SLEEP.0, SLEEP.1));
        }
    }
}
