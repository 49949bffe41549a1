//! The engine over a journal, blocking: catch up, stage, append, confirm.
//!
//! ```text
//! section {                       under the lock on files; plain optimism elsewhere
//!   catch up                      ingest what others appended
//!   stage … stage                 until the batch is full or a request meets a staged one
//!   append                        conflict: begin again · refused, unknown: settle entry by entry
//!   confirm                       answers
//! }
//! ```
//!
//! The sync comes after the section: a [`Syncer`] is taken in the same breath, and runs
//! without the driver, so that others append meanwhile.

mod open;
mod run;
mod snapshots;
#[cfg(test)]
mod tests;

pub use open::Damaged;
pub(crate) use open::recover;
pub(crate) use run::groundless;
pub use snapshots::{Prepared, begin_of, overtaken, prune};

use alloc::{boxed::Box, format, vec::Vec};
use core::cell::RefCell;

use run::{Answers, Run};

use crate::{
    engine::{Engine, Setup},
    error::{Code, Error, Outcome, Result},
    id::{Author, Position, StoreId},
    limits::NO_SPACE,
    port::{AppendError, Journal, JournalStats, Synced, Syncer},
    request::Committed,
    time::Millis,
    txn::Ask,
};

/// How often a write that loses the race for the tail is tried before it gives up.
const ATTEMPTS: u32 = 64;

/// How often one call loads the state anew because the journal's floor has passed it.
const RELOADS: u32 = 4;

/// Where the time comes from.
pub type Clock<'a> = &'a dyn Fn() -> Millis;

/// A request that was answered, and what its answer waits for.
#[derive(Clone, Debug)]
pub struct Done {
    /// The answer.
    pub committed: Committed,
    /// A strict answer may be given once the journal is durable up to here.
    pub until: Position,
}

