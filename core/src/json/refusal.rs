//! Reading errors that another program told, with every reason for a refusal.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{
    answer::revision,
    error::LISTS,
    fields::{Fields, Unknown, millis, owner, string, task_id, text},
    node::{self, Node},
    place::Place,
};
use crate::{
    entry::Reason,
    error::{CATALOGUE, Code, Error, Fate, Kind, Outcome, Refusal, Result, Retry},
    time::Millis,
};

/// An error as another program told it, which may know codes that this one does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The code's name.
    pub code: String,
    /// The code, or, where it is not known here, the first one of its kind.
    pub known: Option<Code>,
    /// Cause and next step.
    pub message: String,
    /// Whether anything was written.
    pub outcome: Option<Outcome>,
    /// Whether, and how, to try again.
    pub retry: Option<Retry>,
    /// All reasons for a refusal.
    pub refusals: Vec<Refusal>,
}

impl Told {
    /// The same as an error of this program, where nothing is known of the code with this one.
    pub fn or(self, code: Code) -> Error {
        let error = Error::new(self.known.unwrap_or(code), self.message).with_refusals(self.refusals);
        match self.outcome {
            Some(outcome) => error.with_outcome(outcome),
            None => error,
        }
    }
}

/// Reads an error: `{"error":{…}}`, or problem details with the same members. What has no such shape is `Invalid`. `now`
/// is the time of the refusal, for wording.
pub fn read_error(bytes: &[u8], now: Millis) -> Result<Told> {
    let place = Place::Whole("the error");
    let node = node::read(bytes, "the error")?;
    let inside = matches!(&node, Node::Map(entries) if entries.iter().any(|(name, _)| name == "error"));
    if inside {
        let mut fields = Fields::read_with(&place, node, &["error"], Unknown::Pass)?;
        return fields.required("error", |place, node| told(place, node, now));
    }
    told(&place, node, now)
}

fn told(place: &Place<'_>, node: Node<'_>, now: Millis) -> Result<Told> {
    let known = &["code", "kind", "message", "detail", "outcome", "retry", "details"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    let code = fields.required("code", string)?;
    let kind = fields.optional("kind", text)?.and_then(|kind| Kind::from_slug(&kind));
    let of_kind = || CATALOGUE.iter().copied().find(|code| Some(code.kind()) == kind);
    let message = fields.either(("message", "detail"), string, string)?.unwrap_or_default();
    Ok(Told {
        known: Code::from_slug(&code).or_else(of_kind),
        code,
        message,
        outcome: fields.optional("outcome", text)?.and_then(|outcome| Outcome::from_slug(&outcome)),
        retry: fields.optional("retry", text)?.and_then(|retry| Retry::from_slug(&retry)),
        refusals: fields.optional("details", |place, node| details(place, node, now))?.unwrap_or_default(),
    })
}

fn details(place: &Place<'_>, node: Node<'_>, now: Millis) -> Result<Vec<Refusal>> {
    let mut fields = Fields::read_with(place, node, &LISTS, Unknown::Pass)?;
    let mut all = Vec::new();
    for name in LISTS {
        let read = |place: &Place<'_>, node: Node<'_>| refusal(name, place, node, now);
        all.extend(fields.list(name, read)?);
    }
    Ok(all)
}

static FIELDS: [&str; 17] = [
    "id",
    "lost",
    "lease_end",
    "fate",
    "owner",
    "actor",
    "until",
    "place",
    "key",
    "group",
    "held",
    "moved",
    "table",
    "expected",
    "found",
    "why",
    "code",
];

fn refusal(list: &str, place: &Place<'_>, node: Node<'_>, now: Millis) -> Result<Refusal> {
    let mut fields = Fields::read_with(place, node, &FIELDS, Unknown::Pass)?;
    Ok(match list {
        "missing_updates" | "missing_deletes" => {
            let id = fields.required("id", task_id)?;
            let (was_mine, fate) = (fields.flag("lost")?, fields.required("fate", fate)?);
            let lease_end = fields.optional("lease_end", millis)?.unwrap_or_default();
            if list == "missing_updates" {
                Refusal::MissingUpdate { id, lost: was_mine, lease_end, fate, now }
            } else {
                Refusal::MissingDelete { id, lost: was_mine, lease_end, fate, now }
            }
        }
        "missing_depends" => {
            Refusal::MissingDepend { id: fields.required("id", task_id)?, fate: fields.required("fate", fate)?, now }
        }
        "held" => Refusal::Held {
            id: fields.required("id", task_id)?,
            owner: fields.required("owner", owner)?,
            actor: actor(&mut fields, "actor")?,
            until: fields.required("until", millis)?,
            now,
        },
        "not_held" => Refusal::NotHeld { id: fields.required("id", task_id)? },
        "repeated" => match fields.optional("id", task_id)? {
            Some(id) => Refusal::RepeatedTask { id },
            None => {
                Refusal::RepeatedKey { place: fields.required("place", string)?, key: fields.required("key", string)? }
            }
        },
        "key_exists" => Refusal::KeyExists {
            group: fields.required("group", string)?,
            key: fields.required("key", string)?,
            id: fields.required("id", task_id)?,
            held: fields.flag("held")?,
            moved: fields.flag("moved")?,
        },
        "stale_records" => Refusal::StaleRecord {
            table: fields.required("table", string)?,
            key: fields.required("key", string)?,
            expected: fields.required("expected", revision)?,
            found: fields.required("found", revision)?,
        },
        "bounds" => Refusal::Bounds {
            table: fields.required("table", string)?,
            key: fields.required("key", string)?,
            why: fields.required("why", string)?,
        },
        _ => {
            let code = fields.optional("code", text)?.and_then(|code| Code::from_slug(&code));
            Refusal::Illegal {
                place: fields.required("place", string)?,
                why: fields.required("why", string)?,
                code: code.unwrap_or(Code::Invalid),
            }
        }
    })
}

fn actor(fields: &mut Fields<'_, '_>, name: &'static str) -> Result<Arc<str>> {
    let actor = fields.optional(name, |place, node| text(place, node).map(Arc::from))?;
    Ok(actor.unwrap_or_default())
}

fn fate(place: &Place<'_>, node: Node<'_>) -> Result<Fate> {
    let known = &["became", "now_id", "owner", "actor", "available_at", "at", "claimed", "by", "by_actor", "reason"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    let became = fields.required("became", text)?;
    Ok(match &*became {
        "changed" => Fate::Changed {
            now_id: fields.required("now_id", task_id)?,
            owner: fields.required("owner", owner)?,
            actor: actor(&mut fields, "actor")?,
            available_at: fields.required("available_at", millis)?,
            at: fields.optional("at", millis)?.unwrap_or_default(),
            by: fields.optional("by", owner)?.unwrap_or_default(),
            by_actor: actor(&mut fields, "by_actor")?,
            claimed: fields.flag("claimed")?,
        },
        "removed" => Fate::Removed {
            reason: fields.optional("reason", text)?.and_then(|reason| Reason::from_slug(&reason)).unwrap_or_default(),
            owner: fields.required("owner", owner)?,
            actor: actor(&mut fields, "actor")?,
            at: fields.optional("at", millis)?.unwrap_or_default(),
        },
        _ => Fate::Unknown,
    })
}
