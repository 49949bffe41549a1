//! Threads for what may wait. What waits for others, as a claim for a task, has a thread for as long as it waits; what waits
//! for the disk alone shares a few. A thread that has had nothing to do for a while ends.

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

struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    brief: VecDeque<Job>,
    briefs: usize,
}

static POOL: Pool = Pool {
    state: Mutex::new(State { jobs: VecDeque::new(), idle: 0, brief: VecDeque::new(), briefs: 0 }),
    come: Condvar::new(),
};

/// How many threads share what waits for the disk alone.
const BRIEF: usize = 8;

/// Runs a job that waits for nothing but the disk on another thread, after others of its kind where there are many.
pub fn run_brief(job: impl FnOnce() + Send + 'static) -> Result<()> {
    let mut state = POOL.state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.briefs == BRIEF {
        state.brief.push_back(Box::new(job));
        return Ok(());
    }
    state.briefs += 1;
    drop(state);
    let ran = run(move || {
        let mut next: Option<Job> = Some(Box::new(job));
        while let Some(job) = next {
            guarded(job);
            let mut state = POOL.state.lock().unwrap_or_else(PoisonError::into_inner);
            next = state.brief.pop_front();
            if next.is_none() {
                state.briefs -= 1;
            }
        }
    });
    if ran.is_err() {
        POOL.state.lock().unwrap_or_else(PoisonError::into_inner).briefs -= 1;
    }
    ran
}

/// Runs a job. A fault in it is told by whoever waits for it, and must not take the thread with it.
fn guarded(job: Job) {
    let _ = catch_unwind(AssertUnwindSafe(job));
}

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
        guarded(job);
        let mut state = POOL.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.idle += 1;
        let nothing = |state: &mut State| state.jobs.is_empty();
        state = POOL.come.wait_timeout_while(state, IDLE, nothing).unwrap_or_else(PoisonError::into_inner).0;
        state.idle -= 1;
        next = state.jobs.pop_front();
    }
}
