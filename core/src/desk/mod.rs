//! The engine for a host that can't block: requests get tickets, and the host carries the rows.
//!
//! ```text
//!  submit ──► queue ──► open_turn(rows behind my tail) { catch up, stage } ──► rows to append
//!                 ▲                                                                  │ the host appends them
//!                 │ a conflict, what meets what is staged, a claim that waits        ▼
//!                 └──────────────── close_turn(what came of it) { confirm, settle, roll back } ──► answers by ticket
//! ```
//!
//! A *turn* is one unit of the host: an IndexedDB transaction in a browser, a read and a conditional append elsewhere.
//! Nothing is answered, and nothing staged is seen, before the host says what came of the append. Between two calls the
//! host does as it likes; it never runs two turns at once.
//!
//! * `window`   the rows that the host fetched
//! * `turn`     staging, `settle` what came of it
//! * `wait`     claims that wait
//! * `lease`    held tasks that are renewed in time
//! * `walk`     snapshots

mod answer;
mod guards;
mod lease;
mod settle;
#[cfg(test)]
mod tests;
mod turn;
mod wait;
mod walk;
mod window;

pub use lease::HeldId;
pub use turn::Appended;
pub use walk::{Policy, keep};
pub use window::Window;

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use crate::{
    driver,
    engine::{Engine, Setup},
    error::{Code, Error, Result},
    frame::Salt,
    id::{Position, StoreId},
    request::{Claim, Committed, Guard, Request},
    rows::RowLog,
    time::Millis,
};

/// What names a request until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// An update, with the held tasks that it names: they are named by their present ids when it is staged.
    Update(Request, Vec<HeldId>),
    /// A claim, and until when it may wait; `None` for ever.
    Claim(Claim, Option<Millis>),
    /// To see the journal's end as of now.
    Look,
    /// Whether records are as they were read.
    Verify(Vec<Guard>),
    /// What a cancelled claim got, on its way back.
    GiveBack(Request),
    /// A renewal in time.
    Renew(HeldId),
    /// The beginning of a snapshot.
    Snapshot,
}

impl Work {
    const fn only_reads(&self) -> bool {
        matches!(self, Self::Look | Self::Verify(_))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    ticket: Ticket,
    work: Work,
    cancelled: bool,
}

/// One handle on a store.
pub struct Desk {
    engine: Engine,
    setup: Setup,
    identity: StoreId,
    salt: Salt,
    tickets: u64,
    queue: VecDeque<Job>,
    turn: Option<turn::Turn>,
    /// How often in a row the append lost the race.
    lost_races: u32,
    /// Whether the next turn has room only for what frees some.
    short: bool,
    waiting: Vec<wait::Waiting>,
    held: BTreeMap<HeldId, lease::Lease>,
    leases: u64,
    lost: Vec<(HeldId, Error)>,
    answers: Vec<(Ticket, Result<Committed>)>,
    walks: walk::Walks,
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk").field("engine", &self.engine).field("queue", &self.queue.len()).finish_non_exhaustive()
    }
}

impl Desk {
    /// A handle on the store of which `window` holds everything: all rows, and every snapshot.
    ///
    /// # Errors
    /// `Corrupt`; `Closed` with code `upgrade_needed`.
    pub fn open(setup: Setup, window: Window, policy: Policy, now: Millis) -> Result<Self> {
        let identity = window.identity;
        let mut walks = walk::Walks::new(policy);
        walks.find(&window)?;
        let engine = driver::recover(&mut RowLog::new(window), &setup, &|| now, &mut Vec::new())?;
        Ok(Self {
            engine,
            setup,
            identity,
            salt: Salt::of(identity),
            tickets: 0,
            queue: VecDeque::new(),
            turn: None,
            lost_races: 0,
            short: false,
            waiting: Vec::new(),
            held: BTreeMap::new(),
            leases: 0,
            lost: Vec::new(),
            answers: Vec::new(),
            walks,
        })
    }

