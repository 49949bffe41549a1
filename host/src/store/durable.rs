//! Waiting for stable storage. One sync serves all who wait; whoever needs one while none runs, runs it.

use std::{
    sync::{
        Condvar, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tenure_core::{Code, Error, Kind, Outcome, Position, Result};

use super::Shared;
use crate::durations::{Durations, Stopwatch};

/// What is durable, who waits for more, and whether a sync runs.
#[derive(Default)]
pub(super) struct Durable {
    covered: AtomicU64,
    syncs: AtomicU64,
    failures: AtomicU64,
    times: Stopwatch,
    /// How far an opportunistic answer went.
    answered: AtomicU64,
    state: Mutex<State>,
    dirty: Condvar,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    running: bool,
    sleeping: Vec<(Position, Thread)>,
    flusher: bool,
}

impl Durable {
    pub fn covers(&self, until: Position) -> bool {
        self.covered.load(Ordering::Acquire) >= until.0
    }

    pub fn cover(&self, position: Position) {
        self.covered.fetch_max(position.0, Ordering::SeqCst);
    }

    /// Syncs that ran, and syncs that failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.syncs.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed))
    }

    /// How long the syncs took.
    pub fn times(&self) -> Durations {
        self.times.read()
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.dirty.notify_all();
    }

    /// Threads whose answers lie ready and wait for this.
    pub fn wake_at(&self, until: Position, threads: Vec<Thread>) {
        if threads.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.covers(until) {
            // A sync that covers them has ended meanwhile.
            threads.iter().for_each(Thread::unpark);
            return;
        }
        state.sleeping.extend(threads.into_iter().map(|thread| (until, thread)));
    }

    /// An opportunistic answer was given: the flusher makes it durable within its time.
    pub fn flush_soon(&self, until: Position) {
        if self.covers(until) {
            return;
        }
        // The flusher covers first and looks then how far answers went; here it is the other way round. So one of the two
        // sees the other, and a flusher that has something to do is not told again.
        let before = self.answered.fetch_max(until.0, Ordering::SeqCst);
        if before < until.0 && self.covered.load(Ordering::SeqCst) >= before {
            // Under the lock, so that a flusher that has looked is at rest by now.
            let flusher = self.state.lock().unwrap_or_else(PoisonError::into_inner).flusher;
            if flusher {
                self.dirty.notify_one();
            }
        }
    }

    fn answered(&self) -> Position {
        Position(self.answered.load(Ordering::SeqCst))
    }
}

impl Shared {
    /// Waits until the journal is durable up to `until`: by another's sync, or by running one.
    pub(super) fn wait_durable(&self, until: Position) -> Result<()> {
        loop {
            if self.durable.covers(until) {
                return Ok(());
            }
            let mut state = self.durable.state.lock().unwrap_or_else(PoisonError::into_inner);
            if self.durable.covers(until) {
                return Ok(());
            }
            if state.running {
                let me = thread::current();
                if !state.sleeping.iter().any(|(_, thread)| thread.id() == me.id()) {
                    state.sleeping.push((until, me));
                }
                drop(state);
                thread::park();
                continue;
            }
            state.running = true;
            drop(state);
            let synced = self.sync_once();
            self.wake_after(&synced);
            synced?;
        }
    }

    /// Wakes whom a sync has served, then one of those who have come since, to run the next.
    fn wake_after(&self, synced: &Result<()>) {
        let mut state = self.durable.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (served, later): (Vec<_>, Vec<_>) = std::mem::take(&mut state.sleeping)
            .into_iter()
            // After a failure all wake and see for themselves.
            .partition(|(position, _)| synced.is_err() || self.durable.covers(*position));
        state.sleeping = later;
        drop(state);
        // Meanwhile a sync counts as running still: what the first of them commit gathers for one sync, and they sleep
        // until then, where otherwise the first began a sync of his own, or all met at the lock.
        for (_, thread) in &served {
            thread.unpark();
        }
        let mut state = self.durable.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = false;
        let next = (!state.sleeping.is_empty()).then(|| state.sleeping.remove(0));
        drop(state);
        // He takes the others along.
        if let Some((_, thread)) = next {
            thread.unpark();
        }
    }

    /// One sync. After one that failed nothing is believed of what it should have covered: it is written again.
    fn sync_once(&self) -> Result<()> {
        let mut sync = self.driver_anyway().syncer();
        self.durable.syncs.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let synced = sync.sync();
        let took = began.elapsed();
        self.durable.times.note(took);
        crate::trace::synced(took, synced.as_ref().err());
        match synced {
            Ok(synced) => {
                self.driver_anyway().note_synced(&synced);
                self.durable.cover(synced.position);
                Ok(())
            }
            // No failure of the storage: there is nothing to write again.
            Err(error) if matches!(error.kind(), Kind::Fenced | Kind::Closed) => Err(error),
            Err(error) => {
                self.durable.failures.fetch_add(1, Ordering::Relaxed);
                let mut driver = self.driver_anyway();
                driver.heal().map_err(|second| {
                    Error::new(
                        Code::Suspect,
                        format!("a sync failed ({error}), and writing the same again elsewhere failed too ({second}): see to the storage, then try again"),
                    )
                    .with_outcome(Outcome::Unknown)
                })?;
                let position = driver.durable();
                drop(driver);
                self.durable.cover(position);
                Ok(())
            }
        }
    }
}

/// Makes opportunistic answers durable within their time, until the store is closed.
pub(super) fn flush_loop(durable: &Durable, shared: &Weak<Shared>, every: Duration) {
    let mut state = durable.state.lock().unwrap_or_else(PoisonError::into_inner);
    state.flusher = true;
    while !durable.closed.load(Ordering::Acquire) {
        // In this order: see `flush_soon`.
        let covered = durable.covered.load(Ordering::SeqCst);
        if covered >= durable.answered().0 {
            state = durable.dirty.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        // What comes within this time goes along.
        let open = |_: &mut State| !durable.closed.load(Ordering::Acquire);
        state = durable.dirty.wait_timeout_while(state, every / 2, open).unwrap_or_else(PoisonError::into_inner).0;
        drop(state);
        let until = durable.answered();
        let Some(shared) = shared.upgrade() else { return };
        let flushed = shared.wait_durable(until);
        drop(shared);
        state = durable.state.lock().unwrap_or_else(PoisonError::into_inner);
        if flushed.is_err() {
            // It stays not covered: the next round, and `flush`, try again and say so.
            state = durable.dirty.wait_timeout(state, every).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
