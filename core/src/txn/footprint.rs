//! What a transaction touches.

use alloc::{sync::Arc, vec::Vec};

use smallvec::SmallVec;

use super::Seen;
use crate::time::Millis;

/// A record's table and key.
pub(crate) type RecordName = (Arc<str>, Arc<str>);

/// What a transaction touches. Where nothing will be staged behind it, nobody asks, and only the sums are kept.
#[derive(Debug, Default)]
pub(crate) struct Footprint {
    asked_for: bool,
    /// Ids that it changes or removes.
    pub tasks: SmallVec<[u64; 4]>,
    /// Groups in which it makes something claimable, and from when the first of it is.
    pub groups: SmallVec<[(Arc<str>, Millis); 1]>,
    /// Hashes of the keys that it gives or takes.
    pub keys: Vec<u64>,
    /// The request id that it was asked under.
    pub request: Option<(u64, Arc<str>)>,
    /// Records that it writes or removes.
    pub records: Vec<(RecordName, Option<Seen>)>,
    /// Tasks that it adds, less those that it removes.
    pub added_tasks: i64,
    /// Bytes that it adds.
    pub added_bytes: u64,
}

impl Footprint {
    /// Empties it for the next transaction; `alone` says that nothing will be staged behind that.
    pub fn begin(&mut self, alone: bool) {
        if self.asked_for {
            self.tasks.clear();
            self.groups.clear();
            self.keys.clear();
            self.request = None;
            self.records.clear();
        }
        self.asked_for = !alone;
        self.added_tasks = 0;
        self.added_bytes = 0;
    }

    /// Whether anybody will look at it.
    pub fn is_asked_for(&self) -> bool {
        self.asked_for
    }

    /// A task is changed or removed.
    pub fn task(&mut self, id: u64) {
        if self.asked_for {
            self.tasks.push(id);
        }
    }

    /// A key, by its hash, is given or taken.
    pub fn key(&mut self, hash: u64) {
        if self.asked_for {
            self.keys.push(hash);
        }
    }

    /// Notes that the transaction puts something into a group that can be claimed from a time on.
    pub fn stir(&mut self, group: &str, available_at: Millis) {
        if !self.asked_for {
            return;
        }
        match self.groups.last_mut() {
            Some((last, first)) if **last == *group => *first = available_at.min(*first),
            _ => self.groups.push((group.into(), available_at)),
        }
    }
}
