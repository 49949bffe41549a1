//! How staged entries end: confirmed, settled one by one, or rolled back.

use alloc::{sync::Arc, vec::Vec};

use super::Engine;
use crate::{
    data::Data,
    error::Result,
    id::{OwnerId, Position, Revision, TaskId},
    port::{Stored, Tail},
    request::Committed,
    task::Task,
    time::Millis,
    txn::Answer,
};

/// Buffers that are kept, and how large one may be.
const SPARE: usize = 16;
const SPARE_BYTES: usize = 16 << 10;

impl Engine {
    /// What is staged was appended, and this is the new tail: applies it and answers, in the order of staging.
    pub fn confirm(&mut self, tail: &Tail, now: Millis) -> Result<Vec<Committed>> {
        let mut done = Vec::with_capacity(self.drafts.len());
        self.confirm_each(tail, now, &mut |committed| done.push(committed))?;
        Ok(done)
    }

    /// As [`confirm`](Self::confirm), with one answer after the other as they come.
    pub fn confirm_each(&mut self, tail: &Tail, now: Millis, answered: &mut dyn FnMut(Committed)) -> Result<()> {
        let mut drafts = core::mem::take(&mut self.drafts);
        let mut answers = core::mem::take(&mut self.answers);
        self.sealed = false;
        self.overlay.clear();
        for (at, (draft, answer)) in drafts.iter().zip(&answers).enumerate() {
            let last = at + 1 == drafts.len();
            let between =
                Tail { position: tail.position, revision: draft.revision, next_id: draft.next_id, link: tail.link };
            let stored = Stored {
                kind: draft.kind,
                author: draft.author,
                position: self.tail.position,
                durable: Position(0),
                tail: if last { *tail } else { between },
                payload: &draft.payload,
            };
            self.absorb(&stored, now, Some(answer))?;
            answered(self.committed(draft.revision, answer, false));
        }
        // The buffers serve the next batch.
        answers.clear();
        for draft in drafts.drain(..) {
            if self.spare.len() < SPARE && draft.payload.capacity() <= SPARE_BYTES {
                let mut payload = draft.payload;
                payload.clear();
                self.spare.push(payload);
            }
        }
        (self.drafts, self.answers) = (drafts, answers);
        Ok(())
    }

    /// After an append that failed half-way: the entry behind the tail, as the journal has it. Answers where it is the
    /// first of those staged; otherwise nothing that is staged can count any more, and it is rolled back.
    pub fn settle(&mut self, stored: &Stored<'_>, now: Millis) -> Result<Option<Committed>> {
        let own = self.drafts.first().is_some_and(|draft| {
            draft.author == stored.author && draft.revision == stored.tail.revision && draft.payload == stored.payload
        });
        if !own {
            self.rollback();
            self.absorb(stored, now, None)?;
            return Ok(None);
        }
        let draft = self.drafts.remove(0);
        let answer = self.answers.remove(0);
        self.absorb(stored, now, Some(&answer))?;
        Ok(Some(self.committed(draft.revision, &answer, false)))
    }

    /// What is staged is not in the journal: forgets it.
    pub fn rollback(&mut self) {
        if !self.drafts.is_empty() {
            self.rollbacks += 1;
        }
        self.drafts.clear();
        self.answers.clear();
        self.overlay.clear();
    }

    /// The journal's end lies behind what is no entry, such as the seal of a segment: what is staged goes there.
    pub fn pass(&mut self, tail: &Tail) {
        if tail.revision == self.tail.revision && tail.position >= self.tail.position {
            self.tail = *tail;
        }
    }

    pub(super) fn committed(&self, revision: Revision, answer: &Answer, repeated: bool) -> Committed {
        let task = |(at, id): (usize, &TaskId)| self.state.placed(at, *id).unwrap_or_else(|| shell(*id));
        let tasks = answer.ids.iter().enumerate().map(task).collect();
        Committed { revision, tasks, counts: answer.counts.clone(), repeated }
    }
}

/// A task of which only the id is known: it has changed since the request that is repeated.
fn shell(id: TaskId) -> Task {
    Task {
        id,
        origin: TaskId(0),
        group: Arc::default(),
        key: None,
        available_at: 0,
        added_at: 0,
        owner: OwnerId(0),
        attempt: 0,
        failures: 0,
        error: None,
        data: Data::default(),
    }
}
