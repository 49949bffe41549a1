//! One reason why a transaction was refused, with all that is known about it.

use alloc::{string::String, sync::Arc};

use super::Code;
use crate::{
    entry::Reason,
    id::{OwnerId, Revision, TaskId},
    time::Millis,
};

/// What became of a task id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// No such id is known: it never was, or is too long gone to tell.
    Unknown,
    /// The task lives on under another id.
    Changed {
        /// Its present id.
        now_id: TaskId,
        /// Who holds it, 0 for nobody.
        owner: OwnerId,
        /// The label of the owner, where it is known.
        actor: Arc<str>,
        /// Until when it is held, or from when it is available.
        available_at: Millis,
        /// When the id asked for was superseded, 0 where that is not known.
        at: Millis,
        /// By whom, 0 where that is not known.
        by: OwnerId,
        /// The label of that one, where it is known.
        by_actor: Arc<str>,
        /// Whether that was a claim of the one who holds it now, and no change to a task that it held already.
        claimed: bool,
    },
    /// The task is gone.
    Removed {
        /// Why.
        reason: Reason,
        /// By whom.
        owner: OwnerId,
        /// The label of that owner, where it is known.
        actor: Arc<str>,
        /// When.
        at: Millis,
    },
}

/// One reason for a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// An argument that can't be right, or lies beyond a limit.
    Illegal {
        /// Where in the request, as `adds[3].group`.
        place: String,
        /// What is wrong with it, and what would be right.
        why: String,
        /// [`Code::Invalid`] or [`Code::OverLimit`].
        code: Code,
    },
    /// A task in updates does not exist under this id.
    MissingUpdate {
        /// The id that was asked for.
        id: TaskId,
        /// Whether the caller was its last claimant, so that this is a lost claim.
        lost: bool,
        /// When the lease of that id ended, 0 where that is not known.
        lease_end: Millis,
        /// What became of it.
        fate: Fate,
        /// The time of the refusal, for wording.
        now: Millis,
    },
    /// A task in deletes does not exist under this id.
    MissingDelete {
        /// The id that was asked for.
        id: TaskId,
        /// Whether the caller was its last claimant, so that this is a lost claim.
        lost: bool,
        /// When the lease of that id ended, 0 where that is not known.
        lease_end: Millis,
        /// What became of it.
        fate: Fate,
        /// The time of the refusal, for wording.
        now: Millis,
    },
    /// A task in depends does not exist.
    MissingDepend {
        /// The id, or the origin, that was asked for.
        id: TaskId,
        /// What became of it.
        fate: Fate,
        /// The time of the refusal, for wording.
        now: Millis,
    },
    /// A task is held by another owner.
    Held {
        /// Its id.
        id: TaskId,
        /// Who holds it.
        owner: OwnerId,
        /// The label of the holder, where it is known.
        actor: Arc<str>,
        /// Until when.
        until: Millis,
        /// The time of the refusal, for wording.
        now: Millis,
    },
    /// A task must be held by the caller for this verb, and nobody holds it.
    NotHeld {
        /// Its id.
        id: TaskId,
    },
    /// The same id stands twice in updates and deletes.
    RepeatedTask {
        /// The id.
        id: TaskId,
    },
    /// The same record stands twice in puts, removes and increments, or the same key twice in adds.
    RepeatedKey {
        /// The table, or the group.
        place: String,
        /// The key.
        key: String,
    },
    /// A live task of the group has this key.
    KeyExists {
        /// The group.
        group: String,
        /// The key.
        key: String,
        /// The task that has it.
        id: TaskId,
        /// Whether that task is held, so that it can't be replaced.
        held: bool,
        /// Whether a task that has the key already was to be moved into the group, and none added.
        moved: bool,
    },
    /// A record has another revision than expected.
    StaleRecord {
        /// The table.
        table: String,
        /// The key.
        key: String,
        /// The revision expected, 0 for absent.
        expected: Revision,
        /// The revision found, 0 for absent.
        found: Revision,
    },
    /// An increment would leave its bounds, or meets a value that is no whole number.
    Bounds {
        /// The table.
        table: String,
        /// The key.
        key: String,
        /// What is wrong, in words.
        why: String,
    },
}

impl Refusal {
    /// The code of this reason.
    pub fn code(&self) -> Code {
        match self {
            Self::Illegal { code, .. } => *code,
            Self::MissingUpdate { lost, .. } | Self::MissingDelete { lost, .. } => {
                if *lost {
                    Code::LeaseLost
                } else {
                    Code::MissingTask
                }
            }
            Self::MissingDepend { .. } => Code::MissingTask,
            Self::Held { .. } => Code::Held,
            Self::NotHeld { .. } => Code::LeaseLost,
            Self::RepeatedTask { .. } | Self::RepeatedKey { .. } => Code::Rejected,
            Self::KeyExists { .. } => Code::KeyExists,
            Self::StaleRecord { .. } => Code::StaleRecord,
            Self::Bounds { .. } => Code::Bounds,
        }
    }
}
