//! Driving a future on the thread that asks for it.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tenure_core::{Error, Outcome};
use tokio::runtime::Runtime;

use super::call::closed;
use crate::{
    interrupt,
    store::{Cancel, cancelled},
};

/// How often a sleeping thread asks whether the host wants it back.
const LOOK: Duration = Duration::from_millis(50);

/// Wakes a thread that drives a future.
struct Driven {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Driven {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Why a thread no longer drives a future.
pub(super) enum Left {
    Cancelled,
    Closed,
    Interrupted,
}

impl Left {
    pub fn error(&self, writes: bool) -> Error {
        let error = match self {
            Self::Closed => closed(),
            Self::Cancelled | Self::Interrupted => cancelled(),
        };
        if writes { error.with_outcome(Outcome::Unknown) } else { error }
    }
}

/// Drives a future on this thread until it is done, or somebody wants the thread back. What is left is dropped within the
/// runtime, so that it can still send.
pub(super) fn drive<F: Future>(
    runtime: &Runtime,
    future: F,
    ending: &Cancel,
    cancel: Option<&Cancel>,
) -> std::result::Result<F::Output, Left> {
    let _inside = runtime.enter();
    let driven = Arc::new(Driven { thread: thread::current(), woken: AtomicBool::new(true) });
    let waker = Waker::from(driven.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let every = cancel.and_then(Cancel::every).into_iter().chain(interrupt::is_checked().then_some(LOOK)).min();
    let mut look = interrupt::Look::begin(Instant::now());
    let _ending = ending.joined();
    let _cancel = cancel.map(Cancel::joined);
    loop {
        if driven.woken.swap(false, Ordering::AcqRel)
            && let Poll::Ready(value) = future.as_mut().poll(&mut context)
        {
            return Ok(value);
        }
        if ending.is_cancelled() {
            return Err(Left::Closed);
        }
        if cancel.is_some_and(Cancel::look) {
            return Err(Left::Cancelled);
        }
        if look.again(Instant::now()) {
            return Err(Left::Interrupted);
        }
        if driven.woken.load(Ordering::Acquire) {
            continue;
        }
        match every {
            None => thread::park(),
            Some(every) => thread::park_timeout(every),
        }
    }
}
