//! Reading what a store answers, as it was written by [`text`](super::text). A field that is not known is passed over: a
//! newer program may have written it.

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};

use super::{
    fields::{Fields, Unknown, items, millis, owner, signed, string, task_id, text, whole},
    node::{self, Node},
    place::Place,
};
use crate::{
    data::Data,
    error::Result,
    id::{MAX_ID, Revision, TaskId},
    record::Record,
    request::Committed,
    task::{GroupStats, Task},
};

/// Tasks, and where the next page begins if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TaskPage {
    /// The tasks of this page.
    pub tasks: Vec<Task>,
    /// The id behind which the next page begins.
    pub next: Option<TaskId>,
}

fn shared(place: &Place<'_>, node: Node<'_>) -> Result<Arc<str>> {
    text(place, node).map(Arc::from)
}

pub(super) fn revision(place: &Place<'_>, node: Node<'_>) -> Result<Revision> {
    whole(place, node, MAX_ID).map(Revision)
}

fn count(place: &Place<'_>, node: Node<'_>) -> Result<u64> {
    whole(place, node, MAX_ID)
}

fn small(place: &Place<'_>, node: Node<'_>) -> Result<u32> {
    whole(place, node, u32::MAX.into()).map(|number| number as u32)
}

/// Bytes that stand as text or as base64, or not at all.
fn bytes(fields: &mut Fields<'_, '_>, plain: &'static str, coded: &'static str) -> Result<Data> {
    fields.bytes(plain, coded).map(Option::unwrap_or_default)
}

fn task(place: &Place<'_>, node: Node<'_>) -> Result<Task> {
    let known = &[
        "id",
        "origin",
        "group",
        "key",
        "available_at",
        "added_at",
        "owner",
        "attempt",
        "failures",
        "error",
        "data",
        "data_base64",
    ];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    Ok(Task {
        id: fields.required("id", task_id)?,
        // A task of a repeated outcome that has changed since: nothing else is known of it.
        origin: fields.optional("origin", task_id)?.unwrap_or_default(),
        group: fields.optional("group", shared)?.unwrap_or_default(),
        key: fields.optional("key", shared)?,
        available_at: fields.optional("available_at", millis)?.unwrap_or_default(),
        added_at: fields.optional("added_at", millis)?.unwrap_or_default(),
        owner: fields.optional("owner", owner)?.unwrap_or_default(),
        attempt: fields.optional("attempt", small)?.unwrap_or_default(),
        failures: fields.optional("failures", small)?.unwrap_or_default(),
        error: fields.optional("error", shared)?,
        data: bytes(&mut fields, "data", "data_base64")?,
    })
}

fn maybe_task(place: &Place<'_>, node: Node<'_>) -> Result<Option<Task>> {
    if node == Node::Null { Ok(None) } else { task(place, node).map(Some) }
}

fn record(place: &Place<'_>, node: Node<'_>) -> Result<Record> {
    let known = &["table", "key", "value", "value_base64", "revision", "expires_at"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    Ok(Record {
        table: fields.required("table", shared)?,
        key: fields.required("key", shared)?,
        value: bytes(&mut fields, "value", "value_base64")?,
        revision: fields.required("revision", revision)?,
        expires_at: fields.optional("expires_at", millis)?,
    })
}

fn group(place: &Place<'_>, node: Node<'_>) -> Result<GroupStats> {
    let known = &["name", "tasks", "available", "delayed", "held", "oldest", "paused"];
    let mut fields = Fields::read_with(place, node, known, Unknown::Pass)?;
    Ok(GroupStats {
        name: fields.required("name", string)?,
        tasks: fields.required("tasks", count)?,
        available: fields.required("available", count)?,
        delayed: fields.required("delayed", count)?,
        held: fields.required("held", count)?,
        oldest: fields.optional("oldest", millis)?,
        paused: fields.flag("paused")?,
    })
}

/// Reads a list that stands under a name, and what stands beside it.
fn listed<T>(
    bytes: &[u8],
    what: &'static str,
    known: &'static [&'static str],
    read: impl Fn(&Place<'_>, Node<'_>) -> Result<T>,
) -> Result<(Vec<T>, Option<String>)> {
    let place = Place::Whole(what);
    let mut fields = Fields::read_with(&place, node::read(bytes, what)?, known, Unknown::Pass)?;
    let list = fields.required(known[0], |place, node| items(place, node, read))?;
    let next = if known.len() > 1 { fields.optional(known[1], |_, node| Ok(word(node)))? } else { None };
    Ok((list, next.map(Cow::into_owned)))
}

/// A cursor, whatever its type.
fn word(node: Node<'_>) -> Cow<'_, str> {
    match node {
        Node::Text(text) => text,
        Node::Whole(number) => Cow::Owned(alloc::format!("{number}")),
        _ => Cow::Borrowed(""),
    }
}

/// Reads what a transaction or a claim answered.
pub fn read_committed(bytes: &[u8]) -> Result<Committed> {
    let place = Place::Whole("the answer");
    let known = &["revision", "tasks", "counts", "repeated"];
    let mut fields = Fields::read_with(&place, node::read(bytes, "the answer")?, known, Unknown::Pass)?;
    Ok(Committed {
        revision: fields.required("revision", revision)?,
        tasks: fields.required("tasks", |place, node| items(place, node, task))?,
        counts: fields.list("counts", signed)?,
        repeated: fields.flag("repeated")?,
    })
}

/// Reads one task.
pub fn read_task(bytes: &[u8]) -> Result<Task> {
    task(&Place::Whole("the task"), node::read(bytes, "the task")?)
}

/// Reads a list of tasks, and where its next page begins.
pub fn read_tasks(bytes: &[u8]) -> Result<TaskPage> {
    let (tasks, next) = listed(bytes, "the tasks", &["tasks", "next"], task)?;
    Ok(TaskPage { tasks, next: next.and_then(|next| next.parse().ok()).map(TaskId) })
}

/// Reads tasks of which some may be missing, in the order asked.
pub fn read_task_list(bytes: &[u8]) -> Result<Vec<Option<Task>>> {
    listed(bytes, "the tasks", &["tasks"], maybe_task).map(|(tasks, _)| tasks)
}

/// Reads one record.
pub fn read_record(bytes: &[u8]) -> Result<Record> {
    record(&Place::Whole("the record"), node::read(bytes, "the record")?)
}

/// Reads a list of records.
pub fn read_records(bytes: &[u8]) -> Result<Vec<Record>> {
    listed(bytes, "the records", &["records"], record).map(|(records, _)| records)
}

/// Reads one group.
pub fn read_group(bytes: &[u8]) -> Result<GroupStats> {
    group(&Place::Whole("the group"), node::read(bytes, "the group")?)
}

/// Reads a list of groups.
pub fn read_groups(bytes: &[u8]) -> Result<Vec<GroupStats>> {
    listed(bytes, "the groups", &["groups"], group).map(|(groups, _)| groups)
}
