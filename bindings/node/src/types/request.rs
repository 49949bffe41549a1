//! The parts of a request, as objects say them.

use napi::{
    JsValue as _, Unknown, ValueType,
    bindgen_prelude::{JsObjectValue as _, Object},
};
use tenure::{
    Add, Delete, Depend, Guard, IfExists, Increment, OwnerId, Put, Reason, Remove, Request, Revision, TaskId, TaskName,
    Update, Verb,
};

use super::{Fields, blob, cast, given, id, integer, items, noun, text};
use crate::error::{invalid, wrong_type};

/// `ifExists`, by its names.
const IF_EXISTS: [(&str, IfExists); 3] =
    [("refuse", IfExists::Refuse), ("keep", IfExists::Keep), ("replace", IfExists::Replace)];

/// Why a task ends, by its names.
pub const REASONS: [(&str, Reason); 5] = [
    (Reason::Deleted.slug(), Reason::Deleted),
    (Reason::Finished.slug(), Reason::Finished),
    (Reason::Failed.slug(), Reason::Failed),
    (Reason::Cancelled.slug(), Reason::Cancelled),
    (Reason::Moved.slug(), Reason::Moved),
];

const VERBS: [(&str, Verb); 5] = [
    ("update", Verb::Update),
    ("renew", Verb::Renew),
    ("release", Verb::Release),
    ("fail", Verb::Fail),
    ("requeue", Verb::Requeue),
];

/// A task or its id: what names it, and in whose name it is asked.
pub fn task_name(place: &str, value: &Unknown<'_>) -> napi::Result<TaskName> {
    match value.get_type()? {
        ValueType::Number => Ok(TaskId(id(place, value)?).into()),
        ValueType::Object if !value.is_array()? => {
            let task: Object<'_> = cast(value)?;
            let field = |name: &str| -> napi::Result<Option<u64>> {
                let Some(value) = given(task.get_named_property_unchecked::<Unknown<'_>>(name)?)? else {
                    return Ok(None);
                };
                id(&format!("{place}.{name}"), &value).map(Some)
            };
            let Some(id) = field("id")? else {
                return Err(wrong_type(format!("{place}: give a task or its id, not an object without an id")));
            };
            let origin = field("origin")?.filter(|origin| *origin != 0).map(TaskId);
            Ok(TaskName { id: TaskId(id), origin, owner: OwnerId(field("owner")?.unwrap_or_default()) })
        }
        _ => Err(wrong_type(format!("{place}: give a task or its id, not {}", noun(value)))),
    }
}

fn each<'a, T>(
    fields: &Fields<'a>,
    name: &str,
    read: impl Fn(String, Unknown<'a>) -> napi::Result<T>,
) -> napi::Result<Vec<T>> {
    let list = fields.optional(name, |place, value| items(place, value))?.unwrap_or_default();
    list.into_iter().enumerate().map(|(i, item)| read(format!("{name}[{i}]"), item)).collect()
}

/// A new task, but for its group and data where these are given apart.
pub fn add(fields: &Fields<'_>) -> napi::Result<Add> {
    Ok(Add {
        group: fields.text("group")?.unwrap_or_default(),
        data: fields.data()?.unwrap_or_default(),
        available: fields.when()?.unwrap_or_default(),
        key: fields.text("key")?,
        if_exists: fields.choice("ifExists", &IF_EXISTS)?,
    })
}

/// A changed task, but for its name.
pub fn update(fields: &Fields<'_>) -> napi::Result<Update> {
    let lease = fields.millis("lease")?.map(tenure::When::After);
    Ok(Update {
        verb: fields.choice("verb", &VERBS)?,
        data: fields.data()?,
        group: fields.text("group")?,
        available: fields.when()?.or(lease),
        error: fields.text("error")?,
        force: fields.flag("force")?,
        ..Update::default()
    })
}

/// What names a task in an object: `task`, or `id` and perhaps `origin`.
fn named(fields: &Fields<'_>) -> napi::Result<TaskName> {
    if let Some(name) = fields.optional("task", task_name)? {
        return Ok(name);
    }
    let name = TaskName::from(TaskId(fields.required("id", id)?));
    Ok(TaskName { origin: fields.id("origin")?.map(TaskId), ..name })
}

