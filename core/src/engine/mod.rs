//! The engine: state and transactions with one seam to the outside, without I/O.
//!
//! ```text
//!            ingest(entry) ───────────────► state          what others, or an earlier run, wrote
//! ask ──► stage ──► drafts ──(a driver appends them)──► confirm ──► state, answers
//!                      └────────(it could not)────────► rollback
//! ```
//!
//! Staged transactions are judged one after another as if each had been applied, and none is applied before it is
//! confirmed: reads, waits, watches and the snapshot walk never see what a rollback could take back.

mod blind;
mod confirm;
mod control;
mod event;
mod level;
#[cfg(test)]
mod tests;

pub use event::{Change, ChangeKind, Event};
pub use level::LEVEL;

use alloc::{sync::Arc, vec::Vec};

use crate::{
    entry::EntryKind,
    error::{Code, Error, Result},
    id::{Author, OwnerId, Revision, TaskId},
    limits::Limits,
    port::{Draft, Stored, Tail},
    request::Committed,
    state::{Known, Mode, State, dice::Dice},
    time::Millis,
    txn::{Answer, Ask, Bench, Caller, Overlay, Plan, Verdict, judge},
};

/// How a handle is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The bounds of validation.
    pub limits: Limits,
    /// The owner of requests that name none; random, below 2^53.
    pub owner: OwnerId,
    /// The label of who does it, such as `host:pid`.
    pub actor: Arc<str>,
    /// The random number of this handle.
    pub author: Author,
    /// What random claims are drawn from.
    pub seed: u64,
}

/// How the staging of a request ended.
#[derive(Debug)]
pub enum Stage {
    /// It is the next draft; its answer comes with [`Engine::confirm`].
    Staged,
    /// Nothing is to be written, and this is the answer.
    Answered(Committed),
    /// It meets something staged: settle the batch, then stage it again.
    Deferred,
}

/// State and transactions of one handle.
#[derive(Debug)]
pub struct Engine {
    state: State,
    overlay: Overlay,
    drafts: Vec<Draft>,
    answers: Vec<Answer>,
    /// Whether the last draft was staged as the last of its batch.
    sealed: bool,
    /// What is being judged.
    plan: Plan,
    /// Buffers of payloads that were confirmed.
    spare: Vec<Vec<u8>>,
    tail: Tail,
    limits: Limits,
    caller: Caller,
    author: Author,
    dice: Dice,
    closed: Option<Error>,
    rollbacks: u64,
    loads: u64,
    marker: Option<(Author, Revision)>,
    watching: bool,
    events: Vec<Event>,
    ahead: Millis,
    skipped: u64,
}

impl Engine {
    /// An engine on a state that is the one at `tail`.
    pub fn new(setup: Setup, state: State, tail: Tail) -> Self {
        let closed = level::too_new(&state);
        Self {
            state,
            overlay: Overlay::default(),
            drafts: Vec::new(),
            answers: Vec::new(),
            sealed: false,
            plan: Plan::default(),
            spare: Vec::new(),
            tail,
            limits: setup.limits,
            caller: Caller { owner: setup.owner, actor: setup.actor },
            author: setup.author,
            dice: Dice::new(setup.seed),
            closed,
            rollbacks: 0,
            loads: 0,
            marker: None,
            watching: false,
            events: Vec::new(),
            ahead: 0,
            skipped: 0,
        }
    }

    /// The confirmed state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The tail up to which entries are confirmed.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// The bounds of validation.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The handle's random number.
    pub fn author(&self) -> Author {
        self.author
    }

    /// Who it asks for.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// How far the clock of another handle was ahead of the `now` that this one gave, at most, in milliseconds.
    pub fn ahead(&self) -> Millis {
        self.ahead
    }

    /// Entries that did not count because another author had the store for itself.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How often a batch was rolled back.
    pub fn rollbacks(&self) -> u64 {
        self.rollbacks
    }

    /// How often the state was loaded anew: a walk that saw this change begins again, since the slots are others.
    pub fn loads(&self) -> u64 {
        self.loads
    }

    /// Who began the last snapshot, and at which revision.
    pub fn snapshot_marker(&self) -> Option<(Author, Revision)> {
        self.marker
    }

    /// Groups in which something became claimable since this was last asked.
    pub fn take_stirred(&mut self) -> Vec<Arc<str>> {
        self.state.take_stirred()
    }

    /// Instead of [`take_stirred`](Self::take_stirred), where nobody waits.
    pub fn forget_stirred(&mut self) {
        self.state.forget_stirred();
    }

    /// From now on, whether every confirmed entry becomes an [`Event`].
    pub fn watch(&mut self, watching: bool) {
        self.watching = watching;
    }

