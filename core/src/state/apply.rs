//! Folding one entry into the state: the only mutator, for commits and for replay.

use alloc::format;

use super::{
    NONE, Remembered, State, Value,
    index::{ORIGIN, key_hash},
    past::Gone,
    slot::{Claim, Slot},
};
use crate::{
    data::Data,
    entry::{EntryHead, EntryKind, Image, Op, Payload, Reason, Retitle},
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

/// Who did an entry, and when.
struct Doing {
    owner: u64,
    now: Millis,
    revision: Revision,
    mode: Mode,
}

fn unfit(what: &str, id: u64) -> Error {
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
        let payload = Payload::read(stored.payload)?;
        self.begin(stored, &payload.head, mode);
        let doing = Doing { owner: payload.head.owner.0, now: payload.head.now, revision, mode };
        for op in payload {
            self.apply_op(&doing, op?)?;
        }
        Ok(true)
    }

    fn begin(&mut self, stored: &Stored<'_>, head: &EntryHead<'_>, mode: Mode) {
        match stored.kind {
            EntryKind::HandOff => self.exclusive = stored.author,
            EntryKind::Release => self.exclusive = Author(0),
            _ => {}
        }
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

    fn apply_op(&mut self, doing: &Doing, op: Op<'_>) -> Result<()> {
        match op {
            Op::Save { replaces, task } => self.save(doing, replaces, &task),
            Op::Retitle(retitle) => self.retitle(doing, &retitle),
            Op::Remove { id, reason } => match self.slot_of(id.0) {
                Some(slot) => {
                    self.remember(doing, slot, Some(reason));
                    self.drop_slot(slot);
                    Ok(())
                }
                None if doing.mode == Mode::Tolerant => Ok(()),
                None => Err(unfit("removes", id.0)),
            },
            Op::Put { table, key, expires_at, value } => {
                let value = Value { data: Data::from(&*value), revision: doing.revision, expires_at };
                self.tables.put(&table, &key, value);
                self.stir_settings(&table, &key);
                Ok(())
            }
            Op::RemoveRecord { table, key } => {
                if !self.tables.remove(&table, &key) && doing.mode == Mode::Strict {
                    return Err(Error::new(
                        Code::Corrupt,
                        format!("an entry removes record {key:?}, which is not there"),
                    ));
                }
                self.stir_settings(&table, &key);
                Ok(())
            }
            Op::Level(level) => {
                self.level = level;
                Ok(())
            }
        }
    }

    fn save(&mut self, doing: &Doing, replaces: TaskId, image: &Image<'_>) -> Result<()> {
        if replaces.0 != 0 {
            match self.slot_of(replaces.0) {
                Some(slot) => {
                    self.remember(doing, slot, None);
                    self.drop_slot(slot);
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
        self.load(image);
        self.stir(&image.group);
        Ok(())
    }

    /// Whether an id can have been given by now.
    fn issued(&self, id: TaskId) -> bool {
        id.0 != 0 && id < self.next_id
    }

    fn unindex_key(&mut self, slot: u32) {
        if let Some(key) = self.key(slot) {
            let hash = key_hash(self.group_at(slot), key);
            self.keys.remove(hash, slot);
        }
    }

    fn retitle(&mut self, doing: &Doing, retitle: &Retitle<'_>) -> Result<()> {
        let slot = match (self.slot_of(retitle.old.0), self.slot_of(retitle.id.0)) {
            (Some(slot), None) => {
                self.remember(doing, slot, None);
                slot
            }
            // An earlier entry of the replay has put it in once more; what the walk saw of it later goes.
            (Some(slot), Some(later)) if doing.mode == Mode::Tolerant && slot != later => {
                self.drop_slot(later);
                slot
            }
            // The walk met it after this entry: the fields are written again.
            (None, Some(slot)) if doing.mode == Mode::Tolerant => slot,
            // It was in a slot that the walk had passed, and a later entry removes it.
            (None, None) if doing.mode == Mode::Tolerant => return Ok(()),
            _ => return Err(unfit("renames", retitle.old.0)),
        };
        let nowhere = retitle.group.as_ref().is_some_and(|group| group.is_empty());
        if !self.issued(retitle.id) || retitle.available_at > crate::time::MAX_TIME || nowhere {
            return Err(unfit("renames", retitle.old.0));
        }
        self.digest = self.digest.wrapping_sub(self.hash(slot));
        self.bytes -= self.weight(slot);
        let before = self.slots[slot].clone();
        if before.claim == NONE {
            let claim = Claim {
                owner: 0,
                origin: before.id,
                added_at: before.available_at,
                attempt: 0,
                failures: 0,
                texts: NONE,
            };
            self.slots[slot].claim = self.claims.insert(claim);
        }
        let at = self.slots[slot].claim;
        let was_own_origin = self.claims[at].origin == before.id;
        if before.id != retitle.id.0 {
            if was_own_origin {
                self.ids.mark_origin(before.id, slot);
            } else {
                self.ids.remove(before.id, slot);
            }
            self.slots[slot].id = retitle.id.0;
            self.index_id(retitle.id.0, slot);
        }
        let claim = &mut self.claims[at];
        claim.owner = retitle.owner.0;
        claim.attempt = retitle.attempt;
        claim.failures = retitle.failures;
        if let Some(error) = &retitle.error {
            self.set_error(slot, error);
        }
        self.slots[slot].available_at = retitle.available_at;
        match &retitle.group {
            Some(group) if **group != **self.group_at(slot) => self.change_group(slot, group),
            _ => {
                let place = self.places[slot as usize] as usize;
                self.groups[before.group].heap.moved(&self.slots, &mut self.places, place);
            }
        }
        if doing.mode == Mode::Tolerant {
            // A task that had the key for a while may have taken its place in the index.
            self.unindex_key(slot);
            self.index_key(slot);
        }
        self.bytes += self.weight(slot);
        self.digest = self.digest.wrapping_add(self.hash(slot));
        if retitle.owner.0 == 0 || retitle.available_at <= doing.now {
            let group = self.group_at(slot).clone();
            self.stir(&group);
        }
        Ok(())
    }

    fn change_group(&mut self, slot: u32, name: &str) {
        self.unindex_key(slot);
        let old = self.slots[slot].group;
        let place = self.places[slot as usize] as usize;
        self.groups[old].heap.remove(&self.slots, &mut self.places, place);
        let group = self.groups.number(name);
        self.slots[slot].group = group;
        self.groups[group].heap.push(&self.slots, &mut self.places, slot);
        if self.groups[old].heap.is_empty() {
            self.groups.retire(old);
        }
        self.index_key(slot);
    }

    fn drop_slot(&mut self, slot: u32) {
        self.digest = self.digest.wrapping_sub(self.hash(slot));
        self.bytes -= self.weight(slot);
        self.unindex_key(slot);
        let origin = self.origin(slot);
        let Slot { id, group, data, len, claim, .. } = self.slots[slot].clone();
        let place = self.places[slot as usize] as usize;
        self.groups[group].heap.remove(&self.slots, &mut self.places, place);
        if self.groups[group].heap.is_empty() {
            self.groups.retire(group);
        }
        self.ids.remove(id, slot);
        if origin != id {
            self.ids.remove(origin, slot | ORIGIN);
        }
        self.arena.free(data, len as usize);
        if claim != NONE {
            let texts = self.claims.remove(claim).texts;
            if texts != NONE {
                self.texts.remove(texts);
            }
        }
        self.slots.remove(slot);
    }

    fn remember(&mut self, doing: &Doing, slot: u32, reason: Option<Reason>) {
        let title = self.title_at(slot);
        self.past.push(Gone {
            id: title.id,
            origin: title.origin,
            holder: title.owner,
            until: title.available_at,
            by: doing.owner,
            at: doing.now,
            reason,
        });
    }
}
