//! The thread that renews leases: each at a third of its time, from its own thread and not from the worker's, so that
//! work that never yields keeps its lease.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
};

use tenure_core::Millis;

use super::{Store, held::HeldState};
use crate::clock::Clock;

/// Leases by when they are due.
#[derive(Default)]
pub(crate) struct Renewals {
    due: Mutex<Due>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Due {
    leases: BTreeMap<(Millis, u64), Weak<HeldState>>,
    count: u64,
    thread: Option<Thread>,
}

impl Renewals {
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(thread) = &self.due.lock().unwrap_or_else(PoisonError::into_inner).thread {
            thread.unpark();
        }
    }

    fn insert(&self, at: Millis, lease: Weak<HeldState>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let first = due.leases.first_key_value().is_none_or(|((first, _), _)| at < *first);
        due.count += 1;
        let count = due.count;
        due.leases.insert((at, count), lease);
        if first && let Some(thread) = &due.thread {
            thread.unpark();
        }
    }
}

impl Store {
    /// Renews a lease in time, from now on.
    pub(super) fn renew_in_time(&self, held: &Arc<HeldState>) {
        let renewals = self.renewals();
        renewals.insert(next_due(held, self.now()), Arc::downgrade(held));
        let mut due = renewals.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.thread.is_none() {
            let (clock, shared) = (self.clock().clone(), renewals.clone());
            let spawned = thread::Builder::new().name("tenure-renew".into()).spawn(move || renew_loop(&shared, &clock));
            due.thread = spawned.ok().map(|handle| handle.thread().clone());
        }
    }
}

/// A third of the lease from now; earlier where the present lease ends sooner than a whole one would.
fn next_due(held: &HeldState, now: Millis) -> Millis {
    let third = (held.lease() / 3).max(1);
    let in_time = held.present().task.available_at.saturating_sub(third * 2);
    now.saturating_add(third).min(in_time).max(now)
}

fn renew_loop(renewals: &Renewals, clock: &Clock) {
    while !renewals.closed.load(Ordering::Acquire) {
        let mut due = renewals.due.lock().unwrap_or_else(PoisonError::into_inner);
        // What was dropped meanwhile needs no renewal.
        due.leases.retain(|_, lease| lease.strong_count() > 0);
        let next = due.leases.first_key_value().map(|((at, _), _)| *at);
        let lease = match next {
            Some(at) if at <= clock.now() => due.leases.pop_first().map(|(_, lease)| lease),
            _ => None,
        };
        drop(due);
        let Some(lease) = lease else {
            clock.park(next);
            continue;
        };
        let Some(held) = lease.upgrade() else { continue };
        let renewed = held.renew();
        // A failure of the storage is tried again while there is time; a lost lease is noted and left alone.
        let ended = held.is_lost() || held.present().ended;
        if !ended {
            let now = clock.now();
            let next = if renewed.is_ok() { next_due(&held, now) } else { now + (held.lease() / 20).max(1) };
            renewals.insert(next, lease);
        }
    }
}
