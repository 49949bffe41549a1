//! Reading a request.

use super::{
    fields::{Fields, millis, owner, signed, string, task_id, whole},
    node::{self, Node},
    place::Place,
};
use crate::{
    entry::Reason,
    error::Result,
    id::{MAX_ID, Revision, TaskId},
    request::{Add, Delete, Depend, Guard, IfExists, Increment, Put, Remove, Request, Update, Verb},
};

/// Reads a request. What is wrong with it is `Invalid`, with the place in the message; whether its names and sizes
/// are within the store's limits is judged when it is staged.
pub fn read_request(text: &[u8]) -> Result<Request> {
    let place = &Place::Whole("the request");
    let node = node::read(text, "the request")?;
    let mut fields = Fields::read(
        place,
        node,
        &[
            "owner",
            "request_id",
            "adds",
            "updates",
            "deletes",
            "depends",
            "puts",
            "removes",
            "increments",
            "guards",
            "depends_only",
        ],
    )?;
    Ok(Request {
        owner: fields.optional("owner", owner)?.unwrap_or_default(),
        actor: None,
        sent_after: None,
        request_id: fields.optional("request_id", string)?,
        adds: fields.list("adds", add)?,
        updates: fields.list("updates", update)?,
        deletes: fields.list("deletes", delete)?,
        depends: fields.list("depends", depend)?,
        puts: fields.list("puts", put)?,
        removes: fields.list("removes", remove)?,
        increments: fields.list("increments", increment)?,
        guards: fields.list("guards", guard)?,
        depends_only: fields.flag("depends_only")?,
    })
}

fn add(place: &Place<'_>, node: Node<'_>) -> Result<Add> {
    let mut fields =
        Fields::read(place, node, &["group", "data", "data_base64", "delay", "available_at", "key", "if_exists"])?;
    Ok(Add {
        group: fields.required("group", string)?,
        data: fields.bytes("data", "data_base64")?.unwrap_or_default(),
        available: fields.when()?.unwrap_or_default(),
        key: fields.optional("key", string)?,
        if_exists: fields.choice(
            "if_exists",
            &[("refuse", IfExists::Refuse), ("keep", IfExists::Keep), ("replace", IfExists::Replace)],
        )?,
    })
}

fn update(place: &Place<'_>, node: Node<'_>) -> Result<Update> {
    let mut fields = Fields::read(
        place,
        node,
        &["id", "origin", "verb", "data", "data_base64", "group", "delay", "available_at", "error", "force"],
    )?;
    Ok(Update {
        id: fields.required("id", task_id)?,
        origin: fields.optional("origin", task_id)?,
        verb: fields.choice(
            "verb",
            &[
                ("update", Verb::Update),
                ("renew", Verb::Renew),
                ("release", Verb::Release),
                ("fail", Verb::Fail),
                ("requeue", Verb::Requeue),
            ],
        )?,
        data: fields.bytes("data", "data_base64")?,
        group: fields.optional("group", string)?,
        available: fields.when()?,
        error: fields.optional("error", string)?,
        force: fields.flag("force")?,
    })
}

/// Reads an id that stands where an object may stand too.
fn bare_id(place: &Place<'_>, node: Node<'_>) -> Result<TaskId> {
    if matches!(node, Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_)) {
        return Err(place.expected("an id or an object", &node));
    }
    task_id(place, node)
}

fn delete(place: &Place<'_>, node: Node<'_>) -> Result<Delete> {
    if !matches!(node, Node::Map(_)) {
        return Ok(Delete { id: bare_id(place, node)?, ..Delete::default() });
    }
    let mut fields = Fields::read(place, node, &["id", "origin", "reason", "force"])?;
    // `replaced` is not offered: only the store itself ends a task for that reason.
    let reasons = [Reason::Deleted, Reason::Finished, Reason::Failed, Reason::Cancelled, Reason::Moved];
    Ok(Delete {
        id: fields.required("id", task_id)?,
        origin: fields.optional("origin", task_id)?,
        reason: fields.choice("reason", &reasons.map(|reason| (reason.slug(), reason)))?,
        force: fields.flag("force")?,
    })
}

/// Reads what must exist; claims have it too.
pub(super) fn depend(place: &Place<'_>, node: Node<'_>) -> Result<Depend> {
    if !matches!(node, Node::Map(_)) {
        return bare_id(place, node).map(Depend::Id);
    }
    let mut fields = Fields::read(place, node, &["id", "origin"])?;
    fields
        .either(
            ("id", "origin"),
            |place, node| task_id(place, node).map(Depend::Id),
            |place, node| task_id(place, node).map(Depend::Origin),
        )?
        .ok_or_else(|| place.refuse("give `id` or `origin`"))
}

fn revision(place: &Place<'_>, node: Node<'_>) -> Result<Revision> {
    whole(place, node, MAX_ID).map(Revision)
}

fn put(place: &Place<'_>, node: Node<'_>) -> Result<Put> {
    let mut fields = Fields::read(place, node, &["table", "key", "value", "value_base64", "expect", "expires_at"])?;
    Ok(Put {
        table: fields.required("table", string)?,
        key: fields.required("key", string)?,
        value: fields.bytes("value", "value_base64")?.ok_or_else(|| place.refuse("give `value` or `value_base64`"))?,
        expect: fields.optional("expect", revision)?,
        expires_at: fields.optional("expires_at", millis)?.filter(|at| *at != 0),
    })
}

fn remove(place: &Place<'_>, node: Node<'_>) -> Result<Remove> {
    let mut fields = Fields::read(place, node, &["table", "key", "expect"])?;
    Ok(Remove {
        table: fields.required("table", string)?,
        key: fields.required("key", string)?,
        expect: fields.optional("expect", revision)?,
    })
}

fn increment(place: &Place<'_>, node: Node<'_>) -> Result<Increment> {
    let mut fields = Fields::read(place, node, &["table", "key", "by", "min", "max"])?;
    Ok(Increment {
        table: fields.required("table", string)?,
        key: fields.required("key", string)?,
        by: fields.required("by", signed)?,
        min: fields.optional("min", signed)?,
        max: fields.optional("max", signed)?,
    })
}

fn guard(place: &Place<'_>, node: Node<'_>) -> Result<Guard> {
    let mut fields = Fields::read(place, node, &["table", "key", "expect"])?;
    Ok(Guard {
        table: fields.required("table", string)?,
        key: fields.required("key", string)?,
        expect: fields.required("expect", revision)?,
    })
}
