//! An entry in words, and as JSON.

use serde_json::{Value, json};
use tenure::{
    Millis,
    core::{
        engine::{Change, ChangeKind, Event},
        entry::EntryKind,
    },
};

use crate::{output::time, quantity::spell_span};

/// An entry on one line for people: when, who, what.
pub fn words(event: &Event) -> String {
    let what = if event.kind == EntryKind::Transaction {
        event.changes.iter().map(|change| change_words(change, event.at)).collect::<Vec<_>>().join("; ")
    } else {
        event.kind.slug().replace('_', " ")
    };
    let mut who = event.actor.to_string();
    if who.is_empty() {
        who = format!("author {:016x}", event.author.0);
    }
    format!("{}  {}  {who} (owner {})  {what}", event.revision, time(event.at), event.owner)
}

fn change_words(change: &Change, now: Millis) -> String {
    let Change { kind, id, old, place, owner, available_at, .. } = change;
    let key = change.key.as_deref().unwrap_or_default();
    let left = spell_span(available_at.saturating_sub(now));
    match kind {
        ChangeKind::Added if *available_at > now => format!("added task {id} to {place}, delayed for {left}"),
        ChangeKind::Added => format!("added task {id} to {place}"),
        ChangeKind::Replaced => format!("changed task {old}, now {id} in {place}"),
        ChangeKind::Changed => {
            let mut words = if owner.0 != 0 && *available_at > now {
                format!("task {old} is {id}, held by owner {owner} for {left}")
            } else if *available_at > now {
                format!("task {old} is {id}, free in {left}")
            } else {
                format!("task {old} is {id}, free")
            };
            if !place.is_empty() {
                words.push_str(", in ");
                words.push_str(place);
            }
            words
        }
        ChangeKind::Removed => format!("task {old} {}", change.reason.map_or("removed", |reason| reason.slug())),
        ChangeKind::Put => format!("put {place} {key:?}"),
        ChangeKind::RecordRemoved => format!("removed {place} {key:?}"),
    }
}

/// An entry as one JSON object.
pub fn spell(event: &Event) -> Value {
    let mut value = json!({
        "revision": event.revision,
        "kind": event.kind.slug(),
        "at": event.at,
        "owner": event.owner,
        "actor": &*event.actor,
        "author": format!("{:016x}", event.author.0),
        "changes": event.changes.iter().map(change).collect::<Vec<_>>(),
    });
    if let Some(id) = &event.request_id {
        value["request_id"] = json!(&**id);
    }
    value
}

fn change(change: &Change) -> Value {
    let mut value = json!({"kind": change.kind.slug()});
    let record = matches!(change.kind, ChangeKind::Put | ChangeKind::RecordRemoved);
    if change.id.0 != 0 {
        value["id"] = json!(change.id);
        value["owner"] = json!(change.owner);
        value["available_at"] = json!(change.available_at);
    }
    if change.old.0 != 0 {
        value["old"] = json!(change.old);
    }
    if !change.place.is_empty() {
        value[if record { "table" } else { "group" }] = json!(&*change.place);
    }
    if let Some(key) = &change.key {
        value["key"] = json!(&**key);
    }
    if let Some(reason) = change.reason {
        value["reason"] = json!(reason.slug());
    }
    value
}
