//! The turn to sync a file: a lock on the file's own descriptor, waited for with a bound.
//!
//! Syncs of one file that run at once each take longer than one alone, and write the same pages. So processes take
//! turns. The lock is not the folder's: appends go on beside it. It orders and protects nothing, so whatever goes wrong
//! with it only means that one syncs without. A holder may be stopped, or was killed and a process that it forked still
//! has the descriptor.
//!
//! Turns pay only where a sync is quick. On a slow disk the file system's own journal lets syncs that run at once share a
//! write; and where other programs keep all cores busy, a single sync waits for a core at each of its steps, while of
//! several there is always one that has it. There a turn does not come in time, and for a while none is waited for.

use std::{
    fs::File,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use tenure_core::bytelog;

use super::platform;

/// How long a turn is waited for: some syncs of a quick disk.
const PATIENCE: Duration = Duration::from_millis(1);
/// The sleeps between two looks: a quarter of what has been waited for, between these two.
const SLEEP: (Duration, Duration) = (Duration::from_micros(20), Duration::from_micros(200));
/// How many syncs do not wait after a wait in vain.
pub(super) const REST: u32 = 256;

/// What an open file knows of turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Syncs that are still not to wait.
    rest: AtomicU32,
}

impl Turns {
    /// See [`bytelog::DiskFile::take_turn`].
    pub(super) fn take(&self, file: &File, served: &mut dyn FnMut() -> bool) -> bytelog::Turn {
        let mut began = None;
        let rest = self.rest.load(Ordering::Relaxed);
        self.rest.store(rest.saturating_sub(1), Ordering::Relaxed);
        loop {
            match platform::try_turn(file) {
                Ok(true) => return bytelog::Turn::Taken,
                Ok(false) => {}
                Err(_) => return bytelog::Turn::None,
            }
            if served() {
                return bytelog::Turn::Served;
            }
            if rest > 0 {
                return bytelog::Turn::None;
            }
            let waited = began.get_or_insert_with(Instant::now).elapsed();
            if waited >= PATIENCE {
                self.rest.store(REST, Ordering::Relaxed);
                return bytelog::Turn::None;
            }
            thread::sleep((waited / 4).clamp(SLEEP.0, SLEEP.1));
        }
    }
}
