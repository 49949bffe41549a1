//! Reasons of a refusal as sentences: what is the case, and what to do next.

use core::fmt;

use super::{Fate, Refusal};
use crate::{
    id::{OwnerId, TaskId},
    time::Millis,
};

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
        Fate::Changed { now_id, owner, actor, available_at, at, by, by_actor, claimed } => {
            f.write_str(if *claimed { "was claimed again by " } else { "was changed" })?;
            if !claimed && by.0 != 0 {
                f.write_str(" by ")?;
            }
            if by.0 != 0 {
                who(f, *by, by_actor)?;
            }
            since(f, now, *at)?;
            write!(f, " and is task {now_id} now, ")?;
            if owner.0 == 0 || *available_at <= now {
                f.write_str("held by nobody")?;
            } else {
                f.write_str("held")?;
                if by != owner {
                    f.write_str(" by ")?;
                    who(f, *owner, actor)?;
                }
                write!(f, " until {}", Clock(*available_at))?;
            }
            if lease_end == 0 {
                f.write_str(": look at it and use that id")?;
            }
        }
        Fate::Removed { reason, owner, actor, at } => {
            write!(f, "was {} by ", reason.slug())?;
            who(f, *owner, actor)?;
            since(f, now, *at)?;
            if lease_end == 0 {
                f.write_str(": nothing is left to be done with it")?;
            }
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
            Self::KeyExists { group, key, id, held, moved } => {
                write!(f, "group {group:?} has a task with key {key:?} already: task {id}")?;
                f.write_str(match (moved, held) {
                    (false, true) => ", which is held; wait for it, or add with if_exists keep",
                    (false, false) => "; add with if_exists keep or replace to allow that",
                    (true, true) => ", which is held; wait for it, or move to another group",
                    (true, false) => "; delete that one in the same transaction, or move to another group",
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
