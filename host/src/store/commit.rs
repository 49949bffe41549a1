//! Commits in groups. Whoever comes while nobody leads becomes the leader and commits for all who have queued up;
//! everyone is woken once, when the answer may be given.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::Instant,
};

use tenure_core::{Code, Committed, Error, Outcome, Position, Request, Result, When, driver::Done, txn::Ask};

use super::{Shared, Store, at, batch::Work, verb::release};
use crate::interrupt::{self, Look};

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    queued: Mutex<Queued>,
    /// Whether somebody leads, to be read without the lock.
    led: AtomicBool,
}

/// Those who have queued up.
#[derive(Default)]
struct Queued {
    jobs: Vec<Arc<Job>>,
    led: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request on its way, and the thread that waits for it.
pub(super) struct Job {
    work: Work,
    thread: Thread,
    turn: Mutex<Turn>,
}

/// What the waiting thread is to do.
enum Turn {
    /// Wait on.
    Wait,
    /// Lead the next group.
    Lead,
    /// Take the answer, once the journal is durable up to there.
    Answer(Result<Committed>, Position),
    /// The answer was taken.
    Taken,
    /// The host wanted the thread back: nobody waits for the answer.
    Left,
}

impl Job {
    /// Says what is to be done; gives it back where nobody waits any longer. Whoever says it wakes the thread.
    fn put(&self, turn: Turn) -> Option<Turn> {
        let mut present = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*present, Turn::Left) {
            return Some(turn);
        }
        *present = turn;
        None
    }

    /// Whether the host wanted the thread back.
    fn is_left(&self) -> bool {
        matches!(*self.turn.lock().unwrap_or_else(PoisonError::into_inner), Turn::Left)
    }

    /// What gives back the tasks that a claim got for nobody.
    fn give_back(&self, answer: &Result<Committed>) -> Option<Request> {
        let (Work::Claim(claim), Ok(got)) = (&self.work, answer) else { return None };
        let updates = got.tasks.iter().map(|task| release(task, When::Now)).collect();
        (!got.tasks.is_empty()).then(|| Request { owner: claim.owner, updates, ..Request::default() })
    }

    fn take(&self) -> Turn {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match *turn {
            Turn::Wait => Turn::Wait,
            Turn::Left => Turn::Left,
            _ => mem::replace(&mut *turn, Turn::Taken),
        }
    }
}

impl Store {
    /// Commits a transaction: all of it, or nothing.
    ///
    /// # Errors
    /// `Rejected` with every reason, and nothing has happened; `Invalid`; `Full`; `Fenced`; `Unknown`, where a repeat
    /// with the same request id tells.
    pub fn update(&self, request: Request) -> Result<Committed> {
        at!(self, |shared| shared.submit(Work::Update(request)), |remote| remote.write(remote.client().update(request)))
    }
}

impl Shared {
    /// Answers one request. A strict answer, a refusal and an empty claim included, waits for stable storage.
    pub(super) fn submit(&self, work: Work) -> Result<Committed> {
        self.may_write()?;
        if !self.queue.led.load(Ordering::Acquire)
            && let Some(mut driver) = self.driver_at_once()
        {
            // Nobody leads and nobody is at work: no queue is needed. Whoever comes meanwhile finds the driver taken, and
            // leads the next group.
            let answer = self.commit_one(&mut driver, work.ask());
            let until = driver.engine().tail().position;
            drop(driver);
            return self.when_durable(answer.map(|done| done.committed), until);
        }
        let mut queue = self.queue.lock();
        if !queue.led {
            // Nobody leads: no job, no thread to wake.
            queue.led = true;
            self.queue.led.store(true, Ordering::Release);
            drop(queue);
            // Whoever has the driver without leading may wait for the journal's lock.
            let done = interrupt::lock(&self.driver).map(|mut driver| {
                let answer = self.commit_one(&mut driver, work.ask());
                (answer, driver.engine().tail().position)
            });
            self.hand_on();
            let Some((answer, until)) = done else { return Err(interrupted(Outcome::NotStarted)) };
            return self.when_durable(answer.map(|done| done.committed), until);
        }
        let job = Arc::new(Job { work, thread: thread::current(), turn: Mutex::new(Turn::Wait) });
        queue.jobs.push(job.clone());
        drop(queue);
        let mut look = None;
        loop {
            match job.take() {
                Turn::Wait if interrupt::is_checked() => {
                    let look = look.get_or_insert_with(|| Look::begin(Instant::now()));
                    thread::park_timeout(interrupt::LOOK);
                    if look.again(Instant::now())
                        && let Some(left) = self.leave(&job)
                    {
                        return Err(left);
                    }
                }
                Turn::Wait => thread::park(),
                Turn::Lead => self.lead(&job),
                Turn::Answer(answer, until) => return self.when_durable(answer, until),
                Turn::Taken | Turn::Left => return Err(no_answer()),
            }
        }
    }

