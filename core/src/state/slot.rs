//! What the state keeps of a task.
//!
//! ```text
//! Slot   40 bytes   id, time, group, data                           every task
//! Place   4 bytes   where it stands in its group's heap            every task; apart, for sinking touches many
//! Claim  40 bytes   owner, origin, times, counts                    only where one of them says something
//! Texts  32 bytes   key, error                                      only where there is one
//! ```
//!
//! A million plain tasks need none of the latter two. A slot never moves while its task lives, through all claims.

use alloc::sync::Arc;

use super::slab::{NONE, Vacant};
use crate::time::Millis;

/// The part that every task has.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// The present id; 0 where the slot is vacant.
    pub id: u64,
    /// When it can be claimed.
    pub available_at: Millis,
    /// Its group's number; in a vacant slot the next vacant one.
    pub group: u32,
    /// The handle of its data.
    pub data: u32,
    /// The length of its data.
    pub len: u32,
    /// CRC-32 of its data, for the digest.
    pub crc: u32,
    /// Its [`Claim`], or [`NONE`].
    pub claim: u32,
}

impl Vacant for Slot {
    fn vacant(next: u32) -> Self {
        Self { id: 0, available_at: 0, group: next, data: NONE, len: 0, crc: 0, claim: NONE }
    }

    fn next_vacant(&self) -> Option<u32> {
        (self.id == 0).then_some(self.group)
    }
}

/// The part that a task has once it was claimed, delayed, changed or given a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who claimed it last, 0 for nobody.
    pub owner: u64,
    /// The id of the add that began it; 0 where the slot is vacant.
    pub origin: u64,
    /// When it was added.
    pub added_at: Millis,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// Its [`Texts`], or [`NONE`]; in a vacant slot the next vacant one.
    pub texts: u32,
}

impl Vacant for Claim {
    fn vacant(next: u32) -> Self {
        Self { owner: 0, origin: 0, added_at: 0, attempt: 0, failures: 0, texts: next }
    }

    fn next_vacant(&self) -> Option<u32> {
        (self.origin == 0).then_some(self.texts)
    }
}

/// The texts of a task.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// Unique within the group among live tasks.
    pub key: Option<Arc<str>>,
    /// The text of the last failure.
    pub error: Option<Arc<str>>,
    next: Option<u32>,
}

impl Texts {
    /// Texts, at least one of them.
    pub fn new(key: Option<Arc<str>>, error: Option<Arc<str>>) -> Self {
        Self { key, error, next: None }
    }
}

impl Vacant for Texts {
    fn vacant(next: u32) -> Self {
        Self { key: None, error: None, next: Some(next) }
    }

    fn next_vacant(&self) -> Option<u32> {
        self.next
    }
}
