//! What is true now: live tasks, groups, records, remembered requests.
//!
//! ```text
//! slots ── index by id and origin, index by key      (slot numbers, four bytes each)
//!   │ group ── agenda by (available_at, id)         (slot numbers)
//!   │ data  ── arena
//!   └ claim, texts                                  (only where they say something)
//! tables    records in the order of their keys
//! memo      outcomes of recent requests
//! past      what became of recent ids               (words refusals, decides nothing)
//! ```
//!
//! [`State::apply`] is the only mutator: commits and replay go through it alike.

mod agenda;
mod apply;
mod arena;
mod change;
mod check;
pub mod dice;
pub mod digest;
mod group;
mod heap;
mod index;
mod keys;
mod line;
mod load;
mod memo;
mod past;
mod pick;
mod read;
mod slab;
mod slot;
mod stir;
mod table;
#[cfg(test)]
mod tests;

pub use apply::Mode;
pub use memo::{FoldMap, Memo, Outcome as Remembered};
pub use past::{Gone, Past};
pub use slab::NONE;
pub use table::{Tables, Value};

pub(crate) use apply::Known;
pub(crate) use arena::Arena;
pub(crate) use keys::key_hash;

use alloc::{sync::Arc, vec::Vec};

use crate::{
    id::{Author, Revision, TaskId},
    time::Millis,
};
use group::Groups;
use index::{Index, ORIGIN};
use keys::KeyIndex;
use slab::Slab;
use slot::{Claim, Slot, Texts};

/// The bytes that a plain task takes up beside its data: slot, index, heap.
const TASK_BYTES: u64 = 64;
/// What a claim adds.
const CLAIM_BYTES: u64 = 56;

/// The state of a store after some revision.
#[derive(Debug, Default)]
pub struct State {
    slots: Slab<Slot>,
    /// Where each slot stands in its group's agenda.
    places: Vec<u32>,
    claims: Slab<Claim>,
    texts: Slab<Texts>,
    arena: Arena,
    ids: Index,
    keys: KeyIndex,
    groups: Groups,
    tables: Tables,
    memo: Memo,
    past: Past,
    revision: Revision,
    /// By which time the last entry was judged.
    now: Millis,
    next_id: TaskId,
    exclusive: Author,
    /// The last entry seen that changed who may write, or the level.
    handed: Revision,
    level: u32,
    bytes: u64,
    digest: u64,
    /// No id from here on has ever been in the index.
    unseen: u64,
    /// The slots of the tasks that the last entry made or changed, in the order of its ops.
    placed: Vec<u32>,
    /// Numbers of groups in which something became claimable.
    stirred: Vec<u32>,
    stirred_all: bool,
}

/// A task as validation needs it: all but its data.
#[derive(Debug, Clone)]
pub struct Title {
    /// Where it stands.
    pub slot: u32,
    /// The present id.
    pub id: u64,
    /// The id of the add that began it.
    pub origin: u64,
    /// When it can be claimed.
    pub available_at: Millis,
    /// When it was added.
    pub added_at: Millis,
    /// Who claimed it last.
    pub owner: u64,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// Bytes of data.
    pub len: u32,
    /// Its key and error, [`NONE`] where it has neither.
    texts: u32,
}

impl Title {
    /// Whether somebody holds it at `now`.
    pub fn held(&self, now: Millis) -> bool {
        self.available_at > now && self.owner != 0
    }
}

impl State {
    /// An empty state.
    pub fn new() -> Self {
        Self { next_id: TaskId(1), level: 1, ..Self::default() }
    }

    /// The revision that it is the state of.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// By which time the last entry that counted was judged.
    pub(crate) fn judged_at(&self) -> Millis {
        self.now
    }

    /// The id that the next new task gets.
    pub fn next_id(&self) -> TaskId {
        self.next_id
    }

    /// The author who alone may write, 0 for everyone.
    pub fn exclusive(&self) -> Author {
        self.exclusive
    }

    /// The last entry that changed who may write, or the level; 0 where none did since the snapshot that this state began
    /// with.
    pub fn handed(&self) -> Revision {
        self.handed
    }

    /// The store's format level.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// The digest over all tasks and records.
    pub fn digest(&self) -> u64 {
        self.digest.wrapping_add(self.tables.digest())
    }

    /// Live tasks.
    pub fn tasks(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The bytes that it takes up in memory, about.
    pub fn bytes(&self) -> u64 {
        self.bytes + self.tables.bytes()
    }

    /// The records.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The remembered requests.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// What became of recent ids.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// What an entry of the index stands under.
    fn number(slots: &Slab<Slot>, claims: &Slab<Claim>, entry: u32) -> u64 {
        let slot = &slots[entry & !ORIGIN];
        if entry & ORIGIN == 0 { slot.id } else { claims[slot.claim].origin }
    }

    fn entry(&self, number: u64) -> Option<u32> {
        self.ids.get(number, |entry| Self::number(&self.slots, &self.claims, entry) == number)
    }

    fn index_id(&mut self, number: u64, entry: u32) {
        self.unseen = self.unseen.max(number.saturating_add(1));
        let (slots, claims) = (&self.slots, &self.claims);
        self.ids.insert(number, entry, |entry| Self::number(slots, claims, entry));
    }

    fn slot_of(&self, id: u64) -> Option<u32> {
        if id >= self.unseen {
            return None;
        }
        // During a tolerant replay a task may stand under its first id while a later form of it stands there as well.
        self.ids.slot(id, |slot| self.slots[slot].id == id)
    }

    /// The live task of an origin.
    pub fn by_origin(&self, origin: TaskId) -> Option<TaskId> {
        let slot = self.entry(origin.0)? & !ORIGIN;
        (self.origin(slot) == origin.0).then(|| TaskId(self.slots[slot].id))
    }

    /// The live task of a key.
    pub fn by_key(&self, group: &str, key: &str) -> Option<TaskId> {
        let number = self.groups.find(group)?;
        self.keys
            .get(key_hash(group, key), |slot| {
                self.slots[slot].group == number && self.key(slot).is_some_and(|k| **k == *key)
            })
            .map(|slot| TaskId(self.slots[slot].id))
    }

    fn claim(&self, slot: u32) -> Option<&Claim> {
        let claim = self.slots[slot].claim;
        (claim != NONE).then(|| &self.claims[claim])
    }

    fn origin(&self, slot: u32) -> u64 {
        self.claim(slot).map_or(self.slots[slot].id, |claim| claim.origin)
    }

    fn text(&self, slot: u32) -> Option<&Texts> {
        let texts = self.claim(slot)?.texts;
        (texts != NONE).then(|| &self.texts[texts])
    }

    fn key(&self, slot: u32) -> Option<&Arc<str>> {
        self.text(slot)?.key.as_ref()
    }

    /// The title of the task in a live slot.
    pub fn title_in(&self, slot: u32) -> Title {
        self.title_at(slot)
    }

    /// One past the highest slot in which a task ever lived.
    pub fn slots_end(&self) -> u32 {
        self.slots.end()
    }

    /// The slots from `from` on and before `end` in which a task lives.
    pub fn walk_slots(&self, from: u32, end: u32) -> impl Iterator<Item = u32> + '_ {
        (from..end.min(self.slots.end())).filter(|slot| self.slots.get(*slot).is_some())
    }
}
