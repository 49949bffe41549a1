//! The state's self-check: every index against every other.

use alloc::{format, string::String};

use super::{State, keys::key_hash, slot::Slot};

impl State {
    /// Looks at everything twice. `Err` says what does not agree; that would be a fault of Tenure.
    pub fn check(&self) -> Result<(), String> {
        let mut origins = 0;
        let mut keys = 0;
        let mut claims = 0;
        let mut texts = 0;
        let mut in_agendas = 0;
        for (number, group) in self.groups.iter() {
            if group.agenda.is_empty() || !group.agenda.check(&self.slots, &self.places) {
                return Err(format!("group {:?} has an agenda out of order", group.name));
            }
            if group.agenda.iter().any(|slot| self.slots[slot].group != number) {
                return Err(format!("group {:?} has another group's task", group.name));
            }
            in_agendas += group.agenda.len();
        }
        let mut sum = 0u64;
        let mut bytes = 0u64;
        for slot in self.walk_slots(0, u32::MAX) {
            let Slot { id, claim, .. } = self.slots[slot];
            if self.slot_of(id) != Some(slot) {
                return Err(format!("task {id} is not found by its id"));
            }
            if id >= self.next_id.0 {
                return Err(format!("task {id} is not below the next id {}", self.next_id));
            }
            if crc32fast::hash(self.data_at(slot)) != self.slots[slot].crc {
                return Err(format!("the data of task {id} has changed"));
            }
            claims += usize::from(claim != super::NONE);
            texts += usize::from(claim != super::NONE && self.claims[claim].texts != super::NONE);
            let origin = self.origin(slot);
            origins += usize::from(origin != id);
            if self.by_origin(origin.into()) != Some(id.into()) {
                return Err(format!("task {id} is not found by its origin {origin}"));
            }
            if let Some(key) = self.key(slot) {
                keys += 1;
                let group = self.group_at(slot);
                if self.keys.get(key_hash(group, key), |other| other == slot) != Some(slot) {
                    return Err(format!("task {id} is not found by its key {key:?}"));
                }
            }
            let (weight, hash, _) = self.measure(slot);
            sum = sum.wrapping_add(hash);
            bytes += weight;
        }
        let tasks = self.slots.len();
        let agree = [
            ("ids and origins", self.ids.len(), tasks + origins),
            ("agendas", in_agendas, tasks),
            ("keys", self.keys.len(), keys),
            ("claims", self.claims.len(), claims),
            ("texts", self.texts.len(), texts),
        ];
        for (what, found, expected) in agree {
            if found != expected {
                return Err(format!("{found} {what} for {expected}"));
            }
        }
        if sum != self.digest || bytes != self.bytes {
            return Err(format!("digest {:x} or size {} is not kept: {sum:x}, {bytes}", self.digest, self.bytes));
        }
        Ok(())
    }
}