    /// Loads the state anew, after a turn found that the journal's floor has passed it. `window` holds everything.
    pub fn reload(&mut self, window: Window, now: Millis) -> Result<()> {
        self.check_identity(window.identity)?;
        // Another seed, or the reloaded handle would draw the claims of its past again.
        self.setup.seed = self.setup.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.walks.find(&window)?;
        let mut engine = driver::recover(&mut RowLog::new(window), &self.setup, &|| now, &mut Vec::new())?;
        engine.succeed(&mut self.engine);
        self.engine = engine;
        self.wake_everyone();
        Ok(())
    }

    /// The engine, to read.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for its queue of events.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// The store's identity.
    pub fn identity(&self) -> StoreId {
        self.identity
    }

    /// From where a turn's rows have to be fetched: the last row that this handle knows, so that its absence is noticed,
    /// and all behind it.
    pub fn fetch_from(&self) -> Position {
        Position(self.engine.tail().position.0.saturating_sub(1).max(1))
    }

    /// Asks for a transaction. `held` are the held tasks that it names, by the ids that they had when it was put together.
    pub fn update(&mut self, request: Request, held: Vec<HeldId>) -> Ticket {
        self.submit(Work::Update(request, held))
    }

    /// Asks for tasks, and waits for some until the clock shows `until`; `None` waits for ever.
    pub fn claim(&mut self, claim: Claim, until: Option<Millis>) -> Ticket {
        self.submit(Work::Claim(claim, until))
    }

    /// Asks to see the journal's end as of now. Once it is answered, the state may be read.
    pub fn look(&mut self) -> Ticket {
        self.submit(Work::Look)
    }

    /// Asks whether records are as they were read, all at one moment; for a transaction that only reads.
    pub fn verify(&mut self, guards: Vec<Guard>) -> Ticket {
        self.submit(Work::Verify(guards))
    }

    fn submit(&mut self, work: Work) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let job = Job { ticket, work, cancelled: false };
        match self.engine.closed() {
            Some(why) => self.answers.push((ticket, Err(why.clone()))),
            None => self.queue.push_back(job),
        }
        ticket
    }

    /// Whether there is something to do for a turn.
    pub fn wants_turn(&self) -> bool {
        !self.queue.is_empty() || self.turn.is_some()
    }

    /// Whether the next turn may append.
    pub fn may_append(&self) -> bool {
        self.turn.is_some() || self.queue.iter().any(|job| !job.work.only_reads())
    }

    /// The answers since this was last asked.
    pub fn take_answers(&mut self) -> Vec<(Ticket, Result<Committed>)> {
        core::mem::take(&mut self.answers)
    }

    /// When [`tick`](Self::tick) has to be called next, if nothing else happens; it may lie in the past.
    pub fn next_wake(&self) -> Option<Millis> {
        match (self.next_waiting(), self.next_renewal()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The clock shows `now`: claims whose task's time or whose own time has come, and leases that are due, are queued.
    pub fn tick(&mut self, now: Millis) {
        self.wake_due(now);
        self.renew_due(now);
    }

    /// The host's rows can't be read: everything queued gets this answer, and nothing was begun.
    pub fn fail(&mut self, error: &Error, now: Millis) {
        self.engine.rollback();
        let turn = self.turn.take();
        for job in turn.into_iter().flat_map(turn::Turn::into_jobs) {
            self.conclude(job, Err(settle::unknown(error)), now);
        }
        while let Some(job) = self.queue.pop_front() {
            self.conclude(job, Err(error.clone()), now);
        }
        if self.engine.closed().is_some() {
            self.lose_all(error);
            for waiting in core::mem::take(&mut self.waiting) {
                self.answers.push((waiting.job.ticket, Err(error.clone())));
            }
        }
    }

    /// Ends the handle: every request that has no answer gets this one, and later ones too.
    pub fn close(&mut self, why: &Error, now: Millis) {
        self.engine.close(why.clone());
        self.fail(why, now);
    }

    fn check_identity(&mut self, found: StoreId) -> Result<()> {
        if found == self.identity {
            return Ok(());
        }
        let what = if found == StoreId::default() {
            "the store is gone: it was deleted, or evicted to free space".into()
        } else {
            alloc::format!("another store, {found}, stands in the place of {}", self.identity)
        };
        let error = Error::new(Code::Replaced, alloc::format!("{what}; open it again"));
        self.engine.close(error.clone());
        Err(error)
    }
}
