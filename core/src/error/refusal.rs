//! One reason why a transaction was refused, with all that is known about it.

use alloc::{string::String, sync::Arc};
use core::fmt;

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

/// A span of milliseconds as people say it.
struct Ago(Millis);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms @ 0..1_000 => write!(f, "{ms} ms"),
            ms @ 1_000..120_000 => write!(f, "{} s", ms / 1_000),
            ms @ 120_000..7_200_000 => write!(f, "{} min", ms / 60_000),
            ms => write!(f, "{} h", ms / 3_600_000),
        }
    }
}

/// The time of day, UTC.
struct Clock(Millis);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000 % 86_400;
        write!(f, "{:02}:{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

fn who(f: &mut fmt::Formatter<'_>, owner: OwnerId, actor: &str) -> fmt::Result {
    write!(f, "owner {owner}")?;
    if actor.is_empty() { Ok(()) } else { write!(f, " ({actor})") }
}

fn since(f: &mut fmt::Formatter<'_>, now: Millis, at: Millis) -> fmt::Result {
    if at == 0 { Ok(()) } else { write!(f, " {} ago", Ago(now.saturating_sub(at))) }
}

fn missing(f: &mut fmt::Formatter<'_>, id: TaskId, lease_end: Millis, fate: &Fate, now: Millis) -> fmt::Result {
    write!(f, "task {id} ")?;
    match fate {
        Fate::Unknown => write!(f, "does not exist: look for it by its origin or key, it may have changed long ago")?,
        Fate::Changed { now_id, owner, actor, available_at, at } if owner.0 != 0 => {
            f.write_str("was claimed again by ")?;
            who(f, *owner, actor)?;
            since(f, now, *at)?;
            write!(f, " and is task {now_id} now")?;
            if *available_at > now {
                write!(f, ", held until {}", Clock(*available_at))?;
            }
        }
        Fate::Changed { now_id, at, .. } => {
            f.write_str("was changed")?;
            since(f, now, *at)?;
            write!(f, " and is task {now_id} now, held by nobody")?;
        }
        Fate::Removed { reason, owner, actor, at } => {
            write!(f, "was {} by ", reason.slug())?;
            who(f, *owner, actor)?;
            since(f, now, *at)?;
        }
    }
    if lease_end != 0 {
        let tense = if lease_end > now { "would have run until" } else { "ended" };
        write!(f, "; your lease {tense} {}: discard this result and claim again", Clock(lease_end))?;
    }
    Ok(())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal { place, why, .. } => write!(f, "{place}: {why}"),
            Self::MissingUpdate { id, lease_end, fate, now, .. }
            | Self::MissingDelete { id, lease_end, fate, now, .. } => missing(f, *id, *lease_end, fate, *now),
            Self::MissingDepend { id, fate, now } => {
                f.write_str("a dependency is missing: ")?;
                missing(f, *id, 0, fate, *now)
            }
            Self::Held { id, owner, actor, until, now } => {
                write!(f, "task {id} is held by ")?;
                who(f, *owner, actor)?;
                write!(
                    f,
                    " until {} ({} more): wait for it, or cancel it with force",
                    Clock(*until),
                    Ago(until.saturating_sub(*now))
                )
            }
            Self::NotHeld { id } => write!(f, "task {id} is not held by you: claim it first"),
            Self::RepeatedTask { id } => {
                write!(f, "task {id} stands more than once in one transaction: name each task once")
            }
            Self::RepeatedKey { place, key } => {
                write!(f, "key {key:?} of {place:?} stands more than once in one transaction: name each once")
            }
            Self::KeyExists { group, key, id, held } => {
                write!(f, "group {group:?} has a task with key {key:?} already: task {id}")?;
                f.write_str(if *held {
                    ", which is held; wait for it, or add with if_exists keep"
                } else {
                    "; add with if_exists keep or replace to allow that"
                })
            }
            Self::StaleRecord { table, key, expected, found } => {
                write!(f, "record {key:?} of table {table:?} ")?;
                match (expected.0, found.0) {
                    (0, found) => write!(f, "was expected to be absent and has revision {found}")?,
                    (expected, 0) => write!(f, "was expected at revision {expected} and is absent")?,
                    (expected, found) => write!(f, "was expected at revision {expected} and has {found}")?,
                }
                f.write_str(": read it again and decide anew")
            }
            Self::Bounds { table, key, why } => write!(f, "record {key:?} of table {table:?}: {why}"),
        }
    }
}
