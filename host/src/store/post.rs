//! Requests that hold no thread while they are on their way: for hosts with thousands of callers and few threads, such
//! as a server. One thread, the courier, commits for all of them in groups and gives each its answer by a call.
//!
//! ```text
//!  callers ── post ──► inbox ──► courier: all that came, as one group ──► one sync ──► answers
//!                        ▲            │ a claim that found nothing waits
//!            wakes, times, cancels ◄──┘
//! ```

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
    time::Instant,
};

use tenure_core::{Claim, Code, Committed, Error, Millis, Request, Result};

use super::{Shared, Store, at, batch::Work, courier::Courier, rounds::Rounds, wait::Waiter};
use crate::durations::Stopwatch;

/// What is called with the outcome: it should be quick, and must not wait.
pub(super) type Answer = Box<dyn FnOnce(Result<Committed>) + Send>;

/// Where requests are put in, and what concerns those that wait.
#[derive(Default)]
pub(super) struct Post {
    inbox: Mutex<Inbox>,
    /// How long they took.
    pub times: Stopwatch,
}

#[derive(Default)]
pub(super) struct Inbox {
    /// Where the host has a loop of its own.
    pub rounds: Option<Arc<dyn Rounds>>,
    /// Of the round that is not complete yet.
    gathered: Letters,
    pub letters: Letters,
    pub woken: Vec<u64>,
    pub cancelled: Vec<u64>,
    last: u64,
    courier: Option<Thread>,
    pub idle: bool,
    pub closed: bool,
}

/// How long a request that finds nothing waits.
#[derive(Clone, Copy)]
enum Wait {
    No,
    Until(Millis),
    Ever,
}

/// Letters change hands several times, at a pointer each.
pub(super) type Letters = Vec<Box<Letter>>;

/// A request on its way.
pub(super) struct Letter {
    pub id: u64,
    /// Since when it has something to do.
    pub since: Instant,
    pub work: Work,
    wait: Wait,
    /// When the courier looks again by itself.
    pub look_at: Option<Millis>,
    pub entered: Option<(Vec<Arc<str>>, Arc<Waiter>)>,
    pub answer: Answer,
}

/// A claim that was posted.
#[derive(Clone)]
pub struct Posted(On);

/// Where it is on its way.
#[derive(Clone)]
enum On {
    Courier(Arc<Post>, u64),
    #[cfg(feature = "client")]
    Service(crate::remote::Stop),
}

impl Posted {
    /// Ends the wait: the answer is called with `Cancelled`, unless it was called already. A claim that is being committed
    /// at this moment is answered with what it got.
    pub fn cancel(&self) {
        match &self.0 {
            On::Courier(post, id) => {
                let mut inbox = post.inbox();
                // It may be in a round that is not complete.
                inbox.complete();
                inbox.cancelled.push(*id);
                rouse(inbox);
            }
            #[cfg(feature = "client")]
            On::Service(stop) => stop.stop(),
        }
    }
}

impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            On::Courier(_, id) => f.debug_tuple("Posted").field(id).finish(),
            #[cfg(feature = "client")]
            On::Service(_) => f.write_str("Posted"),
        }
    }
}

impl Store {
    /// As [`update`](Store::update), without a thread that waits: `answer` is called with the outcome, on a thread of the
    /// store or where [`Rounds`] give it. It should be quick, and must not wait. All that is posted while one group is
    /// committed goes into the next.
    pub fn post(&self, request: Request, answer: impl FnOnce(Result<Committed>) + Send + 'static) {
        at!(
            self,
            |shared| {
                shared.put_in(Work::Update(request), Wait::No, Box::new(answer));
            },
            |remote| remote.post(request, answer)
        );
    }

    /// As [`claim_until`](Store::claim_until), without a thread that waits: `answer` is called with the tasks, or with an
    /// empty list when the time is up.
    pub fn post_claim(
        &self,
        claim: Claim,
        until: Option<Millis>,
        answer: impl FnOnce(Result<Committed>) + Send + 'static,
    ) -> Posted {
        let wait = until.map_or(Wait::Ever, Wait::Until);
        at!(self, |shared| shared.put_in(Work::Claim(claim), wait, Box::new(answer)), |remote| Posted(On::Service(
            remote.post_claim(claim, until, answer)
        )))
    }
}

