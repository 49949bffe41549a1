//! Confirmed entries, as they come.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tenure_core::{
    Code, Error, Millis, Result,
    engine::{Engine, Event},
};

use super::{Cancel, Shared, Store, at, verb::millis, wait::Interest};

/// Events that a watch holds for one who does not fetch them.
const HELD: usize = 65_536;

/// All watches of a handle.
#[derive(Default)]
pub(super) struct Watches {
    watches: Mutex<Vec<Weak<Queue>>>,
    active: AtomicBool,
    closed: AtomicBool,
    /// How often the state had been loaded anew when events were last taken.
    loads: AtomicU64,
}

struct Queue {
    events: Mutex<Events>,
}

#[derive(Default)]
struct Events {
    events: VecDeque<Arc<Event>>,
    lagged: bool,
    closed: bool,
    /// Why a service can't be followed any more.
    #[cfg(feature = "client")]
    failed: Option<Error>,
    waiting: Option<Thread>,
}

/// Confirmed entries from the moment when it was made, of this handle and of all others.
pub struct Watch {
    store: Store,
    queue: Arc<Queue>,
    _source: Source,
}

/// What feeds it while it lives.
enum Source {
    Handle {
        _waiting: Interest,
    },
    #[cfg(feature = "client")]
    Service(crate::remote::Stop),
}

#[cfg(feature = "client")]
impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Service(stop) = self {
            stop.stop();
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Watches {
    pub fn feed(&self, engine: &mut Engine) {
        if !self.active.load(Ordering::Acquire) {
            return;
        }
        let events: Vec<Arc<Event>> = engine.take_events().into_iter().map(Arc::new).collect();
        // The entries between the old state and one that was loaded are nobody's events.
        let missed = self.loads.swap(engine.loads(), Ordering::AcqRel) != engine.loads();
        if events.is_empty() && !missed {
            return;
        }
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|watch| {
            let Some(queue) = watch.upgrade() else { return false };
            let mut held = queue.events.lock().unwrap_or_else(PoisonError::into_inner);
            if missed || held.events.len() + events.len() > HELD {
                held.events.clear();
                held.lagged = true;
            } else {
                held.events.extend(events.iter().cloned());
            }
            if let Some(thread) = held.waiting.take() {
                thread.unpark();
            }
            true
        });
        if watches.is_empty() {
            self.active.store(false, Ordering::Release);
            engine.watch(false);
        }
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for queue in self.watches.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            let mut held = queue.events.lock().unwrap_or_else(PoisonError::into_inner);
            held.closed = true;
            if let Some(thread) = held.waiting.take() {
                thread.unpark();
            }
        }
    }
}

#[cfg(feature = "client")]
impl Queue {
    /// What a service told; says whether it goes on.
    fn take(&self, event: Result<Event>) -> bool {
        let mut held = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) if held.events.len() < HELD => held.events.push_back(Arc::new(event)),
            Err(error) if error.code() != Code::Truncated => held.failed = Some(error),
            _ => {
                held.events.clear();
                held.lagged = true;
            }
        }
        if let Some(thread) = held.waiting.take() {
            thread.unpark();
        }
        held.failed.is_none()
    }
}

impl Store {
    /// Watches the store from now on.
    pub fn watch(&self) -> Result<Watch> {
        at!(
            self,
            |shared| {
                let (queue, waiting) = Shared::watch(shared)?;
                Ok(Watch { store: self.clone(), queue, _source: Source::Handle { _waiting: waiting } })
            },
            |remote| {
                let queue = Arc::new(Queue { events: Mutex::default() });
                let fed = Arc::downgrade(&queue);
                let stop = remote.follow(move |event| fed.upgrade().is_some_and(|queue| queue.take(event)))?;
                Ok(Watch { store: self.clone(), queue, _source: Source::Service(stop) })
            }
        )
    }
}

