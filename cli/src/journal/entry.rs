//! An entry in words.

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
