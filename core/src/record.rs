//! A record: a keyed value in a named table.

use alloc::sync::Arc;

use crate::{data::Data, id::Revision, time::Millis};

/// The table whose records hold groups' settings: key = group, value = JSON object.
pub const GROUPS_TABLE: &str = "_groups";

/// A keyed value with the revision that last wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The table.
    pub table: Arc<str>,
    /// The key.
    pub key: Arc<str>,
    /// The value.
    pub value: Data,
    /// The revision that last wrote it.
    pub revision: Revision,
    /// From when it is hidden, if ever. Milliseconds since the Epoch.
    pub expires_at: Option<Millis>,
}
