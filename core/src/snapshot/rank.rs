//! Which snapshots are kept.
//!
//! Those two that begin furthest on, and the journal from the second one's beginning; one that is seen to be damaged counts for
//! none, and goes. Several handles may do this at once, and with old lists. Each keeps one that begins no earlier than any it
//! removes, and lets go of nothing behind its beginning; so whatever they do, one remains from which the journal goes on.
//! Were the order that of the ends, one that was begun early and ended late would be kept in place of the one it needs.

use alloc::vec::Vec;

use crate::id::Position;

/// Snapshots in the order in which they are kept.
pub(crate) struct Ranked<N> {
    /// Those that can be used as far as that shows without reading all, each behind where its replay begins: the furthest
    /// first.
    pub whole: Vec<(Position, N)>,
    /// Those that can't be.
    pub broken: Vec<N>,
}

impl<N: Ord> Ranked<N> {
    /// Of snapshots, each with where its replay begins if it can be used.
    pub fn of(found: impl IntoIterator<Item = (N, Option<Position>)>) -> Self {
        let mut ranked = Self { whole: Vec::new(), broken: Vec::new() };
        for (name, begin) in found {
            match begin {
                Some(begin) => ranked.whole.push((begin, name)),
                None => ranked.broken.push(name),
            }
        }
        ranked.whole.sort_unstable_by(|a, b| b.cmp(a));
        ranked
    }

    /// The second of those that are kept: with no second one there is nothing that may go.
    pub fn second(&self) -> Option<&(Position, N)> {
        self.whole.get(1)
    }

    /// Those that go.
    pub fn superfluous(self) -> impl Iterator<Item = N> {
        self.whole.into_iter().skip(2).map(|(_, name)| name).chain(self.broken)
    }
}