impl Post {
    pub fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claim that waits should look again.
    pub fn wake(&self, id: u64) {
        let mut inbox = self.inbox();
        inbox.woken.push(id);
        rouse(inbox);
    }

    /// Whoever is still on the way hears that the handle is closed.
    pub fn close(&self) {
        let mut inbox = self.inbox();
        inbox.closed = true;
        inbox.complete();
        rouse(inbox);
    }
}

impl Inbox {
    /// The round that was gathered is for the courier now.
    pub fn complete(&mut self) {
        if self.letters.is_empty() {
            mem::swap(&mut self.letters, &mut self.gathered);
        } else {
            self.letters.append(&mut self.gathered);
        }
    }

    fn has_something(&self) -> bool {
        !(self.letters.is_empty() && self.woken.is_empty() && self.cancelled.is_empty() && !self.closed)
    }
}

/// Wakes the courier, where it is idle and has something to do.
pub(super) fn rouse(mut inbox: MutexGuard<'_, Inbox>) {
    if !inbox.idle || !inbox.has_something() {
        return;
    }
    inbox.idle = false;
    let courier = inbox.courier.clone();
    // Or it would wake only to wait for this lock.
    drop(inbox);
    if let Some(courier) = courier {
        courier.unpark();
    }
}

impl Shared {
    fn put_in(&self, work: Work, wait: Wait, answer: Answer) -> Posted {
        let may = self.may_write();
        let mut inbox = self.post.inbox();
        inbox.last += 1;
        let id = inbox.last;
        let posted = Posted(On::Courier(self.post.clone(), id));
        if let Err(error) = may.and_then(|()| self.have_courier(&mut inbox)) {
            drop(inbox);
            answer(Err(error));
            return posted;
        }
        let letter = Box::new(Letter { id, since: Instant::now(), work, wait, look_at: None, entered: None, answer });
        if inbox.rounds.is_none() {
            inbox.letters.push(letter);
            rouse(inbox);
            return posted;
        }
        inbox.gathered.push(letter);
        let begun = if inbox.gathered.len() == 1 { inbox.rounds.clone() } else { None };
        drop(inbox);
        if let Some(rounds) = begun {
            rounds.begin();
        }
        posted
    }

    fn have_courier(&self, inbox: &mut Inbox) -> Result<()> {
        if inbox.closed {
            return Err(closed());
        }
        if inbox.courier.is_some() {
            return Ok(());
        }
        let courier = Courier::new(self.post.clone(), self.own.clone(), self.clock.clone());
        let thread = thread::Builder::new()
            .name("tenure-post".into())
            .spawn(move || courier.run())
            .map_err(|error| Error::new(Code::Unavailable, format!("no thread for posted requests: {error}")))?;
        inbox.courier = Some(thread.thread().clone());
        Ok(())
    }
}

pub(super) fn closed() -> Error {
    Error::new(Code::Closed, "the handle was closed: open the store again")
}

impl Letter {
    /// Whether it is a claim that found nothing and has time left.
    pub fn waits_on(&self, answer: &Result<Committed>, now: Millis) -> bool {
        let left = match self.wait {
            Wait::No => false,
            Wait::Until(until) => until > now,
            Wait::Ever => true,
        };
        left && answer.as_ref().is_ok_and(|got| got.tasks.is_empty() && !got.repeated)
    }

    pub fn until(&self) -> Option<Millis> {
        if let Wait::Until(until) = self.wait { Some(until) } else { None }
    }

    pub fn groups(&self) -> Vec<Arc<str>> {
        match &self.work {
            Work::Claim(claim) => claim.groups.iter().map(|group| Arc::from(group.as_str())).collect(),
            Work::Update(_) => Vec::new(),
        }
    }
}