/// An engine and its journal.
pub struct Driver {
    engine: Engine,
    setup: Setup,
    journal: Box<dyn Journal>,
    lock_wait: Millis,
    journal_bytes: u64,
    journal_bytes_at: u64,
    /// Whether there is room only for what frees some.
    short: bool,
    damaged: Vec<Damaged>,
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Driver {
    /// Opens the store in a journal: the newest usable snapshot, then every entry behind it.
    pub fn open(mut journal: Box<dyn Journal>, setup: Setup, lock_wait: Millis, clock: Clock<'_>) -> Result<Self> {
        let mut damaged = Vec::new();
        let engine = open::recover(&mut *journal, &setup, clock, &mut damaged)?;
        Ok(Self { engine, setup, journal, lock_wait, journal_bytes: 0, journal_bytes_at: 0, short: false, damaged })
    }

    /// Puts something around the journal; its entries and tail must stay the same.
    pub fn wrap_journal(&mut self, wrap: impl FnOnce(Box<dyn Journal>) -> Box<dyn Journal>) {
        let held: Box<dyn Journal> = Box::new(crate::rows::Ephemeral::new(self.journal.identity()));
        self.journal = wrap(core::mem::replace(&mut self.journal, held));
    }

    /// The engine, to read.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for its queues of events and stirred groups.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// The journal.
    pub fn journal(&mut self) -> &mut dyn Journal {
        &mut *self.journal
    }

    /// The store's identity.
    pub fn identity(&self) -> StoreId {
        self.journal.identity()
    }

    /// Ingests what others appended. A replica that fell below the floor is loaded anew, outside any lock.
    pub fn catch_up(&mut self, clock: Clock<'_>) -> Result<()> {
        for _ in 0..RELOADS {
            match catch_up(&mut self.engine, &mut *self.journal, clock) {
                Err(error) if error.code() == Code::Truncated => self.reload(clock)?,
                done => return done,
            }
        }
        catch_up(&mut self.engine, &mut *self.journal, clock)
    }

    fn reload(&mut self, clock: Clock<'_>) -> Result<()> {
        // Another seed, or the reloaded handle would draw the claims of its past again.
        self.setup.seed = self.setup.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut engine = open::recover(&mut *self.journal, &self.setup, clock, &mut self.damaged)?;
        engine.succeed(&mut self.engine);
        self.engine = engine;
        Ok(())
    }

    /// A sync of everything appended so far.
    pub fn syncer(&mut self) -> Box<dyn Syncer> {
        self.journal.syncer()
    }

    /// Up to where the journal is known to be durable.
    pub fn durable(&mut self) -> Position {
        self.journal.durable()
    }

    /// What a syncer made durable.
    pub fn note_synced(&mut self, synced: &Synced) {
        self.journal.note_synced(synced);
    }

    /// After a failed sync: writes again, elsewhere, what was not known to be durable.
    pub fn heal(&mut self) -> Result<()> {
        self.journal.heal(self.lock_wait)
    }

    /// Sizes and marks of the journal.
    pub fn stats(&mut self) -> Result<JournalStats> {
        self.journal.stats()
    }

    /// Answers requests, in their order, as few appends as their meeting allows. An answer's `Err` is that request's own.
    pub fn run(&mut self, asks: &[Ask<'_>], clock: Clock<'_>) -> Vec<Result<Done>> {
        self.answer(asks, clock).into_vec()
    }

    fn answer(&mut self, asks: &[Ask<'_>], clock: Clock<'_>) -> Answers {
        let mut run = Run::new(asks);
        self.weigh_journal();
        let bytes = if self.short { NO_SPACE } else { self.journal_bytes };
        let (lock_wait, mut reloads) = (self.lock_wait, 0);
        while !run.finished() {
            let engine = RefCell::new(&mut self.engine);
            let run = &mut run;
            let entered = self.journal.section_after(
                lock_wait,
                // Who waits for the lock takes in what is being written, and not once it holds everybody up.
                &mut |journal| catch_up(&mut engine.borrow_mut(), journal, clock),
                &mut |journal| run.section(&mut engine.borrow_mut(), journal, bytes, clock),
            );
            if let Err(error) = entered {
                self.engine.rollback();
                let behind = error.code() == Code::Truncated && reloads < RELOADS;
                reloads += u32::from(behind);
                let reloaded = if behind { self.reload(clock) } else { Err(error) };
                if let Err(error) = reloaded {
                    run.fail(&error);
                }
            }
        }
        self.short |= run.short;
        run.into_answers()
    }

    /// Answers one request.
    pub fn ask(&mut self, ask: Ask<'_>, clock: Clock<'_>) -> Result<Done> {
        self.answer(&[ask], clock).pop().unwrap_or_else(|| Err(Error::new(Code::Internal, "a request got no answer")))
    }

    /// Appends an entry that is no transaction: `stage` puts it into the engine, or says why it can't, or that
    /// nothing is to be done. Answers with what its durability waits for.
    pub fn control(
        &mut self,
        clock: Clock<'_>,
        stage: &mut dyn FnMut(&mut Engine, Millis) -> Result<bool>,
    ) -> Result<Position> {
        for _ in 0..ATTEMPTS {
            self.catch_up(clock)?;
            let engine = &mut self.engine;
            let mut appended = false;
            self.journal.section(self.lock_wait, &mut |journal| {
                catch_up(engine, journal, clock)?;
                if !stage(engine, clock())? {
                    appended = true;
                    return Ok(());
                }
                match journal.append(engine.tail(), engine.drafts()) {
                    Ok(tail) => {
                        engine.confirm(&tail, clock())?;
                        appended = true;
                        Ok(())
                    }
                    Err(AppendError::Conflict) => {
                        engine.rollback();
                        Ok(())
                    }
                    Err(AppendError::Refused(error)) => {
                        engine.rollback();
                        Err(error.with_outcome(Outcome::Refused))
                    }
                    Err(AppendError::Unknown(error)) => {
                        engine.rollback();
                        Err(error.with_outcome(Outcome::Unknown))
                    }
                }
            })?;
            if appended {
                return Ok(self.engine.tail().position);
            }
        }
        Err(lost_every_race())
    }

    /// Takes the store for this handle alone. Where another has it, only `take_over` fences that one.
    pub fn hand_off(&mut self, take_over: bool, clock: Clock<'_>) -> Result<Position> {
        self.control(clock, &mut |engine, now| engine.stage_hand_off(now, take_over).map(|()| true))
    }

    /// Gives the store back to everyone, where this handle has it alone.
    pub fn release(&mut self, clock: Clock<'_>) -> Result<Position> {
        self.control(clock, &mut |engine, now| {
            if engine.state().exclusive() != engine.author() {
                return Ok(false);
            }
            engine.stage_release(now).map(|()| true)
        })
    }

    /// Raises the store's format level to that of this program.
    pub fn upgrade(&mut self, clock: Clock<'_>) -> Result<Position> {
        self.control(clock, &mut Engine::stage_upgrade)
    }

    /// Whether another handle has the store for itself.
    pub fn fenced_by(&self) -> Option<Author> {
        let alone = self.engine.state().exclusive();
        (alone != Author(0) && alone != self.engine.author()).then_some(alone)
    }

    /// The journal's size is asked for now and then only: it decides nothing but `Full`.
    fn weigh_journal(&mut self) {
        let revision = self.engine.tail().revision.0;
        if (self.journal_bytes_at == 0 || revision >= self.journal_bytes_at + 1024)
            && let Ok(stats) = self.journal.stats()
        {
            self.journal_bytes = stats.journal_bytes;
            self.journal_bytes_at = revision.max(1);
            self.short = true;
        }
        if self.short {
            // Here too where there may be none yet: then it is made.
            self.short = self.journal.is_short();
        }
    }
}

pub(crate) fn catch_up(engine: &mut Engine, journal: &mut dyn Journal, clock: Clock<'_>) -> Result<()> {
    let from = *engine.tail();
    let mut now = None;
    let tail = journal.read(&from, &mut |stored| {
        let now = *now.get_or_insert_with(clock);
        engine.ingest(&stored, now)
    })?;
    debug_assert_eq!(tail.revision, engine.tail().revision, "a read ended elsewhere than its entries");
    engine.pass(&tail);
    Ok(())
}

pub(crate) fn lost_every_race() -> Error {
    Error::new(
        Code::LockTimeout,
        format!("{ATTEMPTS} appends in a row lost the race for the journal's end to other handles: try again"),
    )
}