    /// The host wants the thread back that waits here. `None` where it has its answer, or leads: then it goes on with that.
    #[cold]
    fn leave(&self, job: &Arc<Job>) -> Option<Error> {
        let mut queue = self.queue.lock();
        let mut turn = job.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*turn, Turn::Wait) {
            return None;
        }
        *turn = Turn::Left;
        let queued = queue.jobs.iter().position(|other| Arc::ptr_eq(other, job));
        // A leader that has taken it along may be committing it now.
        Some(interrupted(match queued.map(|at| queue.jobs.remove(at)) {
            Some(_) => Outcome::NotStarted,
            None => Outcome::Unknown,
        }))
    }

    /// Commits for all who have queued up, `mine` among them.
    fn lead(&self, mine: &Arc<Job>) {
        let (jobs, answers, until) = {
            let Some(mut driver) = interrupt::lock(&self.driver) else {
                self.queue.lock().jobs.retain(|job| !Arc::ptr_eq(job, mine));
                self.hand_on();
                mine.put(Turn::Answer(Err(interrupted(Outcome::NotStarted)), Position(0)));
                return;
            };
            // Whoever came while the lock was waited for is taken along.
            let jobs = mem::take(&mut self.queue.lock().jobs);
            let asks: Vec<Ask<'_>> = jobs.iter().map(|job| job.work.ask()).collect();
            let answers = self.commit(&mut driver, &asks);
            drop(asks);
            (jobs, answers, driver.engine().tail().position)
        };
        if let Some(Err(error)) = answers.first()
            && error.code() == Code::Cancelled
        {
            // The leader's thread is wanted back, by a signal that concerns no other: they wait on.
            let mut queue = self.queue.lock();
            let later = mem::take(&mut queue.jobs);
            let wait = |job: &Arc<Job>| !Arc::ptr_eq(job, mine) && !job.is_left();
            queue.jobs = jobs.into_iter().filter(wait).chain(later).collect();
            drop(queue);
            self.hand_on();
            mine.put(Turn::Answer(Err(error.clone()), until));
            return;
        }
        self.hand_on();
        // Those who need no sync are woken by their answer, the others by the sync that covers them.
        let wait = self.strict && !self.durable.covers(until);
        let mut sleeping = Vec::with_capacity(jobs.len());
        let mut unwanted = Vec::new();
        for (job, answer) in jobs.iter().zip(answers) {
            let answer = answer.map(|done: Done| done.committed);
            if let Some(Turn::Answer(answer, _)) = job.put(Turn::Answer(answer, until)) {
                unwanted.extend(job.give_back(&answer));
                continue;
            }
            if wait && !Arc::ptr_eq(job, mine) {
                sleeping.push(job.thread.clone());
            } else {
                job.thread.unpark();
            }
        }
        self.durable.wake_at(until, sleeping);
        for request in unwanted {
            // Where it does not work, the lease runs out by itself.
            let _ = self.submit(Work::Update(request));
        }
    }

    /// Leadership goes to one of those who have queued up meanwhile, or lapses.
    fn hand_on(&self) {
        let mut queue = self.queue.lock();
        match queue.jobs.last() {
            Some(next) => {
                next.put(Turn::Lead);
                next.thread.unpark();
            }
            None => {
                queue.led = false;
                self.queue.led.store(false, Ordering::Release);
            }
        }
    }

    fn when_durable(&self, answer: Result<Committed>, until: Position) -> Result<Committed> {
        self.durable_enough(until)?;
        answer
    }

    /// Waits until what was staged up to there may be answered.
    pub(super) fn durable_enough(&self, until: Position) -> Result<()> {
        if self.strict {
            return self.wait_durable(until);
        }
        self.durable.flush_soon(until);
        Ok(())
    }

    /// `Err` where this handle takes no requests.
    pub(super) fn may_write(&self) -> Result<()> {
        self.may_go_on()?;
        if self.read_only {
            return Err(Error::new(Code::ReadOnly, "the store was opened to read only: open it to write"));
        }
        Ok(())
    }
}

#[cold]
pub(super) fn interrupted(outcome: Outcome) -> Error {
    let why = match outcome {
        Outcome::Unknown => {
            "the wait for another thread's commit was interrupted: whether this one is part of it is not known"
        }
        _ => "the wait for a thread that waits for the journal's lock was interrupted; nothing was begun",
    };
    Error::new(Code::Cancelled, why).with_outcome(outcome)
}

fn no_answer() -> Error {
    Error::new(Code::Internal, "a request got no answer: report this as a fault of Tenure")
}
