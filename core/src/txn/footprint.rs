//! What a transaction touches.

use alloc::{sync::Arc, vec::Vec};

use super::Seen;
use crate::time::Millis;

/// A record's table and key.
pub(crate) type RecordName = (Arc<str>, Arc<str>);

/// What a transaction touches.
#[derive(Debug, Default)]
pub(crate) struct Footprint {
    /// Ids that it changes or removes.
    pub tasks: Vec<u64>,
    /// Groups in which it makes something claimable, and from when the first of it is.
    pub groups: Vec<(Arc<str>, Millis)>,
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
    /// Notes that the transaction puts something into a group that can be claimed from a time on.
    pub fn stir(&mut self, group: &str, available_at: Millis) {
        match self.groups.last_mut() {
            Some((last, first)) if **last == *group => *first = available_at.min(*first),
            _ => self.groups.push((group.into(), available_at)),
        }
    }
}
