//! What is remembered of requests: a repeat gets the first outcome.
//!
//! A request is remembered for a fixed number of revisions: a pure function of revision, so that all handles agree
//! on what they still know, whenever they were opened.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

use super::digest;
use crate::id::Revision;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The revision that it became.
    pub revision: Revision,
    /// A hash of what was asked.
    pub fingerprint: u64,
    /// The ids that were answered, as runs of (first, how many).
    pub ids: Vec<(u64, u32)>,
    /// The numbers that the increments left.
    pub counts: Vec<i64>,
}

/// Who asked, and under which id.
type Name = (u64, Arc<str>);

/// A hasher over the digest's steps: no keys to draw, and ids come from the store's own clients.
#[derive(Default)]
pub struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = digest::item([self.0, digest::bytes(bytes)]);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = digest::item([self.0, number]);
    }
}

/// A map that hashes without a random key.
pub type FoldMap<K, V> = HashMap<K, V, BuildHasherDefault<FoldHasher>>;

/// The remembered requests.
#[derive(Debug, Default)]
pub struct Memo {
    outcomes: FoldMap<Name, Outcome>,
    order: VecDeque<(Revision, Name)>,
}

impl Memo {
    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// What came of a request.
    pub fn get(&self, owner: u64, id: &str) -> Option<&Outcome> {
        if self.order.is_empty() {
            return None;
        }
        self.outcomes.get(&(owner, Arc::from(id)))
    }

    /// Remembers what came of a request. Over the same request it changes nothing.
    pub fn insert(&mut self, owner: u64, id: &str, outcome: Outcome) {
        let name: Name = (owner, id.into());
        let revision = outcome.revision;
        if self.outcomes.insert(name.clone(), outcome).is_none_or(|old| old.revision != revision) {
            self.order.push_back((revision, name));
        }
    }

    /// Forgets what lies `window` revisions or more before `now`.
    pub fn forget(&mut self, now: Revision, window: u64) {
        while let Some((revision, _)) = self.order.front()
            && revision.0.saturating_add(window) <= now.0
        {
            if let Some((revision, name)) = self.order.pop_front()
                && self.outcomes.get(&name).is_some_and(|outcome| outcome.revision == revision)
            {
                self.outcomes.remove(&name);
            }
        }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str, &Outcome)> + '_ {
        self.after(Revision(0))
    }

    /// Those that were committed behind a revision, oldest first.
    pub fn after(&self, after: Revision) -> impl Iterator<Item = (u64, &str, &Outcome)> + '_ {
        let from = self.order.partition_point(|(revision, _)| *revision <= after);
        self.order.range(from..).filter_map(|(revision, name)| {
            let outcome = self.outcomes.get(name)?;
            (outcome.revision == *revision).then_some((name.0, &*name.1, outcome))
        })
    }
}