impl Shared {
    fn watch(shared: &Arc<Self>) -> Result<(Arc<Queue>, Interest)> {
        let queue = Arc::new(Queue { events: Mutex::default() });
        let mut driver = shared.driver()?;
        driver.catch_up(&|| shared.clock.now())?;
        shared.after(&mut driver);
        driver.engine_mut().watch(true);
        shared.watches.loads.store(driver.engine().loads(), Ordering::Release);
        let watches = &shared.watches;
        watches.watches.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&queue));
        watches.active.store(true, Ordering::Release);
        // A close that came between has told those that it found, and not this one.
        if watches.closed.load(Ordering::Acquire) {
            return Err(Error::new(Code::Closed, "the handle was closed: open the store again"));
        }
        drop(driver);
        Ok((queue, Self::interest(shared)))
    }
}

impl Watch {
    /// The next event; `None` when none has come within `wait`.
    ///
    /// # Errors
    /// `Truncated` once, where so many came that some were let go, or the journal let go of entries that this handle
    /// had not read: look at the state anew. `Closed` at the end.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Arc<Event>>> {
        self.next_until(Some(self.store.now().saturating_add(millis(wait))), None)
    }

    /// Waits until something has come or the clock shows `until`, and lets it all go.
    pub(crate) fn drain(&mut self, until: Option<Millis>, cancel: Option<&Cancel>) -> Result<()> {
        match self.next_until(until, cancel) {
            Err(error) if error.code() == Code::Truncated => Ok(()),
            Err(error) => Err(error),
            Ok(_) => {
                self.queue.events.lock().unwrap_or_else(PoisonError::into_inner).events.clear();
                Ok(())
            }
        }
    }

    /// The next event; `None` when none has come before the clock shows `until` (`None`: it waits for ever).
    ///
    /// # Errors
    /// As [`next`](Self::next), and `Timeout` with code `cancelled` after [`Cancel::cancel`].
    pub fn next_until(&mut self, until: Option<Millis>, cancel: Option<&Cancel>) -> Result<Option<Arc<Event>>> {
        self.store.here()?;
        if let Some(cancel) = cancel {
            cancel.join();
        }
        let next = self.wait(until, cancel);
        if let Some(cancel) = cancel {
            cancel.part();
        }
        next
    }

    fn wait(&mut self, until: Option<Millis>, cancel: Option<&Cancel>) -> Result<Option<Arc<Event>>> {
        loop {
            let mut held = self.queue.events.lock().unwrap_or_else(PoisonError::into_inner);
            if held.lagged {
                held.lagged = false;
                return Err(Error::new(
                    Code::Truncated,
                    "more happened than this watch could hold, and some of it was let go: look at the state anew",
                ));
            }
            if let Some(event) = held.events.pop_front() {
                return Ok(Some(event));
            }
            #[cfg(feature = "client")]
            if let Some(failed) = &held.failed {
                return Err(failed.clone());
            }
            if held.closed {
                return Err(Error::new(Code::Closed, "the handle was closed: open the store again"));
            }
            if until.is_some_and(|until| until <= self.store.now()) {
                return Ok(None);
            }
            held.waiting = Some(thread::current());
            drop(held);
            at!(self.store, |_shared| (), |remote| remote.may_go_on()?);
            if cancel.is_some_and(Cancel::look) {
                return Err(super::cancel::cancelled());
            }
            self.store.clock().park_at_most(until, cancel.and_then(Cancel::every));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenure_core::{Author, Limits, OwnerId, Position, engine::Setup, port::Tail, state::State};

    use super::*;

    fn engine() -> Engine {
        let setup =
            Setup { limits: Limits::default(), owner: OwnerId(1), actor: "test:1".into(), author: Author(1), seed: 1 };
        Engine::new(setup, State::default(), Tail::empty(Position(0)))
    }

    #[test]
    fn a_watch_is_told_once_when_the_state_was_loaded_anew() {
        let (watches, queue) = (Watches::default(), Arc::new(Queue { events: Mutex::default() }));
        watches.watches.lock().unwrap().push(Arc::downgrade(&queue));
        watches.active.store(true, Ordering::Release);
        let lagged = || std::mem::take(&mut queue.events.lock().unwrap().lagged);
        let mut old = engine();
        watches.feed(&mut old);
        assert!(!lagged());
        let mut loaded = engine();
        loaded.succeed(&mut old);
        watches.feed(&mut loaded);
        assert!(lagged());
        watches.feed(&mut loaded);
        assert!(!lagged());
    }
}
