//! The tasks of one group, ordered by (available_at, id): a heap with four children a node.
//!
//! Those that can be claimed now are the connected top of the heap. The oldest is its root. A random one is found
//! by drawing a place and climbing to the first node that can be claimed: most places are leaves, so taking a
//! task out again moves little, and no available task is out of reach. The draw strolls (see [`Dice::stroll`]):
//! tasks that were added together stand together, here and in slots, index and arena, so that one claim after
//! another finds what it needs in the cache; and two handles stroll in different places.

use alloc::vec::Vec;

use super::{dice::Dice, slab::Slab, slot::Slot};
use crate::time::Millis;

/// Children a node.
const ARITY: usize = 4;

/// Children of one node stand together in a cache line: the root is the last of the first four.
const SHIFT: usize = 3;

/// Families a page.
const PAGE: usize = 256;

/// Time, id and slot in 16 bytes: `time` 44 bits | `id` high 20 bits, `id` low 32 bits, slot 32 bits. What does not
/// fit (a time behind the year 2500, an id above 2^52) is told apart by looking at the slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Item {
    high: u64,
    low: u32,
    pub slot: u32,
}

/// The items of one family, in one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Family([Item; ARITY]);

impl Family {
    /// The one of the first `len` that comes before the others.
    fn least(&self, len: usize, slots: &Slab<Slot>) -> usize {
        let Self([a, b, c, d]) = self;
        // Without a branch that depends on what the items say: nobody could guess it.
        if len == ARITY {
            let (left, first) = if b.key() < a.key() { (1, b.key()) } else { (0, a.key()) };
            let (right, second) = if d.key() < c.key() { (3, d.key()) } else { (2, c.key()) };
            let (least, key) = if second < first { (right, second) } else { (left, first) };
            if !Item::is_vague(key) {
                return least;
            }
        }
        let mut least = 0;
        for child in 1..len {
            if self.0[child].before(self.0[least], slots) {
                least = child;
            }
        }
        least
    }
}

const TIME_MAX: u64 = (1 << 44) - 1;
const ID_HIGH_MAX: u64 = (1 << 20) - 1;

impl Item {
    /// No slot: an item that was taken out.
    pub const GAP: u32 = u32::MAX;

    /// The item of a slot.
    pub fn new(task: &Slot, slot: u32) -> Self {
        let id_high = (task.id >> 32).min(ID_HIGH_MAX);
        Self { high: task.available_at.min(TIME_MAX) << 20 | id_high, low: task.id as u32, slot }
    }

    /// Time and id, as far as they fit.
    pub const fn key(self) -> u128 {
        (self.high as u128) << 32 | self.low as u128
    }

    /// Whether another item with a time or an id that does not fit could have come before the one with this key, which is
    /// the least.
    pub const fn is_vague(key: u128) -> bool {
        let high = (key >> 32) as u64;
        high >> 20 == TIME_MAX || high & ID_HIGH_MAX == ID_HIGH_MAX
    }

    /// The time of one that is not vague.
    pub const fn time(self) -> Millis {
        self.high >> 20
    }

    fn at(self, slots: &Slab<Slot>) -> Millis {
        let at = self.high >> 20;
        if at == TIME_MAX { slots[self.slot].available_at } else { at }
    }

    fn before(self, other: Self, slots: &Slab<Slot>) -> bool {
        let (mine, others) = ((self.high, self.low), (other.high, other.low));
        if (self.high | other.high) & ID_HIGH_MAX == ID_HIGH_MAX || self.high >> 20 == TIME_MAX {
            return self.before_exactly(other, slots);
        }
        mine < others
    }

    #[cold]
    fn before_exactly(self, other: Self, slots: &Slab<Slot>) -> bool {
        let key = |item: Self| (slots[item.slot].available_at, slots[item.slot].id);
        key(self) < key(other)
    }
}

/// A heap of slots.
#[derive(Debug, Default)]
pub struct Heap {
    pages: Vec<Vec<Family>>,
    len: usize,
}

impl Heap {
    pub fn len(&self) -> usize {
        self.len
    }

    fn item(&self, place: usize) -> Item {
        let at = place + SHIFT;
        self.pages[at / ARITY / PAGE][at / ARITY % PAGE].0[at % ARITY]
    }

    /// The least time, and its slot.
    pub fn first(&self, slots: &Slab<Slot>) -> Option<(Millis, u32)> {
        (self.len > 0).then(|| (self.item(0).at(slots), self.item(0).slot))
    }