    /// The events since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.events)
    }

    /// Takes over from an engine whose state fell below the journal's floor.
    pub fn succeed(&mut self, old: &mut Self) {
        old.rollback();
        self.closed = old.closed.take().or(self.closed.take());
        self.rollbacks = old.rollbacks;
        self.loads = old.loads + 1;
        self.watching = old.watching;
        self.events = core::mem::take(&mut old.events);
        self.ahead = self.ahead.max(old.ahead);
        self.skipped += old.skipped;
    }

    /// Ends the engine: every later request gets this answer.
    pub fn close(&mut self, why: Error) {
        self.rollback();
        self.closed.get_or_insert(why);
    }

    /// Why the engine ended, if it did.
    pub fn closed(&self) -> Option<&Error> {
        self.closed.as_ref()
    }

    /// What is staged, to be appended at [`Engine::tail`].
    pub fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    /// Takes in an entry that stands behind the tail. Nothing may be staged.
    pub fn ingest(&mut self, stored: &Stored<'_>, now: Millis) -> Result<()> {
        debug_assert!(self.drafts.is_empty(), "an entry was ingested over staged ones");
        self.absorb(stored, now, None)
    }

    /// Takes in an entry; `own` is what was noted when this handle staged it.
    fn absorb(&mut self, stored: &Stored<'_>, now: Millis, own: Option<&Answer>) -> Result<()> {
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        let known = own.map_or_else(Known::default, |answer| answer.known(&self.caller.actor));
        let counted = self.state.apply_known(stored, Mode::Strict, self.limits.request_window, known);
        let counted = counted.inspect_err(|error| {
            self.closed.get_or_insert(error.clone());
        })?;
        self.tail = stored.tail;
        if !counted {
            self.skipped += 1;
            return Ok(());
        }
        self.closed = level::too_new(&self.state);
        // The parts of an entry that matter beside the state.
        if stored.author != self.author && now > 0 {
            self.ahead = self.ahead.max(self.state.judged_at().saturating_sub(now));
        }
        if stored.kind == EntryKind::SnapshotBegun {
            self.marker = Some((stored.author, stored.tail.revision));
        }
        if self.watching {
            self.events.extend(Event::read(stored));
        }
        Ok(())
    }

    /// Judges a request as of `now` and stages what it becomes. `journal_bytes` is what waits for a snapshot.
    pub fn stage(&mut self, ask: Ask<'_>, now: Millis, journal_bytes: u64) -> Result<Stage> {
        self.stage_as(ask, now, journal_bytes, false)
    }

    /// As [`stage`](Self::stage), for the last request of a batch: what comes behind it is deferred.
    pub fn stage_last(&mut self, ask: Ask<'_>, now: Millis, journal_bytes: u64) -> Result<Stage> {
        self.stage_as(ask, now, journal_bytes, true)
    }

    fn stage_as(&mut self, ask: Ask<'_>, now: Millis, journal_bytes: u64, alone: bool) -> Result<Stage> {
        self.may_write()?;
        self.sealed &= !self.drafts.is_empty();
        if self.sealed {
            return Ok(Stage::Deferred);
        }
        let bench = Bench {
            state: &self.state,
            overlay: &self.overlay,
            limits: &self.limits,
            caller: &self.caller,
            now,
            journal_bytes,
            revision: self.last_revision(),
            next_id: self.next_id(),
            alone,
        };
        let plan = &mut self.plan;
        if plan.payload.capacity() == 0 {
            plan.payload = self.spare.pop().unwrap_or_default();
        }
        match judge(&bench, ask, &mut self.dice, plan)? {
            Verdict::Planned => {
                if plan.next_id.0 > crate::id::MAX_ID {
                    return Err(Error::new(Code::Full, "the store has used up its 2^53 task ids: begin a new store"));
                }
                let (next_id, payload) = (plan.next_id, core::mem::take(&mut plan.payload));
                self.answers.push(core::mem::take(&mut plan.answer));
                let revision = self.push(EntryKind::Transaction, next_id, payload);
                if alone {
                    self.sealed = true;
                } else {
                    self.overlay.stage(&mut self.plan.footprint, revision);
                }
                Ok(Stage::Staged)
            }
            Verdict::Answer { revision, repeated } => {
                Ok(Stage::Answered(self.committed(revision, &self.plan.answer, repeated)))
            }
            Verdict::Deferred => Ok(Stage::Deferred),
        }
    }

    /// Whether what this handle sees is the store's present.
    pub fn may_read(&self) -> Result<()> {
        self.closed.as_ref().map_or(Ok(()), |why| Err(why.clone()))
    }

    fn last_revision(&self) -> Revision {
        self.drafts.last().map_or(self.tail.revision, |draft| draft.revision)
    }

    fn next_id(&self) -> TaskId {
        self.drafts.last().map_or(self.state.next_id(), |draft| draft.next_id)
    }

    fn push(&mut self, kind: EntryKind, next_id: TaskId, payload: Vec<u8>) -> Revision {
        let revision = Revision(self.last_revision().0 + 1);
        self.drafts.push(Draft { kind, revision, next_id, author: self.author, payload });
        revision
    }
}