fn delete(place: String, item: Unknown<'_>) -> napi::Result<(Delete, OwnerId)> {
    // A task, or an object that says more: only the latter has none of a task's own fields.
    let whole = match item.get_type()? {
        ValueType::Number => true,
        ValueType::Object => cast::<Object<'_>>(&item)?.has_named_property("attempt")?,
        _ => false,
    };
    if whole {
        let name = task_name(&place, &item)?;
        return Ok((Delete { id: name.id, origin: name.origin, ..Delete::default() }, name.owner));
    }
    let fields = Fields::read(place, item, &["task", "id", "origin", "reason", "force"])?;
    let name = named(&fields)?;
    let reason = fields.choice("reason", &REASONS)?;
    Ok((Delete { id: name.id, origin: name.origin, reason, force: fields.flag("force")? }, name.owner))
}

/// One task that must exist: a task or an id, or an object with `id` or `origin`.
pub fn depend(place: &str, item: Unknown<'_>) -> napi::Result<Depend> {
    let whole = match item.get_type()? {
        ValueType::Number => true,
        ValueType::Object => cast::<Object<'_>>(&item)?.has_named_property("attempt")?,
        _ => false,
    };
    if whole {
        return task_name(place, &item).map(|name| Depend::Id(name.id));
    }
    let fields = Fields::read(place, item, &["id", "origin"])?;
    match (fields.id("id")?, fields.id("origin")?) {
        (Some(id), None) => Ok(Depend::Id(TaskId(id))),
        (None, Some(origin)) => Ok(Depend::Origin(TaskId(origin))),
        _ => Err(invalid(format!("{place}: give `id` or `origin`"))),
    }
}

/// Tasks that must exist.
pub fn depends(fields: &Fields<'_>) -> napi::Result<Vec<Depend>> {
    each(fields, "depends", |place, item| depend(&place, item))
}

fn revision(fields: &Fields<'_>) -> napi::Result<Option<Revision>> {
    Ok(fields.id("expect")?.map(Revision))
}

/// All parts of a request.
pub fn parts(value: Unknown<'_>) -> napi::Result<Request> {
    let known = [
        "adds",
        "updates",
        "deletes",
        "depends",
        "puts",
        "removes",
        "increments",
        "guards",
        "dependsOnly",
        "owner",
        "requestId",
    ];
    let fields = Fields::read("update", value, &known)?;
    let adds = each(&fields, "adds", |place, item| {
        let known = ["group", "data", "json", "delay", "availableAt", "key", "ifExists"];
        let fields = Fields::read(place, item, &known)?;
        fields.required("group", text)?;
        add(&fields)
    })?;
    let updates = each(&fields, "updates", |place, item| {
        let known = [
            "task",
            "id",
            "origin",
            "verb",
            "data",
            "json",
            "group",
            "delay",
            "availableAt",
            "lease",
            "error",
            "force",
        ];
        let fields = Fields::read(place, item, &known)?;
        let name = named(&fields)?;
        Ok((Update { id: name.id, origin: name.origin, ..update(&fields)? }, name.owner))
    })?;
    let deletes = each(&fields, "deletes", delete)?;
    let puts = each(&fields, "puts", |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "value", "expect", "expiresAt"])?;
        Ok(Put {
            table: fields.required("table", text)?,
            key: fields.required("key", text)?,
            value: fields.required("value", blob)?,
            expect: revision(&fields)?,
            expires_at: fields.millis("expiresAt")?.filter(|at| *at != 0),
        })
    })?;
    let removes = each(&fields, "removes", |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "expect"])?;
        let (table, key) = (fields.required("table", text)?, fields.required("key", text)?);
        Ok(Remove { table, key, expect: revision(&fields)? })
    })?;
    let increments = each(&fields, "increments", |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "by", "min", "max"])?;
        Ok(Increment {
            table: fields.required("table", text)?,
            key: fields.required("key", text)?,
            by: fields.optional("by", integer)?.unwrap_or(1),
            min: fields.optional("min", integer)?,
            max: fields.optional("max", integer)?,
        })
    })?;
    let guards = each(&fields, "guards", |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "expect"])?;
        let (table, key) = (fields.required("table", text)?, fields.required("key", text)?);
        Ok(Guard { table, key, expect: Revision(fields.required("expect", id)?) })
    })?;
    let mut owners = updates.iter().map(|(_, owner)| *owner).chain(deletes.iter().map(|(_, owner)| *owner));
    // The owner that the last of them names, unless one is given.
    let named = owners.rfind(|owner| owner.0 != 0).unwrap_or_default();
    Ok(Request {
        owner: fields.id("owner")?.map_or(named, OwnerId),
        actor: None,
        sent_after: None,
        request_id: fields.text("requestId")?,
        adds,
        updates: updates.into_iter().map(|(update, _)| update).collect(),
        deletes: deletes.into_iter().map(|(delete, _)| delete).collect(),
        depends: depends(&fields)?,
        puts,
        removes,
        increments,
        guards,
        depends_only: fields.flag("dependsOnly")?,
    })
}
