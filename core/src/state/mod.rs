//! What is true now: live tasks, groups, records, remembered requests.
//!
//! ```text
//! slots ── id index, origin index, key index        (slot numbers, four bytes each)
//!   │ group ── heap by (available_at, id)           (slot numbers)
//!   │ data  ── arena
//!   └ claim, texts                                  (only where they say something)
//! tables    records in the order of their keys
//! memo      outcomes of recent requests
//! past      what became of recent ids               (words refusals, decides nothing)
//! ```
//!
//! [`State::apply`] is the only mutator: commits and replay go through it alike.

mod apply;
mod arena;
mod check;
pub mod dice;
pub mod digest;
mod group;
mod heap;
mod index;
mod memo;
mod past;
mod slab;
mod slot;
mod table;
#[cfg(test)]
mod tests;

pub use apply::Mode;
pub use memo::{FoldMap, Memo, Outcome as Remembered};
pub use past::{Gone, Past};
pub use slab::NONE;
pub use table::{Tables, Value};

pub(crate) use arena::Arena;
pub(crate) use index::key_hash;

use alloc::{string::ToString, sync::Arc, vec::Vec};

use crate::{
    data::Data,
    id::{Author, OwnerId, Revision, TaskId},
    record::GROUPS_TABLE,
    task::{GroupStats, Task, TaskState},
    time::Millis,
};
use dice::Dice;
use group::Groups;
use index::{Index, KeyIndex};
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
    claims: Slab<Claim>,
    texts: Slab<Texts>,
    arena: Arena,
    ids: Index,
    origins: Index,
    keys: KeyIndex,
    groups: Groups,
    tables: Tables,
    memo: Memo,
    past: Past,
    revision: Revision,
    next_id: TaskId,
    exclusive: Author,
    level: u32,
    bytes: u64,
    digest: u64,
    stirred: Vec<Arc<str>>,
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

    /// The id that the next new task gets.
    pub fn next_id(&self) -> TaskId {
        self.next_id
    }

    /// The author who alone may write, 0 for everyone.
    pub fn exclusive(&self) -> Author {
        self.exclusive
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

    /// The groups in which tasks were added, released or given another time since this was last asked.
    pub fn take_stirred(&mut self) -> Vec<Arc<str>> {
        core::mem::take(&mut self.stirred)
    }

    fn slot_of(&self, id: u64) -> Option<u32> {
        self.ids.get(id, |slot| self.slots[slot].id)
    }

    /// The live task of an origin.
    pub fn by_origin(&self, origin: TaskId) -> Option<TaskId> {
        // A task that was never changed is its own origin and stands in no second index.
        let slot = match self.slot_of(origin.0) {
            Some(slot) if self.origin(slot) == origin.0 => Some(slot),
            _ => self.origins.get(origin.0, |slot| self.origin(slot)),
        };
        slot.map(|slot| TaskId(self.slots[slot].id))
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

    /// A task but for its data.
    pub fn title(&self, id: TaskId) -> Option<Title> {
        self.slot_of(id.0).map(|slot| self.title_at(slot))
    }

    fn title_at(&self, slot: u32) -> Title {
        let task = &self.slots[slot];
        let mut title = Title {
            slot,
            id: task.id,
            origin: task.id,
            available_at: task.available_at,
            added_at: task.available_at,
            owner: 0,
            attempt: 0,
            failures: 0,
            len: task.len,
        };
        if let Some(claim) = self.claim(slot) {
            title.origin = claim.origin;
            title.added_at = claim.added_at;
            title.owner = claim.owner;
            title.attempt = claim.attempt;
            title.failures = claim.failures;
        }
        title
    }

    /// The group of a task in a slot.
    pub fn group_at(&self, slot: u32) -> &Arc<str> {
        &self.groups[self.slots[slot].group].name
    }

    /// The key and the error of a task in a slot.
    pub fn texts_at(&self, slot: u32) -> (Option<&Arc<str>>, Option<&Arc<str>>) {
        self.text(slot).map_or((None, None), |texts| (texts.key.as_ref(), texts.error.as_ref()))
    }

    /// The data of a task in a slot.
    pub fn data_at(&self, slot: u32) -> &[u8] {
        let task = &self.slots[slot];
        self.arena.bytes(task.data, task.len as usize)
    }

    /// A task.
    pub fn task(&self, id: TaskId) -> Option<Task> {
        self.slot_of(id.0).map(|slot| self.task_at(slot))
    }

    fn task_at(&self, slot: u32) -> Task {
        let title = self.title_at(slot);
        let (key, error) = self.texts_at(slot);
        Task {
            id: TaskId(title.id),
            origin: TaskId(title.origin),
            group: self.group_at(slot).clone(),
            key: key.cloned(),
            available_at: title.available_at,
            added_at: title.added_at,
            owner: OwnerId(title.owner),
            attempt: title.attempt,
            failures: title.failures,
            error: error.cloned(),
            data: self.data_of(slot),
        }
    }

    fn data_of(&self, slot: u32) -> Data {
        let task = &self.slots[slot];
        self.arena.data(task.data, task.len as usize)
    }

    /// The live tasks with ids above `after`, in the order of their ids, of one group or of all, at most `limit`
    /// and only those whose state `keep` accepts.
    pub fn list(
        &self,
        group: Option<&str>,
        after: TaskId,
        limit: usize,
        now: Millis,
        keep: impl Fn(TaskState) -> bool,
    ) -> Vec<Task> {
        let wanted = |slot: u32| {
            let title = self.title_at(slot);
            title.id > after.0 && keep(TaskState::of(OwnerId(title.owner), title.available_at, now))
        };
        let mut found: Vec<(u64, u32)> = match group {
            Some(group) => {
                let Some(number) = self.groups.find(group) else { return Vec::new() };
                let heap = &self.groups[number].heap;
                heap.iter().filter(|(_, slot)| wanted(*slot)).map(|(_, slot)| (self.slots[slot].id, slot)).collect()
            }
            None => (0..self.slots.end())
                .filter(|slot| self.slots.get(*slot).is_some() && wanted(*slot))
                .map(|slot| (self.slots[slot].id, slot))
                .collect(),
        };
        if found.len() > limit {
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found.into_iter().map(|(_, slot)| self.task_at(slot)).collect()
    }

    /// Every group that has tasks, in the order of their names.
    pub fn groups(&self, now: Millis) -> Vec<GroupStats> {
        let mut all: Vec<GroupStats> = self.groups.iter().map(|(_, group)| self.stats_of(group, now)).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// What is known of one group; zeros where it has no tasks.
    pub fn group(&self, name: &str, now: Millis) -> GroupStats {
        match self.groups.find(name) {
            Some(number) => self.stats_of(&self.groups[number], now),
            None => GroupStats { name: name.to_string(), paused: self.paused(name), ..GroupStats::default() },
        }
    }

    fn stats_of(&self, group: &group::Group, now: Millis) -> GroupStats {
        let mut stats = GroupStats {
            name: group.name.to_string(),
            tasks: group.heap.len() as u64,
            oldest: group.heap.first().map(|(at, _)| at).filter(|at| *at <= now),
            paused: self.paused(&group.name),
            ..GroupStats::default()
        };
        for (at, slot) in group.heap.iter() {
            match TaskState::of(OwnerId(self.claim(slot).map_or(0, |claim| claim.owner)), at, now) {
                TaskState::Available => stats.available += 1,
                TaskState::Delayed => stats.delayed += 1,
                TaskState::Held => stats.held += 1,
            }
        }
        stats
    }

    /// How many tasks a group has.
    pub fn group_len(&self, name: &str) -> u64 {
        self.groups.find(name).map_or(0, |number| self.groups[number].heap.len() as u64)
    }

    /// Whether claims skip a group: its settings, a JSON object, say `"paused": true`.
    pub fn paused(&self, group: &str) -> bool {
        // No settings at all is the common case and costs one look at an empty tree.
        !self.tables.is_empty() && self.tables.get(GROUPS_TABLE, group).is_some_and(|value| says_paused(&value.data))
    }

    /// When the next task of a group can be claimed, if that is after `now`; `None` where none is waiting.
    pub fn next_available(&self, group: &str) -> Option<Millis> {
        let number = self.groups.find(group)?;
        self.groups[number].heap.first().map(|(at, _)| at)
    }

    /// A random task of a group that can be claimed and is not to be skipped, at most `limit` of them.
    pub fn draw(
        &self,
        group: &str,
        now: Millis,
        limit: usize,
        dice: &mut Dice,
        skip: impl Fn(u64) -> bool,
    ) -> Vec<u32> {
        let Some(number) = self.groups.find(group) else { return Vec::new() };
        let heap = &self.groups[number].heap;
        let mut found: Vec<u32> = Vec::new();
        let mut taken: FoldMap<u64, ()> = FoldMap::default();
        let mut tries = limit.saturating_mul(2).saturating_add(8);
        while found.len() < limit && tries > 0 {
            tries -= 1;
            let Some(slot) = heap.draw(now, dice) else { return found };
            let fresh = limit == 1 || taken.insert(u64::from(slot), ()).is_none();
            if fresh && !skip(self.slots[slot].id) {
                found.push(slot);
            }
        }
        if found.len() < limit {
            // Few are left: look at all that are available, and shuffle.
            let mut rest = Vec::new();
            heap.available(now, |slot| {
                if !skip(self.slots[slot].id) {
                    rest.push(slot);
                }
                true
            });
            found.sort_unstable();
            rest.retain(|slot| found.binary_search(slot).is_err());
            for i in 0..rest.len().min(limit - found.len()) {
                let other = i + dice.below((rest.len() - i) as u64) as usize;
                rest.swap(i, other);
                found.push(rest[i]);
            }
        }
        found
    }

    /// The oldest tasks of a group that can be claimed and are not to be skipped, at most `limit` of them.
    pub fn oldest(&self, group: &str, now: Millis, limit: usize, skip: impl Fn(u64) -> bool) -> Vec<u32> {
        let Some(number) = self.groups.find(group) else { return Vec::new() };
        self.groups[number].heap.oldest(&self.slots, now, limit, |slot| skip(self.slots[slot].id))
    }

    /// The title of the task in a live slot.
    pub fn title_in(&self, slot: u32) -> Title {
        self.title_at(slot)
    }

    /// Makes room for that many more tasks.
    pub(crate) fn reserve(&mut self, tasks: usize) {
        self.ids.reserve(tasks, |slot| self.slots[slot].id);
    }

    /// Whether it is, for a snapshot's replay, the state at this revision.
    pub(crate) fn stand_at(&mut self, tail: &crate::port::Tail, level: u32, exclusive: Author) {
        self.revision = tail.revision;
        self.next_id = self.next_id.max(tail.next_id);
        self.level = level;
        self.exclusive = exclusive;
    }

    pub(crate) fn load_record(&mut self, table: &str, key: &str, value: Value) {
        self.tables.put(table, key, value);
    }

    pub(crate) fn load_request(&mut self, owner: u64, id: &str, outcome: Remembered) {
        self.memo.insert(owner, id, outcome);
    }

    /// The slots from `from` on in which a task lives.
    pub fn walk_slots(&self, from: u32) -> impl Iterator<Item = u32> + '_ {
        (from..self.slots.end()).filter(|slot| self.slots.get(*slot).is_some())
    }
}

/// Reads the one setting that claim honours, without a JSON parser: the object's own `"paused"` member.
pub(crate) fn says_paused(settings: &[u8]) -> bool {
    let mut depth = 0u32;
    let mut rest = settings;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let mut end = 0;
                while end < rest.len() && rest[end] != b'"' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                let name = &rest[..end.min(rest.len())];
                rest = rest.get(end + 1..).unwrap_or(&[]);
                if depth == 1 && name == b"paused" {
                    let value = rest.trim_ascii_start();
                    if let Some(value) = value.strip_prefix(b":") {
                        return value.trim_ascii_start().starts_with(b"true");
                    }
                }
            }
            _ => {}
        }
    }
    false
}
