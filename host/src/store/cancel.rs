//! Ending waits from outside.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
};

/// Ends a wait from another thread.
#[derive(Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    cancelled: AtomicBool,
    threads: Mutex<Vec<Thread>>,
}

impl Cancel {
    /// Nothing cancelled yet.
    pub fn new() -> Self {
        Self::default()
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

    pub(super) fn join(&self) {
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let me = thread::current();
        threads.retain(|thread| thread.id() != me.id());
        threads.push(me);
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
