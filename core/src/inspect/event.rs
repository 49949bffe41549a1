//! What a confirmed entry did, in JSON, for those who watch or read the log.
//!
//! ```text
//! {"revision","kind","at","owner","actor","author","changes":[…],"request_id"}
//! change   {"kind","id","old","owner","available_at","group","key","reason"} of a task
//!          {"kind","table","key"} of a record
//! ```

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::line::hex16;
use crate::{
    engine::{Change, ChangeKind, Event},
    json::Spelled,
};

impl Serialize for Spelled<'_, Event> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("revision", &event.revision)?;
        map.serialize_entry("kind", event.kind.slug())?;
        map.serialize_entry("at", &event.at)?;
        map.serialize_entry("owner", &event.owner)?;
        map.serialize_entry("actor", &*event.actor)?;
        map.serialize_entry("author", &hex16(event.author.0))?;
        map.serialize_entry("changes", &Changes(&event.changes))?;
        if let Some(id) = &event.request_id {
            map.serialize_entry("request_id", &**id)?;
        }
        map.end()
    }
}

struct Changes<'a>(&'a [Change]);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Spelled))
    }
}

impl Serialize for Spelled<'_, Change> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", change.kind.slug())?;
        if change.id.0 != 0 {
            map.serialize_entry("id", &change.id)?;
            map.serialize_entry("owner", &change.owner)?;
            map.serialize_entry("available_at", &change.available_at)?;
        }
        if change.old.0 != 0 {
            map.serialize_entry("old", &change.old)?;
        }
        if !change.place.is_empty() {
            let record = matches!(change.kind, ChangeKind::Put | ChangeKind::RecordRemoved);
            map.serialize_entry(if record { "table" } else { "group" }, &*change.place)?;
        }
        if let Some(key) = &change.key {
            map.serialize_entry("key", &**key)?;
        }
        if let Some(reason) = change.reason {
            map.serialize_entry("reason", reason.slug())?;
        }
        map.end()
    }
}
