//! Folding one entry into the state: the only mutator, for commits and for replay.

use alloc::format;

use super::{Remembered, State, Value};
use crate::{
    data::Data,
    entry::{EntryHead, EntryKind, Image, Op, Payload},
    error::{Code, Error, Result},
    id::{Author, Revision, TaskId},
    port::Stored,
    time::Millis,
};

/// How strictly an entry must fit the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Everything that an op speaks of is there.
    Strict,
    /// Replay over a fuzzy snapshot, up to the revision at which its walk ended: a part of what the entry did may
    /// be in the snapshot already, and what a later entry removes may be missing.
    Tolerant,
}

/// What need not be found out again of an entry that this handle has just made.
#[derive(Debug, Default)]
pub(crate) struct Known<'a> {
    /// The slots in which the tasks that it changes are likely to stand, in the order of its ops.
    pub slots: &'a [u32],
    /// Its head, and the bytes that the head takes up in the payload.
    pub head: Option<(EntryHead<'a>, usize)>,
}

/// Who did an entry, and when.
pub(super) struct Doing<'a> {
    pub owner: u64,
    pub now: Millis,
    revision: Revision,
    pub mode: Mode,
    /// Where the tasks that its ops change stand, in the order of the ops, as far as that is known: each is looked at
    /// before it is believed.
    pub slots: core::slice::Iter<'a, u32>,
}

/// Slots of one entry that are kept room for.
const PLACED: usize = 1024;

pub(super) fn unfit(what: &str, id: u64) -> Error {
    Error::new(
        Code::Corrupt,
        format!("an entry {what} task {id}, which does not fit the state: restore the store from a backup"),
    )
}

impl State {
    /// Folds one entry into the state. `window` is for how many revisions requests are remembered.
    ///
    /// An entry of another author while one has the store for itself is skipped (rule E1); so the answer says
    /// whether it counted. After an error the state is not to be used any more.
    pub fn apply(&mut self, stored: &Stored<'_>, mode: Mode, window: u64) -> Result<bool> {
        self.apply_known(stored, mode, window, Known::default())
    }

    /// The same, with what is known of the entry.
    pub(crate) fn apply_known(
        &mut self,
        stored: &Stored<'_>,
        mode: Mode,
        window: u64,
        known: Known<'_>,
    ) -> Result<bool> {
        let revision = stored.tail.revision;
        if revision.0 != self.revision.0 + 1 {
            return Err(Error::new(
                Code::Corrupt,
                format!("revision {revision} follows revision {}: entries are missing", self.revision),
            ));
        }
        self.revision = revision;
        self.next_id = self.next_id.max(stored.tail.next_id);
        // The snapshot holds what was remembered at the end of its walk: replay up to there adds nothing to it.
        if mode == Mode::Strict {
            self.memo.forget(revision, window);
        }
        let alone = self.exclusive != Author(0) && self.exclusive != stored.author;
        if alone && stored.kind != EntryKind::HandOff {
            return Ok(false);
        }
        let payload = match known.head {
            Some((head, len)) => Payload::behind(head, stored.payload.get(len..).unwrap_or_default())?,
            None => Payload::read(stored.payload)?,
        };
        debug_assert_eq!(Payload::read(stored.payload).ok().map(|read| read.head).as_ref(), Some(&payload.head));
        self.begin(stored, &payload.head, mode);
        let slots = known.slots.iter();
        let mut doing = Doing { owner: payload.head.owner.0, now: payload.head.now, revision, mode, slots };
        self.placed.clear();
        self.placed.shrink_to(PLACED);
        payload.each(|op| self.apply_op(&mut doing, op))?;
        Ok(true)
    }

    fn begin(&mut self, stored: &Stored<'_>, head: &EntryHead<'_>, mode: Mode) {
        if matches!(stored.kind, EntryKind::HandOff | EntryKind::Release | EntryKind::Upgrade) {
            self.handed = self.revision;
        }
        match stored.kind {
            EntryKind::HandOff => self.exclusive = stored.author,
            EntryKind::Release => self.exclusive = Author(0),
            _ => {}
        }
        self.now = head.now;
        self.past.meet(head.owner.0, &head.actor);
        if let Some(mark) = head.request.as_ref().filter(|_| mode == Mode::Strict) {
            let outcome = Remembered {
                revision: self.revision,
                fingerprint: mark.fingerprint,
                ids: mark.ids.clone(),
                counts: mark.counts.clone(),
            };
            self.memo.insert(head.owner.0, &mark.id, outcome);
        }
    }

    fn apply_op(&mut self, doing: &mut Doing<'_>, op: &Op<'_>) -> Result<()> {
        match op {
            Op::Save { replaces, task } => self.save(doing, *replaces, task),
            Op::Retitle(retitle) => self.retitle(doing, retitle),
            Op::Remove { id, reason } => match self.present(doing, *id) {
                Some(slot) => {
                    let gone = self.drop_slot(slot);
                    self.remember(doing, &gone, Some(*reason));
                    Ok(())
                }
                None if doing.mode == Mode::Tolerant => Ok(()),
                None => Err(unfit("removes", id.0)),
            },
            Op::Put { table, key, expires_at, value } => {
                let value = Value { data: Data::from(&**value), revision: doing.revision, expires_at: *expires_at };
                self.tables.put(table, key, value);
                self.stir_settings(table, key);
                Ok(())
            }
            Op::RemoveRecord { table, key } => {
                if !self.tables.remove(table, key) && doing.mode == Mode::Strict {
                    return Err(Error::new(
                        Code::Corrupt,
                        format!("an entry removes record {key:?}, which is not there"),
                    ));
                }
                self.stir_settings(table, key);
                Ok(())
            }
            Op::Level(level) => {
                self.level = *level;
                Ok(())
            }
        }
    }

    fn save(&mut self, doing: &mut Doing<'_>, replaces: TaskId, image: &Image<'_>) -> Result<()> {
        if replaces.0 != 0 {
            match self.present(doing, replaces) {
                Some(slot) => {
                    let gone = self.drop_slot(slot);
                    self.remember(doing, &gone, None);
                }
                None if doing.mode == Mode::Tolerant => {}
                None => return Err(unfit("replaces", replaces.0)),
            }
        }
        if let Some(slot) = self.slot_of(image.id.0) {
            if doing.mode == Mode::Strict {
                return Err(unfit("saves again", image.id.0));
            }
            self.drop_slot(slot);
        }
        if !self.issued(image.id) || image.available_at > crate::time::MAX_TIME || image.group.is_empty() {
            return Err(unfit("saves", image.id.0));
        }
        let slot = self.load(image, image.available_at > doing.now);
        self.placed.push(slot);
        self.stir(self.slots[slot].group);
        Ok(())
    }
}
