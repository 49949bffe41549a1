//! A task as callers see it, and what is known of a group.

use alloc::{string::String, sync::Arc};

use crate::{
    data::Data,
    id::{OwnerId, TaskId},
    time::Millis,
};

/// A piece of work. A task is never changed in place: every change gives it a new, higher id, and whoever holds
/// an old id can't commit with it. That is the fence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// The present id.
    pub id: TaskId,
    /// The id of the add that began it; it stays through every change.
    pub origin: TaskId,
    /// The group that it belongs to.
    pub group: Arc<str>,
    /// Unique within the group among live tasks.
    pub key: Option<Arc<str>>,
    /// When it can be claimed; while it is held, when the lease ends. Milliseconds since the Epoch.
    pub available_at: Millis,
    /// When the add that began it was committed. Milliseconds since the Epoch.
    pub added_at: Millis,
    /// Who claimed it last, 0 for nobody or since it was released.
    pub owner: OwnerId,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often its claimant said that it failed.
    pub failures: u32,
    /// The text of the last failure.
    pub error: Option<Arc<str>>,
    /// The work itself.
    pub data: Data,
}

/// Who may take a task, judged by a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TaskState {
    /// Anyone may claim it.
    Available,
    /// Nobody holds it, and its time is still to come.
    Delayed,
    /// Somebody holds it.
    Held,
}

impl TaskState {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Delayed => "delayed",
            Self::Held => "held",
        }
    }

    pub(crate) fn of(owner: OwnerId, available_at: Millis, now: Millis) -> Self {
        match (available_at > now, owner.0) {
            (false, _) => Self::Available,
            (true, 0) => Self::Delayed,
            (true, _) => Self::Held,
        }
    }
}

impl Task {
    /// Who may take it at `now`.
    pub fn state(&self, now: Millis) -> TaskState {
        TaskState::of(self.owner, self.available_at, now)
    }

    /// Its data as text, where it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        self.data.text()
    }
}

/// What is known of a group at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupStats {
    /// The group's name.
    pub name: String,
    /// All its tasks.
    pub tasks: u64,
    /// Those that anyone may claim.
    pub available: u64,
    /// Those whose time is still to come.
    pub delayed: u64,
    /// Those that somebody holds.
    pub held: u64,
    /// The least `available_at` among those that anyone may claim: since when the oldest of them waits.
    pub oldest: Option<Millis>,
    /// Whether claims skip it.
    pub paused: bool,
}
