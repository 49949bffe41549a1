//! Calls of a journal's object, on a thread of their own, so that one that never returns is waited for only so long.
//!
//! ```text
//!   the calling thread                      the journal's thread
//!   ask ── job ───────────────────────────▶ attach, call, convert
//!    │ looks for signals each 50 ms          │
//!    ◀───────────────────────────── answer ──┘
//!    └ the time is up: the call counts as stuck, and until it has returned every other one fails at once
//! ```

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use pyo3::prelude::*;
use tenure::{Code, Error, Outcome};

use super::outward;
use crate::{error::carried, store::pending};

/// How often a waiting thread looks for signals.
const LOOK: Duration = Duration::from_millis(50);

type Job = Box<dyn FnOnce() + Send>;

/// An object whose methods are called one at a time.
pub struct Calls {
    object: Arc<Py<PyAny>>,
    limit: Option<Duration>,
    runner: Mutex<Runner>,
}

#[derive(Default)]
struct Runner {
    jobs: Option<mpsc::Sender<Job>>,
    stuck: Option<Stuck>,
}

/// A call that has not returned in time.
struct Stuck {
    method: &'static str,
    since: Instant,
    returned: Arc<AtomicBool>,
}

impl Calls {
    /// Calls of this object, each of which may take as long as `limit`; without one they run on the calling thread.
    pub fn new(object: Py<PyAny>, limit: Option<Duration>) -> Self {
        Self { object: Arc::new(object), limit, runner: Mutex::default() }
    }

    /// The same object, with a thread of its own.
    pub fn again(&self) -> Self {
        Self { object: self.object.clone(), limit: self.limit, runner: Mutex::default() }
    }

    /// Runs a call of `method`. The interpreter must not be attached.
    pub fn ask<T: Send + 'static>(
        &self,
        method: &'static str,
        call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> tenure::Result<T> {
        self.ask_longer(method, Duration::ZERO, call)
    }

    /// As `ask`; the call itself waits for up to `wait`.
    pub fn ask_longer<T: Send + 'static>(
        &self,
        method: &'static str,
        wait: Duration,
        call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> tenure::Result<T> {
        let Some(limit) = self.limit else { return with(|py| call(self.object.bind(py))) };
        let mut runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stuck) = &runner.stuck {
            if !stuck.returned.load(Ordering::Acquire) {
                return Err(stuck.error());
            }
            runner.stuck = None;
        }
        let (answer, answered) = mpsc::sync_channel(1);
        let returned = Arc::new(AtomicBool::new(false));
        let (object, done) = (self.object.clone(), returned.clone());
        let job = Box::new(move || {
            let called = with(|py| call(object.bind(py)));
            done.store(true, Ordering::Release);
            // Nobody waits for it, if it came too late.
            let _ = answer.send(called);
        });
        runner.start(job)?;
        let began = Instant::now();
        let deadline = began.checked_add(limit.saturating_add(wait));
        let interrupted = loop {
            let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()));
            match answered.recv_timeout(left.min(LOOK)) {
                Ok(called) => return called,
                Err(RecvTimeoutError::Disconnected) => {
                    runner.jobs = None;
                    return Err(Error::new(Code::Internal, format!("a call of the journal's {method}() went astray")));
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => break None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(raised) = pending() {
                        break Some(raised);
                    }
                }
            }
        };
        let stuck = Stuck { method, since: began, returned };
        let error = interrupted.map_or_else(|| stuck.error(), carried);
        runner.stuck = Some(stuck);
        // The rows may get there yet.
        Err(if method == "append" { error.with_outcome(Outcome::Unknown) } else { error })
    }
}

impl Runner {
    fn start(&mut self, job: Job) -> tenure::Result<()> {
        let job = match &self.jobs {
            Some(jobs) => match jobs.send(job) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
            None => job,
        };
        let (jobs, todo) = mpsc::channel::<Job>();
        let spawned = thread::Builder::new().name("tenure-journal".into()).spawn(move || {
            ON_IT.set(true);
            for job in todo {
                job();
            }
        });
        spawned.map_err(|error| Error::new(Code::Unavailable, format!("no thread for the journal: {error}")))?;
        let _ = jobs.send(job);
        self.jobs = Some(jobs);
        Ok(())
    }
}

impl Stuck {
    fn error(&self) -> Error {
        let (method, seconds) = (self.method, self.since.elapsed().as_secs_f64());
        Error::new(
            Code::Timeout,
            format!(
                "the journal's {method}() was called {seconds:.1} s ago and has not returned: see to it that it does, or \
                 open the store with a longer journal_timeout"
            ),
        )
    }
}

thread_local! {
    static ON_IT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Drops a value of which dropping asks the journal: elsewhere, if this thread is the one that a journal's calls run on.
pub fn drop_elsewhere<T: Send + 'static>(value: T) {
    if ON_IT.get() {
        thread::spawn(move || drop(value));
    } else {
        drop(value);
    }
}

/// Runs a call of the object. At the end of the program there may be no interpreter left to run it.
pub fn with<T>(call: impl FnOnce(Python<'_>) -> PyResult<T>) -> tenure::Result<T> {
    let called = Python::try_attach(|py| call(py).map_err(|raised| outward(py, raised)));
    called.unwrap_or_else(|| {
        Err(Error::new(Code::Unavailable, "Python is shutting down, and the journal with it: close the store before"))
    })
}
