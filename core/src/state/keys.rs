//! Finding slots by key: a table of hashes and slot numbers.

use hashbrown::HashTable;

use super::digest;

/// The hash of a key in a group.
pub fn key_hash(group: &str, key: &str) -> u64 {
    digest::item([digest::text(group), digest::text(key)])
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
