//! Writing errors, with every reason for a refusal in a list of its own.
//!
//! ```text
//! missing_updates missing_deletes   [{"id","lost":true,"lease_end","fate":{…}}]
//! missing_depends                   [{"id","fate":{…}}]
//! held                              [{"id","owner","actor","until"}]
//! not_held                          [{"id"}]
//! repeated                          [{"id"}] or [{"place","key"}]
//! key_exists                        [{"group","key","id","held","moved":true}]
//! stale_records                     [{"table","key","expected","found"}]
//! bounds                            [{"table","key","why"}]
//! illegal                           [{"place","code","why"}]
//!
//! fate   {"became":"unknown"}
//!        {"became":"changed","now_id","owner","actor","available_at","at","claimed":true,"by","by_actor"}
//!        {"became":"removed","reason","owner","actor","at"}
//! ```

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Spelled;
use crate::{
    error::{Error, Fate, Refusal},
    id::TaskId,
    time::Millis,
};

impl Serialize for Spelled<'_, Error> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("error", &Inside(self.0))?;
        map.end()
    }
}

struct Inside<'a>(&'a Error);

impl Serialize for Inside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", error.kind().slug())?;
        map.serialize_entry("code", error.code().slug())?;
        map.serialize_entry("message", error.message())?;
        map.serialize_entry("outcome", error.outcome().slug())?;
        map.serialize_entry("retry", error.retry().slug())?;
        if !error.refusals().is_empty() {
            map.serialize_entry("details", &Details(error.refusals()))?;
        }
        map.end()
    }
}

/// The lists of the details, in the order in which they are written.
pub(super) static LISTS: [&str; 10] = [
    "missing_updates",
    "missing_deletes",
    "missing_depends",
    "held",
    "not_held",
    "repeated",
    "key_exists",
    "stale_records",
    "bounds",
    "illegal",
];

const fn list(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::MissingUpdate { .. } => LISTS[0],
        Refusal::MissingDelete { .. } => LISTS[1],
        Refusal::MissingDepend { .. } => LISTS[2],
        Refusal::Held { .. } => LISTS[3],
        Refusal::NotHeld { .. } => LISTS[4],
        Refusal::RepeatedTask { .. } | Refusal::RepeatedKey { .. } => LISTS[5],
        Refusal::KeyExists { .. } => LISTS[6],
        Refusal::StaleRecord { .. } => LISTS[7],
        Refusal::Bounds { .. } => LISTS[8],
        Refusal::Illegal { .. } => LISTS[9],
    }
}

struct Details<'a>(&'a [Refusal]);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in LISTS {
            if self.0.iter().any(|refusal| list(refusal) == name) {
                map.serialize_entry(name, &Reasons { all: self.0, name })?;
            }
        }
        map.end()
    }
}

struct Reasons<'a> {
    all: &'a [Refusal],
    name: &'static str,
}

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all.iter().filter(|refusal| list(refusal) == self.name).map(Spelled))
    }
}

impl Serialize for Spelled<'_, Refusal> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Refusal::MissingUpdate { id, lost, lease_end, fate, .. }
            | Refusal::MissingDelete { id, lost, lease_end, fate, .. } => {
                missing(&mut map, *id, *lost, *lease_end, fate)?;
            }
            Refusal::MissingDepend { id, fate, .. } => missing(&mut map, *id, false, 0, fate)?,
            Refusal::Held { id, owner, actor, until, .. } => {
                map.serialize_entry("id", id)?;
                map.serialize_entry("owner", owner)?;
                write_actor(&mut map, actor)?;
                map.serialize_entry("until", until)?;
            }
            Refusal::NotHeld { id } | Refusal::RepeatedTask { id } => map.serialize_entry("id", id)?,
            Refusal::RepeatedKey { place, key } => {
                map.serialize_entry("place", place)?;
                map.serialize_entry("key", key)?;
            }
            Refusal::KeyExists { group, key, id, held, moved } => {
                map.serialize_entry("group", group)?;
                map.serialize_entry("key", key)?;
                map.serialize_entry("id", id)?;
                map.serialize_entry("held", held)?;
                if *moved {
                    map.serialize_entry("moved", moved)?;
                }
            }
            Refusal::StaleRecord { table, key, expected, found } => {
                map.serialize_entry("table", table)?;
                map.serialize_entry("key", key)?;
                map.serialize_entry("expected", expected)?;
                map.serialize_entry("found", found)?;
            }
            Refusal::Illegal { place, why, code } => {
                map.serialize_entry("place", place)?;
                map.serialize_entry("code", code.slug())?;
                map.serialize_entry("why", why)?;
            }
            Refusal::Bounds { table, key, why } => {
                map.serialize_entry("table", table)?;
                map.serialize_entry("key", key)?;
                map.serialize_entry("why", why)?;
            }
        }
        map.end()
    }
}

fn missing<M: SerializeMap>(
    map: &mut M,
    id: TaskId,
    lost: bool,
    lease_end: Millis,
    fate: &Fate,
) -> Result<(), M::Error> {
    map.serialize_entry("id", &id)?;
    if lost {
        map.serialize_entry("lost", &true)?;
    }
    write_time(map, "lease_end", lease_end)?;
    map.serialize_entry("fate", &Spelled(fate))
}

impl Serialize for Spelled<'_, Fate> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Fate::Unknown => map.serialize_entry("became", "unknown")?,
            Fate::Changed { now_id, owner, actor, available_at, at, by, by_actor, claimed } => {
                map.serialize_entry("became", "changed")?;
                map.serialize_entry("now_id", now_id)?;
                map.serialize_entry("owner", owner)?;
                write_actor(&mut map, actor)?;
                map.serialize_entry("available_at", available_at)?;
                write_time(&mut map, "at", *at)?;
                if *claimed {
                    map.serialize_entry("claimed", claimed)?;
                }
                if by.0 != 0 {
                    map.serialize_entry("by", by)?;
                    if !by_actor.is_empty() {
                        map.serialize_entry("by_actor", &**by_actor)?;
                    }
                }
            }
            Fate::Removed { reason, owner, actor, at } => {
                map.serialize_entry("became", "removed")?;
                map.serialize_entry("reason", reason.slug())?;
                map.serialize_entry("owner", owner)?;
                write_actor(&mut map, actor)?;
                write_time(&mut map, "at", *at)?;
            }
        }
        map.end()
    }
}

/// An actor that is not known is an empty label, and left out.
fn write_actor<M: SerializeMap>(map: &mut M, actor: &str) -> Result<(), M::Error> {
    if actor.is_empty() { Ok(()) } else { map.serialize_entry("actor", actor) }
}

/// A time that is not known is 0, and left out.
fn write_time<M: SerializeMap>(map: &mut M, name: &'static str, at: Millis) -> Result<(), M::Error> {
    if at == 0 { Ok(()) } else { map.serialize_entry(name, &at) }
}
