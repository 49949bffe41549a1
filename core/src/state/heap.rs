//! The tasks of one group, ordered by (available_at, id): a heap with four children a node.
//!
//! Those that can be claimed now are the connected top of the heap. The oldest is its root. A random one is found
//! by drawing any place and climbing to the first node that can be claimed: most places are leaves, so taking a
//! task out again moves little, and no available task is out of reach.

use alloc::vec::Vec;

use super::{dice::Dice, slab::Slab, slot::Slot};
use crate::time::Millis;

/// Children a node.
const ARITY: usize = 4;

/// Time and slot in 12 bytes.
#[derive(Clone, Copy, Debug)]
struct Item {
    high: u32,
    low: u32,
    slot: u32,
}

impl Item {
    fn new(at: Millis, slot: u32) -> Self {
        Self { high: (at >> 32) as u32, low: at as u32, slot }
    }

    fn at(self) -> Millis {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    fn before(self, other: Self, slots: &Slab<Slot>) -> bool {
        match self.at().cmp(&other.at()) {
            core::cmp::Ordering::Less => true,
            core::cmp::Ordering::Equal => slots[self.slot].id < slots[other.slot].id,
            core::cmp::Ordering::Greater => false,
        }
    }
}

/// A heap of slots.
#[derive(Debug, Default)]
pub struct Heap {
    items: Vec<Item>,
}

impl Heap {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The least time, and its slot.
    pub fn first(&self) -> Option<(Millis, u32)> {
        self.items.first().map(|item| (item.at(), item.slot))
    }

    /// Every slot with its time, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Millis, u32)> + '_ {
        self.items.iter().map(|item| (item.at(), item.slot))
    }

    /// Puts a slot in, by the id and time that it has.
    pub fn push(&mut self, slots: &mut Slab<Slot>, slot: u32) {
        let item = Item::new(slots[slot].available_at, slot);
        self.items.push(item);
        self.rise(slots, self.items.len() - 1, item);
    }

    /// Takes out the slot at a place.
    pub fn remove(&mut self, slots: &mut Slab<Slot>, place: usize) {
        let Some(last) = self.items.pop() else { return };
        if place < self.items.len() {
            self.settle(slots, place, last);
        }
        if self.items.len() * 4 < self.items.capacity() && self.items.capacity() > 64 {
            self.items.shrink_to(self.items.len() * 2);
        }
    }

    /// Puts the slot at a place where it belongs, after its id or time has changed.
    pub fn moved(&mut self, slots: &mut Slab<Slot>, place: usize) {
        let slot = self.items[place].slot;
        self.settle(slots, place, Item::new(slots[slot].available_at, slot));
    }

    fn settle(&mut self, slots: &mut Slab<Slot>, place: usize, item: Item) {
        if place > 0 && item.before(self.items[(place - 1) / ARITY], slots) {
            self.rise(slots, place, item);
        } else {
            self.sink(slots, place, item);
        }
    }

    fn rise(&mut self, slots: &mut Slab<Slot>, mut place: usize, item: Item) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.items[parent];
            if !item.before(above, slots) {
                break;
            }
            self.put(slots, place, above);
            place = parent;
        }
        self.put(slots, place, item);
    }

    fn sink(&mut self, slots: &mut Slab<Slot>, mut place: usize, item: Item) {
        loop {
            let first = place * ARITY + 1;
            if first >= self.items.len() {
                break;
            }
            let end = (first + ARITY).min(self.items.len());
            let mut least = first;
            for child in first + 1..end {
                if self.items[child].before(self.items[least], slots) {
                    least = child;
                }
            }
            if !self.items[least].before(item, slots) {
                break;
            }
            self.put(slots, place, self.items[least]);
            place = least;
        }
        self.put(slots, place, item);
    }

    fn put(&mut self, slots: &mut Slab<Slot>, place: usize, item: Item) {
        self.items[place] = item;
        slots[item.slot].heap = place as u32;
    }

    /// A random slot that can be claimed at `now`.
    pub fn draw(&self, now: Millis, dice: &mut Dice) -> Option<u32> {
        if self.first()?.0 > now {
            return None;
        }
        let mut place = dice.below(self.items.len() as u64) as usize;
        while self.items[place].at() > now {
            place = (place - 1) / ARITY;
        }
        Some(self.items[place].slot)
    }

    /// Gives the slots that can be claimed at `now` to `visit` until it has enough, parents before children.
    pub fn available(&self, now: Millis, mut visit: impl FnMut(u32) -> bool) {
        let mut next = Vec::new();
        if self.first().is_some_and(|(at, _)| at <= now) {
            next.push(0);
        }
        while let Some(place) = next.pop() {
            if !visit(self.items[place].slot) {
                return;
            }
            for child in place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.items.len()) {
                if self.items[child].at() <= now {
                    next.push(child);
                }
            }
        }
    }

    /// The oldest slots that can be claimed at `now` and are not to be skipped, at most `limit`.
    pub fn oldest(&self, slots: &Slab<Slot>, now: Millis, limit: usize, skip: impl Fn(u32) -> bool) -> Vec<u32> {
        // A frontier of places, least first: a child is looked at only once its parent was taken.
        let mut frontier: alloc::collections::BTreeSet<(Millis, u64, usize)> = alloc::collections::BTreeSet::new();
        let key = |place: usize| {
            let item = self.items[place];
            (item.at(), slots[item.slot].id, place)
        };
        if !self.items.is_empty() {
            frontier.insert(key(0));
        }
        let mut found = Vec::new();
        while found.len() < limit
            && let Some((at, _, place)) = frontier.pop_first()
            && at <= now
        {
            if !skip(self.items[place].slot) {
                found.push(self.items[place].slot);
            }
            for child in place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.items.len()) {
                frontier.insert(key(child));
            }
        }
        found
    }

    /// Whether order and places are as they must be.
    pub fn check(&self, slots: &Slab<Slot>) -> bool {
        self.items.iter().enumerate().all(|(place, item)| {
            let Some(slot) = slots.get(item.slot) else { return false };
            slot.heap as usize == place
                && slot.available_at == item.at()
                && (place == 0 || !item.before(self.items[(place - 1) / ARITY], slots))
        })
    }
}
