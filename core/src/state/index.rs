//! Finding slots by id, by origin and by key: tables of slot numbers, four bytes each.
//!
//! Ids and origins share one table: a task that was changed stands there twice, under its present id and, marked, under
//! its origin. So the first claim of a task only marks the entry that is in the cache already.

use hashbrown::HashTable;

use super::digest;

/// Marks an entry that stands under its task's origin.
pub const ORIGIN: u32 = 1 << 31;

/// Slots by a number.
#[derive(Debug, Default)]
pub struct Index {
    table: HashTable<u32>,
}

/// Sixteen consecutive ids share one group of the table, so that ids drawn together are found together; the
/// groups themselves are spread.
fn spread(id: u64) -> u64 {
    let mixed = (id >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = mixed ^ (mixed >> 32);
    // hashbrown takes the place from the low bits and a tag from the top seven.
    (mixed << 4 | (id & 15)) & (u64::MAX >> 7) | id.wrapping_mul(0xE703_7ED1_A0B4_28DB) & !(u64::MAX >> 7)
}

/// The hash of a key in a group.
pub fn key_hash(group: &str, key: &str) -> u64 {
    digest::item([digest::text(group), digest::text(key)])
}

impl Index {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// The entry under a number, where `number(entry)` says what an entry is under.
    pub fn get(&self, id: u64, number: impl Fn(u32) -> u64) -> Option<u32> {
        self.table.find(spread(id), |entry| number(*entry) == id).copied()
    }

    /// The entry under a number that `is` accepts.
    pub fn find(&self, id: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.table.find(spread(id), |entry| is(*entry)).copied()
    }

    /// Adds an entry under a number that has none.
    pub fn insert(&mut self, id: u64, entry: u32, number: impl Fn(u32) -> u64) {
        self.table.insert_unique(spread(id), entry, |entry| spread(number(*entry)));
    }

    /// Removes an entry from under a number.
    pub fn remove(&mut self, id: u64, entry: u32) {
        if let Ok(found) = self.table.find_entry(spread(id), |found| *found == entry) {
            found.remove();
        }
    }

    /// What was under its id stays there as an origin.
    pub fn mark_origin(&mut self, id: u64, slot: u32) {
        if let Some(entry) = self.table.find_mut(spread(id), |found| *found == slot) {
            *entry |= ORIGIN;
        }
    }

    /// Makes room.
    pub fn reserve(&mut self, more: usize, number: impl Fn(u32) -> u64) {
        self.table.reserve(more, |slot| spread(number(*slot)));
    }
}

/// Slots by a hash of group and key.
#[derive(Debug, Default)]
pub struct KeyIndex {
    table: HashTable<(u64, u32)>,
}

impl KeyIndex {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// The slot with this hash that `is` accepts.
    pub fn get(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.table.find(hash, |(other, slot)| *other == hash && is(*slot)).map(|(_, slot)| *slot)
    }

    /// Adds a slot, in place of one that `is` accepts.
    pub fn insert(&mut self, hash: u64, slot: u32, is: impl Fn(u32) -> bool) {
        if let Some(found) = self.table.find_mut(hash, |(other, slot)| *other == hash && is(*slot)) {
            found.1 = slot;
            return;
        }
        self.table.insert_unique(hash, (hash, slot), |(hash, _)| *hash);
    }

    /// Removes a slot.
    pub fn remove(&mut self, hash: u64, slot: u32) {
        if let Ok(entry) = self.table.find_entry(hash, |found| *found == (hash, slot)) {
            entry.remove();
        }
    }
}
