//! Tasks whose time is to come, in the order in which they came: leases of one length end in the order in which they
//! began. So a claim goes to the end, and what is finished goes from about the front: nothing is sifted.
//!
//! ```text
//! page | page | page        256 items a page; a gap where one was taken out
//!  ▲ front    ▲ back        the front is no gap; places are numbers that go on and on
//! ```

use alloc::{collections::VecDeque, vec::Vec};

use super::heap::Item;
use crate::time::Millis;

/// Items a page.
const PAGE: usize = 256;

/// Gaps that may be there whatever the number of items is.
const GAPS: usize = 2 * PAGE;

/// Places are counted with so many bits.
pub const PLACES: u32 = (1 << 31) - 1;

/// A line of items, in order.
#[derive(Debug, Default)]
pub struct Line {
    pages: VecDeque<Vec<Item>>,
    /// The place of the first item of the first page.
    base: u32,
    /// Where in the first page the front is.
    front: usize,
    /// Items that are no gaps.
    len: usize,
}

impl Line {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many places there are behind the front, gaps among them.
    fn span(&self) -> usize {
        let last = self.pages.back().map_or(0, Vec::len);
        (self.pages.len().saturating_sub(1) * PAGE + last).saturating_sub(self.front)
    }

    fn at(&self, offset: usize) -> Item {
        let at = self.front + offset;
        self.pages[at / PAGE][at % PAGE]
    }

    /// The first one.
    pub fn first(&self) -> Option<Item> {
        (self.len > 0).then(|| self.at(0))
    }

    /// Whether an item may be put behind the others.
    pub fn takes(&self, item: Item) -> bool {
        let last = self.pages.back().and_then(|page| page.last());
        !Item::is_vague(item.key()) && last.is_none_or(|last| last.key() <= item.key())
    }

