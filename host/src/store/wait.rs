//! Claims that wait: they sleep until a task is added or released, its time comes, or their own time is up.
//!
//! A stirred group wakes one waiter, the one that has waited longest; whoever leaves with something to claim still
//! in the group wakes the next. So a crowd of waiters is not woken for one task.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tenure_core::{Claim, Committed, Millis, Result};

use super::{Cancel, Shared, Store, at, batch::Work, post::Post};
use crate::file::{Interrupter, Notice};

/// How long events of a busy writer are gathered before a follower looks again.
const COOL_DOWN: Duration = Duration::from_millis(10);

/// How often a follower looks even without an event.
const POLL: Duration = Duration::from_secs(1);

/// Those who wait, by group.
#[derive(Default)]
pub(super) struct Waits {
    groups: Mutex<HashMap<Arc<str>, VecDeque<Arc<Waiter>>>>,
    count: AtomicU64,
    closed: AtomicBool,
    follower: Mutex<Follower>,
}

/// The thread that looks whether other processes have written, while somebody waits.
#[derive(Default)]
struct Follower {
    running: bool,
    thread: Option<Thread>,
    interrupter: Option<Interrupter>,
}

/// One who waits.
pub(super) struct Waiter {
    wake: Wake,
    woken: AtomicBool,
}

/// How one who waits is woken.
pub(super) enum Wake {
    /// A thread sleeps.
    Thread(Thread),
    /// A claim was posted under this number.
    Post(Arc<Post>, u64),
}

impl Waiter {
    fn wake(&self) {
        match &self.wake {
            Wake::Thread(thread) => thread.unpark(),
            Wake::Post(post, id) => post.wake(*id),
        }
    }
}

impl Waits {
    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    pub fn wake(&self, groups: &[Arc<str>]) {
        if self.is_empty() || groups.is_empty() {
            return;
        }
        let mut waiting = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups {
            let Some(queue) = waiting.get_mut(group) else { continue };
            // One that was woken for another group already is on its way.
            while let Some(waiter) = queue.pop_front() {
                if !waiter.woken.swap(true, Ordering::AcqRel) {
                    waiter.wake();
                    break;
                }
            }
        }
    }

    /// Wakes everyone: the handle is closed, or the journal can't be read.
    pub fn wake_all(&self) {
        let waiting = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for waiter in waiting.values().flatten() {
            waiter.woken.store(true, Ordering::Release);
            waiter.wake();
        }
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_all();
        let follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(interrupter) = &follower.interrupter {
            interrupter.interrupt();
        }
        if let Some(thread) = &follower.thread {
            thread.unpark();
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn enter(&self, groups: &[Arc<str>], wake: Wake) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { wake, woken: AtomicBool::new(false) });
        let mut waiting = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups {
            waiting.entry(group.clone()).or_default().push_back(waiter.clone());
        }
        self.count.fetch_add(1, Ordering::AcqRel);
        waiter
    }

    pub fn leave(&self, groups: &[Arc<str>], waiter: &Arc<Waiter>) {
        let mut waiting = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups {
            if let Some(queue) = waiting.get_mut(group) {
                queue.retain(|other| !Arc::ptr_eq(other, waiter));
                if queue.is_empty() {
                    waiting.remove(group);
                }
            }
        }
        self.count.fetch_sub(1, Ordering::AcqRel);
    }
}

