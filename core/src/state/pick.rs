//! Picking the tasks of a claim.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{FoldMap, State, dice::Dice};
use crate::{record::GROUPS_TABLE, time::Millis};

impl State {
    /// Whether claims skip a group: its settings, a JSON object, say `"paused": true`.
    pub fn paused(&self, group: &str) -> bool {
        // No settings at all is the common case and costs one look at an empty tree.
        !self.tables.is_empty() && self.tables.get(GROUPS_TABLE, group).is_some_and(|value| says_paused(&value.data))
    }

    /// When the next task of a group can be claimed, if that is after `now`; `None` where none is waiting.
    pub fn next_available(&self, group: &str) -> Option<Millis> {
        let number = self.groups.find(group)?;
        self.groups[number].agenda.first(&self.slots)
    }

    /// A random task of a group that can be claimed and is not to be skipped, at most `limit` of them.
    pub fn draw(
        &self,
        group: &str,
        now: Millis,
        limit: usize,
        dice: &mut Dice,
        skip: impl Fn(u64) -> bool,
    ) -> SmallVec<[u32; 4]> {
        let Some(number) = self.groups.find(group) else { return SmallVec::new() };
        let agenda = &self.groups[number].agenda;
        let mut found = SmallVec::new();
        let mut taken: FoldMap<u64, ()> = FoldMap::default();
        let mut tries = limit.saturating_mul(2).saturating_add(8);
        while found.len() < limit && tries > 0 {
            tries -= 1;
            let Some(slot) = agenda.draw(&self.slots, now, dice) else { return found };
            let fresh = limit == 1 || taken.insert(u64::from(slot), ()).is_none();
            if fresh && !skip(self.slots[slot].id) {
                found.push(slot);
            }
        }
        if found.len() < limit {
            // Few are left: look at all that are available, and shuffle.
            let mut rest = Vec::new();
            agenda.available(&self.slots, now, |slot| {
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
    pub fn oldest(&self, group: &str, now: Millis, limit: usize, skip: impl Fn(u64) -> bool) -> SmallVec<[u32; 4]> {
        let Some(number) = self.groups.find(group) else { return SmallVec::new() };
        self.groups[number].agenda.oldest(&self.slots, now, limit, |slot| skip(self.slots[slot].id))
    }
}

/// Reads the one setting that claim honours, without a JSON parser: the object's own `"paused"` member.
fn says_paused(settings: &[u8]) -> bool {
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