    /// Puts an item that it [takes](Self::takes) behind the others, and says where.
    pub fn push(&mut self, item: Item) -> u32 {
        if self.pages.back().is_none_or(|page| page.len() == PAGE) {
            // The first page grows by doubling, so that a small group stays small.
            self.pages.push_back(if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) });
        }
        if let Some(page) = self.pages.back_mut() {
            page.push(item);
        }
        self.len += 1;
        self.place(self.span() - 1)
    }

    fn place(&self, offset: usize) -> u32 {
        self.base.wrapping_add((self.front + offset) as u32) & PLACES
    }

    /// Takes out the item at a place.
    pub fn remove(&mut self, places: &mut [u32], place: u32) {
        let at = (place.wrapping_sub(self.base) & PLACES) as usize;
        self.pages[at / PAGE][at % PAGE].slot = Item::GAP;
        self.len -= 1;
        if self.len == 0 {
            self.clear();
        } else if at == self.front {
            self.advance();
        } else if self.span() > 2 * self.len + GAPS {
            self.close_gaps(places);
        }
    }

    /// Takes out the last one.
    pub fn pop(&mut self) -> Option<Item> {
        while let Some(page) = self.pages.back_mut() {
            let last = page.pop()?;
            if page.is_empty() && self.pages.len() > 1 {
                self.pages.pop_back();
            }
            if last.slot != Item::GAP {
                self.len -= 1;
                if self.len == 0 {
                    self.clear();
                }
                return Some(last);
            }
        }
        None
    }

    fn clear(&mut self) {
        self.base = self.place(self.span());
        self.front = 0;
        self.pages.truncate(1);
        if let Some(page) = self.pages.front_mut() {
            page.clear();
        }
    }

    /// To the next item; there is one.
    fn advance(&mut self) {
        while self.at(0).slot == Item::GAP {
            self.front += 1;
            if self.front == PAGE {
                self.pages.pop_front();
                self.base = self.base.wrapping_add(PAGE as u32) & PLACES;
                self.front = 0;
            }
        }
    }

    fn close_gaps(&mut self, places: &mut [u32]) {
        let old = core::mem::take(self);
        for item in old.items() {
            places[item.slot as usize] = super::agenda::LINE | self.push(item);
        }
    }

    /// Every item, in order.
    fn items(&self) -> impl Iterator<Item = Item> + '_ {
        self.pages.iter().flatten().skip(self.front).copied().filter(|item| item.slot != Item::GAP)
    }

    /// Every slot, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.items().map(|item| item.slot)
    }

    /// How many places there are before the first item that can't be claimed at `now`, gaps among them.
    pub fn ripe(&self, now: Millis) -> usize {
        if self.first().is_none_or(|first| first.time() > now) {
            return 0;
        }
        let (mut low, mut high) = (1, self.span());
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle).time() <= now { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The slot at one of the first `ripe` places, or the next one behind it, or the first.
    pub fn near(&self, offset: usize, ripe: usize) -> Option<u32> {
        let found = (offset..ripe).map(|offset| self.at(offset)).find(|item| item.slot != Item::GAP);
        found.or_else(|| self.first()).map(|item| item.slot)
    }

    /// The items in order, with their places: for a check.
    pub fn placed(&self) -> impl Iterator<Item = (u32, Item)> + '_ {
        let all = (0..self.span()).map(|offset| (self.place(offset), self.at(offset)));
        all.filter(|(_, item)| item.slot != Item::GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{dice::Dice, slot::Slot};

    fn item(time: u64, slot: u32) -> Item {
        let task = Slot { id: u64::from(slot) + 1, available_at: time, group: 0, data: 0, len: 0, crc: 0, claim: 0 };
        Item::new(&task, slot)
    }

    #[test]
    fn what_goes_in_and_out_at_random_stays_in_order_and_is_found_at_its_place() {
        let (mut line, mut dice) = (Line { base: PLACES - 700, ..Line::default() }, Dice::new(5));
        let (mut places, mut kept) = (Vec::new(), Vec::new());
        for slot in 0..20_000u32 {
            let new = item(u64::from(slot) / 3, slot);
            assert!(line.takes(new));
            places.push(super::super::agenda::LINE | line.push(new));
            kept.push(slot);
            if dice.below(50) == 0 {
                assert_eq!(line.pop().map(|item| item.slot), kept.pop());
            }
            // Grows to some thousand, shrinks to nothing, grows again.
            let out = if slot / 5_000 % 2 == 0 { dice.below(2) } else { dice.below(4) };
            for _ in 0..out.min(kept.len() as u64) {
                let near_front = kept.len().min(40) as u64;
                let at = if dice.below(4) == 0 { dice.below(kept.len() as u64) } else { dice.below(near_front) };
                let slot = kept.remove(at as usize);
                let place = places[slot as usize] & PLACES;
                line.remove(&mut places, place);
            }
            assert_eq!((line.len(), line.first().map(|item| item.slot)), (kept.len(), kept.first().copied()));
            assert!(line.span() <= 2 * line.len() + GAPS + PAGE);
            if slot % 500 == 0 {
                assert_eq!(line.iter().collect::<Vec<_>>(), kept);
                assert!(line.placed().all(|(place, item)| places[item.slot as usize] & PLACES == place));
                let now = u64::from(slot) / 4;
                let ripe = line.ripe(now);
                assert_eq!(line.items().take_while(|item| item.time() <= now).count(), {
                    (0..ripe).filter(|offset| line.at(*offset).slot != Item::GAP).count()
                });
                assert!((0..ripe).all(|at| line.near(at, ripe).is_some_and(|slot| u64::from(slot) / 3 <= now)));
            }
        }
    }

    #[test]
    fn what_is_not_behind_the_last_one_is_not_taken() {
        let mut line = Line::default();
        assert!(line.takes(item(5, 1)));
        line.push(item(5, 1));
        assert!(line.takes(item(5, 2)) && line.takes(item(6, 0)));
        assert!(!line.takes(item(4, 3)) && !line.takes(item(5, 0)));
        assert!(!line.takes(item(u64::MAX >> 11, 3)), "a time that does not fit can't be compared");
    }
}
