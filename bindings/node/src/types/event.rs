//! What a watch tells.

use napi_derive::napi;
use tenure::core::engine;

use super::number;

/// One committed entry, by whichever handle.
#[napi(object, object_from_js = false)]
pub struct EventFields {
    /// Its revision.
    pub revision: f64,
    /// When it was committed, by the clock of the handle that did.
    pub at: f64,
    /// Who asked.
    pub owner: f64,
    /// The label of who did it.
    pub actor: String,
    /// The request id that it was asked under.
    pub request_id: Option<String>,
    /// What changed.
    pub changes: Vec<ChangeFields>,
}

/// One thing that an entry changed.
#[napi(object, object_from_js = false)]
pub struct ChangeFields {
    /// `added`, `replaced`, `changed`, `removed`, `put` or `record_removed`.
    pub kind: &'static str,
    /// The task's new id, 0 for a record or a task that is gone.
    pub id: f64,
    /// The task's id until now, 0 for a new one.
    pub old: f64,
    /// The task's group, empty where the entry does not say it, or the record's table.
    pub place: String,
    /// The task's or the record's key.
    pub key: Option<String>,
    /// Why a task is gone.
    pub reason: Option<&'static str>,
    /// Who claimed the task, 0 for nobody.
    pub owner: f64,
    /// When the task can be claimed, or until when it is held.
    pub available_at: f64,
}

impl From<&engine::Event> for EventFields {
    fn from(event: &engine::Event) -> Self {
        let change = |change: &engine::Change| ChangeFields {
            kind: change.kind.slug(),
            id: number(change.id.0),
            old: number(change.old.0),
            place: change.place.to_string(),
            key: change.key.as_deref().map(Into::into),
            reason: change.reason.map(tenure::Reason::slug),
            owner: number(change.owner.0),
            available_at: number(change.available_at),
        };
        Self {
            revision: number(event.revision.0),
            at: number(event.at),
            owner: number(event.owner.0),
            actor: event.actor.to_string(),
            request_id: event.request_id.as_deref().map(Into::into),
            changes: event.changes.iter().map(change).collect(),
        }
    }
}
