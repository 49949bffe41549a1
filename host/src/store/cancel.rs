//! Ending waits from outside.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tenure_core::{Claim, Code, Committed, Error, Request, Result, When};

use super::{Shared, batch::Work, verb::release};

/// Ends a wait from another thread.
#[derive(Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    cancelled: AtomicBool,
    threads: Mutex<Vec<Thread>>,
    check: Option<(Duration, Check)>,
}

/// Whether the wait should end, asked on the waiting thread.
type Check = Box<dyn Fn() -> bool + Send + Sync>;

impl Cancel {
    /// Nothing cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing cancelled yet; while a thread waits, it asks `check` that often, and cancels where the answer is yes. For
    /// hosts that learn only on the waiting thread that they should stop, as from a pending signal.
    pub fn checking(every: Duration, check: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(CancelState { check: Some((every, Box::new(check))), ..CancelState::default() }))
    }

    /// Every wait that was given this one ends with `Cancelled`, now and later. What it has got, it releases first.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|thread| thread.unpark());
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// Whether it was cancelled, or is now, by what the host's check says.
    pub(crate) fn look(&self) -> bool {
        if !self.is_cancelled() && self.0.check.as_ref().is_some_and(|(_, check)| check()) {
            self.cancel();
        }
        self.is_cancelled()
    }

    /// How long a wait may sleep before it looks again.
    pub(crate) fn every(&self) -> Option<Duration> {
        self.0.check.as_ref().map(|(every, _)| *every)
    }

    pub(super) fn join(&self) {
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let me = thread::current();
        threads.retain(|thread| thread.id() != me.id());
        threads.push(me);
    }

    /// Joined until what it gives is dropped.
    #[cfg(feature = "client")]
    pub(crate) fn joined(&self) -> impl Drop + '_ {
        struct Joined<'a>(&'a Cancel);
        impl Drop for Joined<'_> {
            fn drop(&mut self) {
                self.0.part();
            }
        }
        self.join();
        Joined(self)
    }

    pub(super) fn part(&self) {
        let me = thread::current().id();
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).retain(|thread| thread.id() != me);
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

impl Shared {
    /// A cancelled wait holds nothing: what came too late is given back by its very id.
    pub(super) fn unless_cancelled(&self, got: Committed, claim: &Claim, cancel: Option<&Cancel>) -> Result<Committed> {
        if !cancel.is_some_and(Cancel::is_cancelled) {
            return Ok(got);
        }
        if !got.tasks.is_empty() {
            let mut request = Request { owner: claim.owner, ..Default::default() };
            request.updates.extend(got.tasks.iter().map(|task| release(task, When::Now)));
            self.submit(Work::Update(request))?;
        }
        Err(cancelled())
    }
}

#[cold]
pub(crate) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the wait was cancelled; nothing is held by it")
}