    /// Every slot, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.pages.iter().flatten().flat_map(|family| family.0).skip(SHIFT).take(self.len).map(|item| item.slot)
    }

    /// Puts an item in.
    pub fn push(&mut self, slots: &Slab<Slot>, places: &mut [u32], item: Item) {
        let family = (self.len + SHIFT) / ARITY;
        if family / PAGE == self.pages.len() {
            // The first page grows by doubling, so that a small group stays small.
            self.pages.push(if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) });
        }
        if family % PAGE == self.pages[family / PAGE].len() {
            self.pages[family / PAGE].push(Family::default());
        }
        self.len += 1;
        self.rise(slots, places, self.len - 1, item);
    }

    /// Takes out the slot at a place.
    pub fn remove(&mut self, slots: &Slab<Slot>, places: &mut [u32], place: usize) {
        let last = self.item(self.len - 1);
        let out = self.item(place);
        self.len -= 1;
        if place < self.len {
            // It was in order where it stood, so the one that takes its place can move one way only.
            if last.before(out, slots) {
                self.rise(slots, places, place, last);
            } else {
                self.sink(slots, places, place, last);
            }
        }
        // A page is let go of when another lies unused behind it, so that a task to and fro costs nothing.
        if self.pages.len() > self.len / (PAGE * ARITY) + 2 {
            self.pages.pop();
        }
    }

    /// Puts the slot at a place where it belongs, after its id or time has changed.
    pub fn moved(&mut self, slots: &Slab<Slot>, places: &mut [u32], place: usize) {
        let old = self.item(place);
        let item = Item::new(&slots[old.slot], old.slot);
        // What does not fit into an item can't be compared with what it was.
        let vague = old.high >> 20 == TIME_MAX || old.high & ID_HIGH_MAX == ID_HIGH_MAX;
        let rises = if vague {
            place > 0 && item.before(self.item((place - 1) / ARITY), slots)
        } else {
            (item.high, item.low) < (old.high, old.low)
        };
        if rises {
            self.rise(slots, places, place, item);
        } else {
            self.sink(slots, places, place, item);
        }
    }

    fn rise(&mut self, slots: &Slab<Slot>, places: &mut [u32], mut place: usize, item: Item) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.item(parent);
            if !item.before(above, slots) {
                break;
            }
            self.put(places, place, above);
            place = parent;
        }
        self.put(places, place, item);
    }

    fn sink(&mut self, slots: &Slab<Slot>, places: &mut [u32], mut place: usize, item: Item) {
        loop {
            let first = place * ARITY + 1;
            if first >= self.len {
                break;
            }
            let family = (first + SHIFT) / ARITY;
            let family = &self.pages[family / PAGE][family % PAGE];
            let least = family.least(ARITY.min(self.len - first), slots);
            if !family.0[least].before(item, slots) {
                break;
            }
            self.put(places, place, family.0[least]);
            place = first + least;
        }
        self.put(places, place, item);
    }

    fn put(&mut self, places: &mut [u32], place: usize, item: Item) {
        let at = place + SHIFT;
        self.pages[at / ARITY / PAGE][at / ARITY % PAGE].0[at % ARITY] = item;
        places[item.slot as usize] = place as u32;
    }

    /// A random slot that can be claimed at `now`.
    pub fn draw(&self, slots: &Slab<Slot>, now: Millis, dice: &mut Dice) -> Option<u32> {
        if self.first(slots)?.0 > now {
            return None;
        }
        let mut place = dice.stroll(self.len as u64) as usize;
        while self.item(place).at(slots) > now {
            place = (place - 1) / ARITY;
        }
        Some(self.item(place).slot)
    }

    /// Gives the slots that can be claimed at `now` to `visit` until it has enough, parents before children.
    pub fn available(&self, slots: &Slab<Slot>, now: Millis, mut visit: impl FnMut(u32) -> bool) {
        let mut next = Vec::new();
        if self.first(slots).is_some_and(|(at, _)| at <= now) {
            next.push(0);
        }
        while let Some(place) = next.pop() {
            if !visit(self.item(place).slot) {
                return;
            }
            for child in place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.len) {
                if self.item(child).at(slots) <= now {
                    next.push(child);
                }
            }
        }
    }

    /// The oldest slots that can be claimed at `now` and are not to be skipped, at most `limit`.
    pub fn oldest(&self, slots: &Slab<Slot>, now: Millis, limit: usize, skip: &impl Fn(u32) -> bool) -> Vec<u32> {
        // A frontier of places, least first: a child is looked at only once its parent was taken.
        let mut frontier: alloc::collections::BTreeSet<(Millis, u64, usize)> = alloc::collections::BTreeSet::new();
        let key = |place: usize| {
            let task = &slots[self.item(place).slot];
            (task.available_at, task.id, place)
        };
        if self.len > 0 {
            frontier.insert(key(0));
        }
        let mut found = Vec::new();
        while found.len() < limit
            && let Some((at, _, place)) = frontier.pop_first()
            && at <= now
        {
            let slot = self.item(place).slot;
            if !skip(slot) {
                found.push(slot);
            }
            for child in place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.len) {
                frontier.insert(key(child));
            }
        }
        found
    }

    /// Whether order and places are as they must be.
    pub fn check(&self, slots: &Slab<Slot>, places: &[u32]) -> bool {
        (0..self.len).all(|place| {
            let item = self.item(place);
            let Some(slot) = slots.get(item.slot) else { return false };
            places[item.slot as usize] as usize == place
                && slot.available_at == item.at(slots)
                && (place == 0 || !item.before(self.item((place - 1) / ARITY), slots))
        })
    }
}
