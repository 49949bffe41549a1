//! Finding slots by id and by origin.
//!
//! ```text
//! window   page | page | – | page | page     256 numbers a page, a slot's number each: four bytes, no hash, no probe
//!          base ▲                  ▲ newest
//! sparse   a hash table of slot numbers      what lies before the window
//! ```
//!
//! Ids grow, and those of a moment lie close together: what is looked for one after another is found in one cache line.
//! Ids that live long are left behind by the others. So the window holds no more pages than the number of entries
//! justifies; where it would, its oldest page goes into the table.
//!
//! Ids and origins share one index: a task that was changed stands there twice, under its present id and, marked, under
//! its origin. So the first claim of a task only marks an entry. A number has one entry; during a tolerant replay it
//! may have two, and the second of them stands in the table.

use alloc::{boxed::Box, collections::VecDeque};

use hashbrown::HashTable;

/// Marks an entry that stands under its task's origin.
pub const ORIGIN: u32 = 1 << 31;

/// Numbers a page.
const PAGE: u64 = 256;
/// No entry. As an entry it would be the origin of the task in slot 2^31 - 1; there are fewer slots.
const NONE: u32 = u32::MAX;

/// Places in pages for each entry, at most: 12 bytes.
const PLACES: u64 = 3;
/// Numbers that the window reaches over for each entry, at most: 2 bytes of the list of pages.
const REACH: u64 = 64;
/// What both may be beyond that, so that a small store has no use for the table.
const SMALL: u64 = 16 * PAGE;

#[derive(Debug, Clone)]
struct Page {
    entries: [u32; PAGE as usize],
    used: u32,
}

/// Slots by a number.
#[derive(Debug, Default)]
pub struct Index {
    /// The number of the window's first page.
    base: u64,
    window: VecDeque<Option<Box<Page>>>,
    /// Pages in the window.
    pages: u64,
    /// Entries in pages.
    used: u64,
    sparse: HashTable<u32>,
}

