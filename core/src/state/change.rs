//! What becomes of one task: it gets another title, it goes.

use super::{
    NONE, State, Title,
    apply::{Doing, Mode, unfit},
    index::ORIGIN,
    keys::key_hash,
    past::Gone,
    slot::{Claim, Slot},
};
use crate::{
    entry::{Reason, Retitle},
    error::Result,
    id::TaskId,
};

impl State {
    /// Where the task that an op changes stands.
    pub(super) fn present(&self, doing: &mut Doing<'_>, id: TaskId) -> Option<u32> {
        match doing.slots.next() {
            Some(slot) if self.slots.get(*slot).is_some_and(|task| task.id == id.0) => Some(*slot),
            _ => self.slot_of(id.0),
        }
    }

    /// Whether an id can have been given by now.
    pub(super) fn issued(&self, id: TaskId) -> bool {
        id.0 != 0 && id < self.next_id
    }

    fn unindex_key(&mut self, slot: u32) {
        if let Some(key) = self.key(slot) {
            let hash = key_hash(self.group_at(slot), key);
            self.keys.remove(hash, slot);
        }
    }

    pub(super) fn retitle(&mut self, doing: &mut Doing<'_>, retitle: &Retitle<'_>) -> Result<()> {
        let mut renamed = false;
        let slot = match (self.present(doing, retitle.old), self.slot_of(retitle.id.0)) {
            (Some(slot), None) => {
                renamed = true;
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
        let before = self.take_weight(slot);
        if renamed {
            self.remember(doing, &before, None);
        }
        let group = self.slots[slot].group;
        let at = self.claim_of(slot);
        if before.id != retitle.id.0 {
            if before.origin == before.id {
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
            Some(name) if **name != *self.groups[group].name => self.change_group(doing, slot, name),
            _ => {
                let later = retitle.available_at > doing.now;
                self.groups[group].agenda.moved(&self.slots, &mut self.places, slot, later);
            }
        }
        if doing.mode == Mode::Tolerant {
            // A task that had the key for a while may have taken its place in the index.
            self.unindex_key(slot);
            self.index_key(slot);
        }
        self.give_weight(slot);
        self.placed.push(slot);
        if retitle.owner.0 == 0 || retitle.available_at <= doing.now {
            self.stir(self.slots[slot].group);
        }
        Ok(())
    }

    /// The claim of a task, which gets one where it was plain.
    fn claim_of(&mut self, slot: u32) -> u32 {
        let Slot { id, available_at, claim, .. } = self.slots[slot];
        if claim != NONE {
            return claim;
        }
        let plain = Claim { owner: 0, origin: id, added_at: available_at, attempt: 0, failures: 0, texts: NONE };
        let claim = self.claims.insert(plain);
        self.slots[slot].claim = claim;
        claim
    }

    fn change_group(&mut self, doing: &Doing<'_>, slot: u32, name: &str) {
        self.unindex_key(slot);
        let old = self.slots[slot].group;
        self.groups[old].agenda.remove(&self.slots, &mut self.places, slot);
        let group = self.groups.number(name);
        self.slots[slot].group = group;
        let later = self.slots[slot].available_at > doing.now;
        self.groups[group].agenda.push(&self.slots, &mut self.places, slot, later);
        if self.groups[old].agenda.is_empty() {
            self.groups.retire(old);
        }
        self.index_key(slot);
    }

    /// Removes a task, and says which it was.
    pub(super) fn drop_slot(&mut self, slot: u32) -> Title {
        let title = self.take_weight(slot);
        if title.texts != NONE {
            self.unindex_key(slot);
        }
        let Slot { id, group, data, len, claim, .. } = self.slots[slot];
        let agenda = &mut self.groups[group].agenda;
        agenda.remove(&self.slots, &mut self.places, slot);
        if agenda.is_empty() {
            self.groups.retire(group);
        }
        self.ids.remove(id, slot);
        if title.origin != id {
            self.ids.remove(title.origin, slot | ORIGIN);
        }
        self.arena.free(data, len as usize);
        if claim != NONE {
            let texts = self.claims.remove(claim).texts;
            if texts != NONE {
                self.texts.remove(texts);
            }
        }
        self.slots.remove(slot);
        title
    }

    pub(super) fn remember(&mut self, doing: &Doing<'_>, title: &Title, reason: Option<Reason>) {
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
