//! One physical change, with absolute after-values.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    id::{OwnerId, TaskId},
    time::Millis,
};

/// Why a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Reason {
    /// No reason was given.
    #[default]
    Deleted,
    /// Its work is done.
    Finished,
    /// Its work failed for good.
    Failed,
    /// Nobody wants it any more.
    Cancelled,
    /// It goes on elsewhere: other tasks, another store.
    Moved,
    /// A task with the same key took its place.
    Replaced,
}

impl Reason {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Moved => "moved",
            Self::Replaced => "replaced",
        }
    }

    /// The reason with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Deleted, Self::Finished, Self::Failed, Self::Cancelled, Self::Moved, Self::Replaced]
            .into_iter()
            .find(|reason| reason.slug() == slug)
    }
}

/// A whole task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Image<'a> {
    /// The id.
    pub id: TaskId,
    /// The id of the add that began it, 0 where it is this one.
    pub origin: TaskId,
    /// The group.
    #[serde(borrow)]
    pub group: Cow<'a, str>,
    /// The key.
    #[serde(borrow)]
    pub key: Option<Cow<'a, str>>,
    /// When it can be claimed.
    pub available_at: Millis,
    /// When it was added.
    pub added_at: Millis,
    /// Who claimed it.
    pub owner: OwnerId,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// The text of the last failure.
    #[serde(borrow)]
    pub error: Option<Cow<'a, str>>,
    /// The work.
    #[serde(borrow, with = "serde_bytes")]
    pub data: Cow<'a, [u8]>,
}

/// A new id, and all that goes with it but the data, which stays where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Retitle<'a> {
    /// The id until now.
    pub old: TaskId,
    /// The id from now on.
    pub id: TaskId,
    /// When it can be claimed, or until when it is held.
    pub available_at: Millis,
    /// Who claimed it, 0 for nobody.
    pub owner: OwnerId,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// Another group, where it changes.
    #[serde(borrow)]
    pub group: Option<Cow<'a, str>>,
    /// The text of the last failure, where it changes; empty for none.
    #[serde(borrow)]
    pub error: Option<Cow<'a, str>>,
}

/// One physical change. The order of the variants is the format: new ones go to the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Op<'a> {
    /// A task that is there from now on, in place of `replaces` where that is not 0.
    Save {
        /// The id whose place it takes.
        replaces: TaskId,
        /// The task.
        #[serde(borrow)]
        task: Image<'a>,
    },
    /// A task that has a new id from now on.
    Retitle(#[serde(borrow)] Retitle<'a>),
    /// A task that is gone from now on.
    Remove {
        /// The id.
        id: TaskId,
        /// Why.
        reason: Reason,
    },
    /// A record that is there from now on.
    Put {
        /// The table.
        #[serde(borrow)]
        table: Cow<'a, str>,
        /// The key.
        #[serde(borrow)]
        key: Cow<'a, str>,
        /// From when it is hidden, 0 for never.
        expires_at: Millis,
        /// The value.
        #[serde(borrow, with = "serde_bytes")]
        value: Cow<'a, [u8]>,
    },
    /// A record that is gone from now on.
    RemoveRecord {
        /// The table.
        #[serde(borrow)]
        table: Cow<'a, str>,
        /// The key.
        #[serde(borrow)]
        key: Cow<'a, str>,
    },
    /// The store's format level from now on.
    Level(u32),
}

impl Op<'_> {
    /// The bytes of data or value that it carries.
    pub(crate) fn data_len(&self) -> usize {
        match self {
            Self::Save { task, .. } => task.data.len(),
            Self::Put { value, .. } => value.len(),
            _ => 0,
        }
    }
}