/// Sixteen consecutive ids share one group of the table, so that ids drawn together are found together; the
/// groups themselves are spread.
fn spread(id: u64) -> u64 {
    let mixed = (id >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = mixed ^ (mixed >> 32);
    // hashbrown takes the place from the low bits and a tag from the top seven.
    (mixed << 4 | (id & 15)) & (u64::MAX >> 7) | id.wrapping_mul(0xE703_7ED1_A0B4_28DB) & !(u64::MAX >> 7)
}

impl Index {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.used as usize + self.sparse.len()
    }

    /// How many of them lie in the table.
    pub fn sparse_len(&self) -> usize {
        self.sparse.len()
    }

    /// What the window has under a number.
    fn at(&self, number: u64) -> Option<u32> {
        let page = (number / PAGE).checked_sub(self.base)?;
        let page = self.window.get(usize::try_from(page).ok()?)?.as_ref()?;
        Some(page.entries[(number % PAGE) as usize]).filter(|entry| *entry != NONE)
    }

    fn at_mut(&mut self, number: u64) -> Option<&mut Page> {
        let page = (number / PAGE).checked_sub(self.base)?;
        self.window.get_mut(usize::try_from(page).ok()?)?.as_deref_mut()
    }

    /// The entry under a number, where `is` says whether an entry of the table is under it.
    pub fn get(&self, number: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.at(number).or_else(|| self.find_sparse(number, is))
    }

    /// The slot of a task under its present id, where `is` says whether a slot's task has it.
    pub fn slot(&self, id: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let present = self.at(id).filter(|entry| entry & ORIGIN == 0);
        present.or_else(|| self.find_sparse(id, |entry| entry & ORIGIN == 0 && is(entry)))
    }

    fn find_sparse(&self, number: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.sparse.is_empty() { None } else { self.sparse.find(spread(number), |entry| is(*entry)).copied() }
    }

    /// Adds an entry under a number, where `number_of` says what an entry is under.
    pub fn insert(&mut self, number: u64, entry: u32, number_of: impl Fn(u32) -> u64) {
        if self.make_page(number, &number_of)
            && let Some(page) = self.at_mut(number)
            && page.entries[(number % PAGE) as usize] == NONE
        {
            page.entries[(number % PAGE) as usize] = entry;
            page.used += 1;
            self.used += 1;
            return;
        }
        self.insert_sparse(number, entry, &number_of);
    }

    fn insert_sparse(&mut self, number: u64, entry: u32, number_of: &impl Fn(u32) -> u64) {
        self.sparse.insert_unique(spread(number), entry, |entry| spread(number_of(*entry)));
    }

    /// Sees to it that the window has the page of a number, unless that lies before it.
    fn make_page(&mut self, number: u64, number_of: &impl Fn(u32) -> u64) -> bool {
        if self.at_mut(number).is_some() {
            return true;
        }
        let entries = self.len() as u64;
        let page = number / PAGE;
        if self.pages == 0 {
            self.window.clear();
            self.base = page;
        }
        // The window reaches as far back as the entries justify.
        while page.saturating_sub(self.base) * PAGE > REACH * entries + SMALL && self.pages > 0 {
            self.evict(number_of);
        }
        if self.pages == 0 {
            self.window.clear();
            self.base = page;
        }
        let Some(at) = page.checked_sub(self.base) else { return false };
        while self.window.len() as u64 <= at {
            self.window.push_back(None);
        }
        let made = Page { entries: [NONE; PAGE as usize], used: 0 };
        self.window[at as usize] = Some(Box::new(made));
        self.pages += 1;
        while self.pages * PAGE > PLACES * entries + SMALL {
            self.evict(number_of);
        }
        page >= self.base
    }

    /// The window's oldest page goes into the table.
    fn evict(&mut self, number_of: &impl Fn(u32) -> u64) {
        while let Some(oldest) = self.window.pop_front() {
            let first = self.base * PAGE;
            self.base += 1;
            let Some(page) = oldest else { continue };
            self.pages -= 1;
            self.used -= u64::from(page.used);
            for (number, entry) in (first..).zip(page.entries).filter(|(_, entry)| *entry != NONE) {
                self.insert_sparse(number, entry, number_of);
            }
            return;
        }
    }

    /// Removes an entry from under a number.
    pub fn remove(&mut self, number: u64, entry: u32) {
        if let Some(page) = self.at_mut(number)
            && page.entries[(number % PAGE) as usize] == entry
        {
            page.entries[(number % PAGE) as usize] = NONE;
            page.used -= 1;
            let empty = page.used == 0;
            self.used -= 1;
            if empty {
                self.let_go(number / PAGE - self.base);
            }
        } else if let Ok(found) = self.sparse.find_entry(spread(number), |found| *found == entry) {
            found.remove();
        }
    }

    /// An empty page goes, unless it is the newest, which is about to be used.
    fn let_go(&mut self, at: u64) {
        if at + 1 == self.window.len() as u64 {
            return;
        }
        self.window[at as usize] = None;
        self.pages -= 1;
        while let Some(None) = self.window.front() {
            self.window.pop_front();
            self.base += 1;
        }
    }

    /// What was under its id stays there as an origin.
    pub fn mark_origin(&mut self, id: u64, slot: u32) {
        if let Some(page) = self.at_mut(id)
            && page.entries[(id % PAGE) as usize] == slot
        {
            page.entries[(id % PAGE) as usize] |= ORIGIN;
        } else if let Some(entry) = self.sparse.find_mut(spread(id), |found| *found == slot) {
            *entry |= ORIGIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::state::dice::Dice;

    /// An index over tasks that only have an id, and what it should find.
    fn against(numbers: &mut dyn FnMut(u64, &mut Dice) -> u64, steps: u64, keep: u64) -> (Index, u64) {
        let (mut index, mut dice) = (Index::default(), Dice::new(3));
        let mut ids: Vec<u64> = Vec::new();
        let mut live: Vec<u32> = Vec::new();
        let mut most = 0;
        for step in 0..steps {
            let number = numbers(step, &mut dice);
            if ids.contains(&number) {
                continue;
            }
            ids.push(number);
            let slot = ids.len() as u32 - 1;
            index.insert(number, slot, |entry| ids[entry as usize]);
            live.push(slot);
            if live.len() as u64 > keep {
                let gone = live.swap_remove(dice.below(live.len() as u64) as usize);
                index.remove(ids[gone as usize], gone);
                assert_eq!(index.slot(ids[gone as usize], |slot| ids[slot as usize] == ids[gone as usize]), None);
            }
            assert_eq!(index.len(), live.len());
            assert!(index.pages * PAGE <= PLACES * (index.len() as u64 + 1) + SMALL + PAGE * 2);
            most = most.max(index.window.len() as u64);
        }
        for slot in live {
            let id = ids[slot as usize];
            assert_eq!(index.slot(id, |slot| ids[slot as usize] == id), Some(slot), "{id}");
        }
        (index, most)
    }

    #[test]
    fn ids_that_grow_are_all_in_the_window() {
        let (index, _) = against(&mut |step, _| step + 1, 3_000, 1_000);
        assert!(index.sparse_len() < 100, "{} are in the table", index.sparse_len());
    }

    #[test]
    fn ids_far_apart_are_found_and_take_no_more_room_than_they_justify() {
        let (index, most) = against(&mut |_, dice| dice.roll() >> 11, 3_000, 2_000);
        assert!(index.sparse_len() > 1_500);
        assert!(most * PAGE <= REACH * 2_001 + SMALL + PAGE, "{most} pages in the window");
        against(&mut |step, _| step * 1_000, 3_000, 2_000);
        against(&mut |step, dice| 10_000 - step + dice.below(50), 3_000, 2_000);
        against(&mut |step, dice| if step % 2 == 0 { step } else { dice.roll() >> 11 }, 3_000, 500);
    }

    #[test]
    fn a_number_may_have_a_present_task_and_a_marked_one() {
        let mut index = Index::default();
        let ids = [7, 7];
        let number = |entry: u32| ids[(entry & !ORIGIN) as usize];
        index.insert(7, 1 | ORIGIN, number);
        assert_eq!(index.slot(7, |_| true), None);
        index.insert(7, 0, number);
        assert_eq!(index.slot(7, |slot| slot == 0), Some(0));
        index.mark_origin(7, 0);
        assert_eq!(index.slot(7, |_| true), None);
        index.remove(7, 1 | ORIGIN);
        assert_eq!(index.get(7, |entry| number(entry) == 7), Some(ORIGIN));
        index.remove(7, ORIGIN);
        assert_eq!(index.len(), 0);
    }
}
