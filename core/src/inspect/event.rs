//! What a confirmed entry did, in JSON, for those who watch or read the log, and read back from it.
//!
//! ```text
//! {"revision","kind","at","owner","actor","author","changes":[…],"request_id"}
//! change   {"kind","id","old","owner","available_at","attempt","failures","group","key","reason"} of a task
//!          {"kind","table","key"} of a record
//! ```

use alloc::{sync::Arc, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::line::hex16;
use crate::{
    engine::{Change, ChangeKind, Event},
    entry::{EntryKind, Reason},
    error::Result,
    id::{Author, MAX_ID, Revision},
    json::{
        Spelled,
        fields::{Fields, Unknown, items, millis, owner, task_id, text, whole},
        node::{self, Node},
        place::Place,
    },
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
            if change.attempt != 0 {
                map.serialize_entry("attempt", &change.attempt)?;
            }
            if change.failures != 0 {
                map.serialize_entry("failures", &change.failures)?;
            }
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

/// Reads an entry that another program told. Fields that are not known are passed over.
pub fn read_event(bytes: &[u8]) -> Result<Event> {
    event(&Place::Whole("the entry"), node::read(bytes, "the entry")?)
}

/// Reads `{"entries":[…]}`.
pub fn read_events(bytes: &[u8]) -> Result<Vec<Event>> {
    let place = &Place::Whole("the entries");
    let mut fields = Fields::read_with(place, node::read(bytes, "the entries")?, &["entries"], Unknown::Pass)?;
    fields.required("entries", |place, node| items(place, node, event))
}

fn event(place: &Place<'_>, node: Node<'_>) -> Result<Event> {
    let known = &["revision", "kind", "at", "owner", "actor", "author", "changes", "request_id"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    Ok(Event {
        revision: fields.required("revision", |place, node| whole(place, node, MAX_ID).map(Revision))?,
        kind: fields.required("kind", |place, node| {
            let kind = text(place, node)?;
            EntryKind::from_slug(&kind).ok_or_else(|| place.refuse(format_args!("{kind:.40?} is no kind of entry")))
        })?,
        at: fields.required("at", millis)?,
        owner: fields.required("owner", owner)?,
        actor: fields.required("actor", shared)?,
        author: fields.required("author", |place, node| {
            let author = u64::from_str_radix(&text(place, node)?, 16);
            author.map(Author).map_err(|error| place.refuse(error))
        })?,
        request_id: fields.optional("request_id", shared)?,
        changes: fields.list("changes", change)?,
    })
}

fn shared(place: &Place<'_>, node: Node<'_>) -> Result<Arc<str>> {
    text(place, node).map(Arc::from)
}

fn small(place: &Place<'_>, node: Node<'_>) -> Result<u32> {
    whole(place, node, u32::MAX.into()).map(|number| number as u32)
}

fn change(place: &Place<'_>, node: Node<'_>) -> Result<Change> {
    let known =
        &["kind", "id", "owner", "available_at", "attempt", "failures", "old", "group", "table", "key", "reason"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    Ok(Change {
        kind: fields.required("kind", |place, node| {
            let kind = text(place, node)?;
            ChangeKind::from_slug(&kind).ok_or_else(|| place.refuse(format_args!("{kind:.40?} is no kind of change")))
        })?,
        id: fields.optional("id", task_id)?.unwrap_or_default(),
        old: fields.optional("old", task_id)?.unwrap_or_default(),
        place: fields.either(("group", "table"), shared, shared)?.unwrap_or_default(),
        key: fields.optional("key", shared)?,
        reason: fields.optional("reason", text)?.and_then(|reason| Reason::from_slug(&reason)),
        owner: fields.optional("owner", owner)?.unwrap_or_default(),
        available_at: fields.optional("available_at", millis)?.unwrap_or_default(),
        attempt: fields.optional("attempt", small)?.unwrap_or_default(),
        failures: fields.optional("failures", small)?.unwrap_or_default(),
    })
}
