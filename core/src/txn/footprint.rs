//! What a transaction touches.

use alloc::{sync::Arc, vec::Vec};

use super::Seen;

/// A record's table and key.
pub(crate) type RecordName = (Arc<str>, Arc<str>);

/// What a transaction touches.
#[derive(Debug, Default)]
pub(crate) struct Footprint {
    /// Ids that it changes or removes.
    pub tasks: Vec<u64>,
    /// Groups in which it makes something claimable, now or later.
    pub groups: Vec<Arc<str>>,
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
