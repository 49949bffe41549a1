//! The tasks of one group by (available_at, id): a [`Heap`] of those that can be claimed, and a [`Line`] of those whose
//! time is to come, as far as they come in order. What does not is in the heap as well, and so is what the others would
//! have to come before: where a task stands is a matter of speed, and both are asked for everything.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{
    dice::Dice,
    heap::{Heap, Item},
    line::{Line, PLACES},
    slab::Slab,
    slot::Slot,
};
use crate::time::Millis;

/// Marks a place in the line.
pub const LINE: u32 = 1 << 31;

/// The tasks of a group.
#[derive(Debug, Default)]
pub struct Agenda {
    heap: Heap,
    line: Line,
}

impl Agenda {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.heap.len() + self.line.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The least time.
    pub fn first(&self, slots: &Slab<Slot>) -> Option<Millis> {
        let line = self.line.first().map(Item::time);
        self.heap.first(slots).map(|(at, _)| at).into_iter().chain(line).min()
    }

    /// Every slot, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.heap.iter().chain(self.line.iter())
    }

    /// Puts a slot in, by the id and time that it has; `later` says whether its time is to come.
    pub fn push(&mut self, slots: &Slab<Slot>, places: &mut Vec<u32>, slot: u32, later: bool) {
        if places.len() <= slot as usize {
            places.resize(slot as usize + 1, 0);
        }
        let item = Item::new(&slots[slot], slot);
        if later {
            // One that waits for long must not keep all others out.
            if !self.line.takes(item)
                && let Some(last) = self.line.pop()
            {
                self.heap.push(slots, places, last);
            }
            if self.line.takes(item) {
                places[slot as usize] = LINE | self.line.push(item);
                return;
            }
        }
        self.heap.push(slots, places, item);
    }

    /// Takes out a slot.
    pub fn remove(&mut self, slots: &Slab<Slot>, places: &mut [u32], slot: u32) {
        let place = places[slot as usize];
        if place & LINE == 0 {
            self.heap.remove(slots, places, place as usize);
        } else {
            self.line.remove(places, place & PLACES);
        }
    }

    /// Puts a slot where it belongs, after its id or time has changed.
    pub fn moved(&mut self, slots: &Slab<Slot>, places: &mut Vec<u32>, slot: u32, later: bool) {
        let place = places[slot as usize];
        if place & LINE == 0 && !later {
            self.heap.moved(slots, places, place as usize);
        } else {
            self.remove(slots, places, slot);
            self.push(slots, places, slot, later);
        }
    }

    /// A random slot that can be claimed at `now`.
    pub fn draw(&self, slots: &Slab<Slot>, now: Millis, dice: &mut Dice) -> Option<u32> {
        let ripe = self.line.ripe(now);
        if ripe == 0 {
            return self.heap.draw(slots, now, dice);
        }
        let all = (self.heap.len() + ripe) as u64;
        let drawn = if dice.below(all) < ripe as u64 { None } else { self.heap.draw(slots, now, dice) };
        drawn.or_else(|| self.line.near(dice.stroll(ripe as u64) as usize, ripe))
    }

    /// Gives the slots that can be claimed at `now` to `visit` until it has enough.
    pub fn available(&self, slots: &Slab<Slot>, now: Millis, mut visit: impl FnMut(u32) -> bool) {
        let mut more = true;
        self.heap.available(slots, now, |slot| {
            more = visit(slot);
            more
        });
        for slot in self.line.iter().take_while(|slot| slots[*slot].available_at <= now) {
            if !more {
                return;
            }
            more = visit(slot);
        }
    }

    /// The oldest slots that can be claimed at `now` and are not to be skipped, at most `limit`.
    pub fn oldest(
        &self,
        slots: &Slab<Slot>,
        now: Millis,
        limit: usize,
        skip: impl Fn(u32) -> bool,
    ) -> SmallVec<[u32; 4]> {
        let mut found = self.heap.oldest(slots, now, limit, &skip);
        if self.line.ripe(now) > 0 {
            let ripe = self.line.iter().take_while(|slot| slots[*slot].available_at <= now);
            found.extend(ripe.filter(|slot| !skip(*slot)).take(limit));
            found.sort_unstable_by_key(|slot| (slots[*slot].available_at, slots[*slot].id));
            found.truncate(limit);
        }
        found.into()
    }

    /// Whether order and places are as they must be.
    pub fn check(&self, slots: &Slab<Slot>, places: &[u32]) -> bool {
        let mut last = 0;
        self.heap.check(slots, places)
            && self.line.placed().all(|(place, item)| {
                let in_order = last <= item.key();
                last = item.key();
                let time = slots.get(item.slot).map(|task| task.available_at);
                in_order && time == Some(item.time()) && places[item.slot as usize] == LINE | place
            })
    }
}