/// While it lives, what other processes write is looked for.
pub(super) struct Interest(Arc<Waits>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Store {
    /// Claims tasks, and answers at once: an empty list where none is available.
    pub fn claim_now(&self, claim: Claim) -> Result<Committed> {
        at!(self, |shared| shared.submit(Work::Claim(claim)), |remote| remote.claim_until(&claim, Some(0), None))
    }

    /// Claims tasks; where none is available, waits for one until the clock shows `until` (`None`: for ever). The
    /// list is empty when the time is up.
    ///
    /// # Errors
    /// As [`update`](Store::update), and `Timeout` with code `cancelled` after [`Cancel::cancel`]: then nothing is held.
    pub fn claim_until(&self, claim: &Claim, until: Option<Millis>, cancel: Option<&Cancel>) -> Result<Committed> {
        at!(self, |shared| Shared::claim_until(shared, claim, until, cancel), |remote| remote
            .claim_until(claim, until, cancel))
    }
}

impl Shared {
    fn claim_until(
        shared: &Arc<Self>,
        claim: &Claim,
        until: Option<Millis>,
        cancel: Option<&Cancel>,
    ) -> Result<Committed> {
        let first = shared.submit(Work::Claim(claim.clone()))?;
        let now = shared.clock.now();
        if !first.tasks.is_empty() || first.repeated || until.is_some_and(|until| until <= now) {
            return shared.unless_cancelled(first, claim, cancel);
        }
        // Before the follower looks whether anybody waits.
        let _waiting = Self::interest(shared);
        let groups: Vec<Arc<str>> = claim.groups.iter().map(|group| Arc::from(group.as_str())).collect();
        if let Some(cancel) = cancel {
            cancel.join();
        }
        let waited = shared.wait_for(claim, &groups, until, cancel);
        if let Some(cancel) = cancel {
            cancel.part();
        }
        shared.unless_cancelled(waited?, claim, cancel)
    }

    fn wait_for(
        &self,
        claim: &Claim,
        groups: &[Arc<str>],
        until: Option<Millis>,
        cancel: Option<&Cancel>,
    ) -> Result<Committed> {
        loop {
            // In the queue before the look: what comes after the look wakes.
            let waiter = self.waits.enter(groups, Wake::Thread(thread::current()));
            let got = self.submit(Work::Claim(claim.clone()));
            let done = match &got {
                Ok(got) => !got.tasks.is_empty() || until.is_some_and(|until| until <= self.clock.now()),
                Err(_) => true,
            };
            let cancelled = cancel.is_some_and(Cancel::look);
            // Once the handle is closed the next look says so; this one may have come before.
            if done || cancelled {
                self.waits.leave(groups, &waiter);
                self.pass_on(groups);
                return got;
            }
            let next = groups.iter().filter_map(|group| self.next_available(group)).min();
            let wake = match (next, until) {
                (Some(next), Some(until)) => Some(next.min(until)),
                (next, until) => next.or(until),
            };
            while !waiter.woken.load(Ordering::Acquire)
                && !self.waits.is_closed()
                && !cancel.is_some_and(Cancel::look)
                && wake.is_none_or(|wake| wake > self.clock.now())
            {
                self.clock.park_at_most(wake, cancel.and_then(Cancel::every));
            }
            self.waits.leave(groups, &waiter);
        }
    }

    /// When something in a group that claims do not skip can be claimed.
    fn next_available(&self, group: &str) -> Option<Millis> {
        let driver = self.driver_anyway();
        let state = driver.engine().state();
        if state.paused(group) { None } else { state.next_available(group) }
    }

    /// Whoever leaves may have taken a wake that another needs, or be the only one who knows when the next task's time
    /// comes.
    pub(super) fn pass_on(&self, groups: &[Arc<str>]) {
        let left: Vec<Arc<str>> = groups.iter().filter(|group| self.next_available(group).is_some()).cloned().collect();
        self.waits.wake(&left);
    }

    /// Says that somebody is interested in what other processes write.
    pub(super) fn interest(shared: &Arc<Self>) -> Interest {
        shared.waits.count.fetch_add(1, Ordering::AcqRel);
        shared.follow();
        Interest(shared.waits.clone())
    }

    /// Sees to it that somebody looks what other processes write, while somebody waits.
    fn follow(&self) {
        let Some(path) = &self.path else { return };
        let mut follower = self.waits.follower.lock().unwrap_or_else(PoisonError::into_inner);
        if follower.running {
            if let Some(thread) = &follower.thread {
                thread.unpark();
            }
            return;
        }
        let Ok(mut notice) = Notice::new(path) else { return };
        notice.set_cool_down(COOL_DOWN);
        follower.running = true;
        follower.interrupter = Some(notice.interrupter());
        let waits = self.waits.clone();
        let shared = self.own.clone();
        let spawned = thread::Builder::new()
            .name("tenure-follow".into())
            .spawn(move || follow_loop(&waits, &shared, &mut notice));
        match spawned {
            Ok(handle) => follower.thread = Some(handle.thread().clone()),
            Err(_) => follower.running = false,
        }
    }
}

fn follow_loop(waits: &Waits, shared: &Weak<Shared>, notice: &mut Notice) {
    while !waits.is_closed() {
        if waits.count.load(Ordering::Acquire) == 0 {
            // Nobody waits: nothing to look for until somebody does.
            thread::park_timeout(Duration::from_hours(1));
            continue;
        }
        notice.wait(POLL);
        let Some(shared) = shared.upgrade() else { return };
        let Ok(mut driver) = shared.driver() else { return };
        // A failure is met again, and told, by whoever asks next.
        let caught_up = driver.catch_up(&|| shared.clock.now());
        shared.after(&mut driver);
        if caught_up.is_err() {
            waits.wake_all();
        }
    }
}
