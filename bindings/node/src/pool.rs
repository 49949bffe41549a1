//! Threads for what may wait: a journal's lock, a sync, a task to claim. There are as many as wait at once; one that has had
//! nothing to do for a while ends.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tenure::{Code, Error, Result};

/// How long an idle thread stays.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    state: Mutex<State>,
    come: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
}

static POOL: Pool = Pool { state: Mutex::new(State { jobs: VecDeque::new(), idle: 0 }), come: Condvar::new() };

/// Runs a job on another thread. Where the system gives none, the job is dropped.
pub fn run(job: impl FnOnce() + Send + 'static) -> Result<()> {
    let mut state = POOL.state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.idle > state.jobs.len() {
        state.jobs.push_back(Box::new(job));
        drop(state);
        POOL.come.notify_one();
        return Ok(());
    }
    drop(state);
    let first: Job = Box::new(job);
    let spawned = thread::Builder::new().name("tenure-pool".into()).spawn(move || work(first));
    spawned.map(drop).map_err(|error| {
        Error::new(Code::Unavailable, format!("the system gives no thread ({error}): have fewer calls wait at once"))
    })
}

/// Lets go of something whose end may wait for the disk.
pub fn let_go<T: Send + 'static>(thing: T) {
    let _ = run(move || drop(thing));
}

fn work(first: Job) {
    let mut next = Some(first);
    while let Some(job) = next {
        // A fault in one job is told by whoever waits for it, and must not take the thread with it.
        let _ = catch_unwind(AssertUnwindSafe(job));
        let mut state = POOL.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.idle += 1;
        let nothing = |state: &mut State| state.jobs.is_empty();
        state = POOL.come.wait_timeout_while(state, IDLE, nothing).unwrap_or_else(PoisonError::into_inner).0;
        state.idle -= 1;
        next = state.jobs.pop_front();
    }
}
