//! Items in slots that never move: a page is allocated once and its slots are used again, so that a walk by slot
//! number meets everything that stays where it is.

use alloc::vec::Vec;

/// Slots a page. A power of two, so that a slot's page is a shift.
const PAGE: usize = 1024;

/// What a slab can hold: something that knows a vacant form of itself.
pub trait Vacant {
    /// A vacant item that points at the next vacant slot.
    fn vacant(next: u32) -> Self;
    /// The next vacant slot, or `None` where the item is alive.
    fn next_vacant(&self) -> Option<u32>;
}

/// No slot.
pub const NONE: u32 = u32::MAX;

/// Pages of slots, with a list of the vacant ones threaded through them.
#[derive(Debug)]
pub struct Slab<T> {
    pages: Vec<Vec<T>>,
    vacant: u32,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), vacant: NONE, len: 0 }
    }
}

impl<T: Vacant> Slab<T> {
    /// Live items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// One past the highest slot that was ever used.
    pub fn end(&self) -> u32 {
        self.pages.last().map_or(0, |page| ((self.pages.len() - 1) * PAGE + page.len()) as u32)
    }

    /// The item in a slot, where it is alive.
    pub fn get(&self, slot: u32) -> Option<&T> {
        let item = self.pages.get(slot as usize / PAGE)?.get(slot as usize % PAGE)?;
        item.next_vacant().is_none().then_some(item)
    }

    /// Puts an item into a slot.
    pub fn insert(&mut self, item: T) -> u32 {
        self.len += 1;
        if self.vacant != NONE {
            let slot = self.vacant;
            let place = &mut self.pages[slot as usize / PAGE][slot as usize % PAGE];
            self.vacant = place.next_vacant().unwrap_or(NONE);
            *place = item;
            return slot;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            // The first page grows by doubling, so that a small store stays small.
            self.pages.push(if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) });
        }
        let at = self.pages.len() - 1;
        self.pages[at].push(item);
        (at * PAGE + self.pages[at].len() - 1) as u32
    }

    /// Takes the item out of a live slot.
    pub fn remove(&mut self, slot: u32) -> T {
        self.len -= 1;
        let place = &mut self.pages[slot as usize / PAGE][slot as usize % PAGE];
        let item = core::mem::replace(place, T::vacant(self.vacant));
        self.vacant = slot;
        item
    }
}

impl<T> core::ops::Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        &self.pages[slot as usize / PAGE][slot as usize % PAGE]
    }
}

impl<T> core::ops::IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.pages[slot as usize / PAGE][slot as usize % PAGE]
    }
}
