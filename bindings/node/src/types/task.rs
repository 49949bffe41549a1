//! Tasks, records, groups, and what was committed: plain objects, of which JavaScript makes its own.

use napi::{
    Unknown, ValueType,
    bindgen_prelude::{JsObjectValue as _, Object},
};
use napi_derive::napi;
use tenure::{OwnerId, TaskId};

use super::{Bytes, blob, cast, given, id, millis, noun, number, signed, text, whole};
use crate::error::wrong_type;

/// A piece of work.
#[napi(object, object_from_js = false)]
pub struct TaskFields {
    /// The present id.
    pub id: f64,
    /// The id of the add that began it.
    pub origin: f64,
    /// The group that it belongs to.
    pub group: String,
    /// Unique within the group among live tasks.
    pub key: Option<String>,
    /// When it can be claimed; while it is held, when the lease ends.
    pub available_at: f64,
    /// When the add that began it was committed.
    pub added_at: f64,
    /// Who claimed it last, 0 for nobody or since it was released.
    pub owner: f64,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often its claimant said that it failed.
    pub failures: u32,
    /// The text of the last failure.
    pub error: Option<String>,
    /// The work itself.
    pub data: Bytes,
}

impl From<tenure::Task> for TaskFields {
    fn from(task: tenure::Task) -> Self {
        Self {
            id: number(task.id.0),
            origin: number(task.origin.0),
            group: task.group.to_string(),
            key: task.key.as_deref().map(Into::into),
            available_at: number(task.available_at),
            added_at: number(task.added_at),
            owner: number(task.owner.0),
            attempt: task.attempt,
            failures: task.failures,
            error: task.error.as_deref().map(Into::into),
            data: Bytes(task.data),
        }
    }
}

/// Reads a task that was made of these.
pub fn whole_task(place: &str, value: &Unknown<'_>) -> napi::Result<tenure::Task> {
    if value.get_type()? != ValueType::Object {
        return Err(wrong_type(format!("{place}: give a task, not {}", noun(value))));
    }
    let task: Object<'_> = cast(value)?;
    let at = |name: &str| format!("{place}.{name}");
    let field = |name: &str| task.get_named_property_unchecked::<Unknown<'_>>(name);
    let count = |name: &str| -> napi::Result<u32> {
        Ok(u32::try_from(whole(&at(name), &field(name)?, u64::from(u32::MAX))?).unwrap_or_default())
    };
    let label = |name: &str| given(field(name)?)?.map(|given| text(&at(name), &given)).transpose();
    Ok(tenure::Task {
        id: TaskId(id(&at("id"), &field("id")?)?),
        origin: TaskId(id(&at("origin"), &field("origin")?)?),
        group: text(&at("group"), &field("group")?)?.into(),
        key: label("key")?.map(Into::into),
        available_at: millis(&at("availableAt"), &field("availableAt")?)?,
        added_at: millis(&at("addedAt"), &field("addedAt")?)?,
        owner: OwnerId(id(&at("owner"), &field("owner")?)?),
        attempt: count("attempt")?,
        failures: count("failures")?,
        error: label("error")?.map(Into::into),
        data: blob(&at("data"), &field("data")?)?,
    })
}

/// A keyed value with the revision that last wrote it.
#[napi(object, object_from_js = false)]
pub struct RecordFields {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Bytes,
    /// The revision that last wrote it.
    pub revision: f64,
    /// From when it is hidden, if ever.
    pub expires_at: Option<f64>,
}

impl From<tenure::Record> for RecordFields {
    fn from(record: tenure::Record) -> Self {
        Self {
            table: record.table.to_string(),
            key: record.key.to_string(),
            value: Bytes(record.value),
            revision: number(record.revision.0),
            expires_at: record.expires_at.map(number),
        }
    }
}

/// What is known of a group at one moment.
#[napi(object, object_from_js = false)]
pub struct GroupFields {
    /// The group's name.
    pub name: String,
    /// All its tasks.
    pub tasks: f64,
    /// Those that anyone may claim.
    pub available: f64,
    /// Those whose time is still to come.
    pub delayed: f64,
    /// Those that somebody holds.
    pub held: f64,
    /// Since when the oldest of the available ones waits.
    pub oldest: Option<f64>,
    /// Whether claims skip it.
    pub paused: bool,
}

impl From<tenure::GroupStats> for GroupFields {
    fn from(group: tenure::GroupStats) -> Self {
        Self {
            name: group.name,
            tasks: number(group.tasks),
            available: number(group.available),
            delayed: number(group.delayed),
            held: number(group.held),
            oldest: group.oldest.map(number),
            paused: group.paused,
        }
    }
}

/// What a transaction answers.
#[napi(object, object_from_js = false)]
pub struct CommittedFields {
    /// The revision that it became.
    pub revision: f64,
    /// The new tasks: adds first, then updates, in the order asked.
    pub tasks: Vec<TaskFields>,
    /// The numbers that the increments left, in the order asked.
    pub counts: Vec<f64>,
    /// Whether this is the first outcome of an earlier request with the same id.
    pub repeated: bool,
}

impl From<tenure::Committed> for CommittedFields {
    fn from(committed: tenure::Committed) -> Self {
        Self {
            revision: number(committed.revision.0),
            tasks: committed.tasks.into_iter().map(Into::into).collect(),
            counts: committed.counts.into_iter().map(signed).collect(),
            repeated: committed.repeated,
        }
    }
}
