//! The parts of a request, as dicts say them.

use pyo3::prelude::*;
use tenure::{
    Add, Delete, Depend, Guard, IfExists, Increment, OwnerId, Put, Reason, Remove, Revision, TaskId, TaskName, Update,
    Verb,
};

use super::{Fields, Seconds, Task, Text};

/// `if_exists`, by its names.
pub const IF_EXISTS: [(&str, IfExists); 3] =
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

fn each<'py, T>(
    name: &str,
    items: &Bound<'py, PyAny>,
    read: impl Fn(&str, &Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    items.try_iter()?.enumerate().map(|(i, item)| read(&format!("{name}[{i}]"), &item?)).collect()
}

/// New tasks.
pub fn adds(items: &Bound<'_, PyAny>) -> PyResult<Vec<Add>> {
    each("adds", items, |place, item| {
        let known = ["group", "data", "json", "delay", "available_at", "key", "if_exists"];
        let fields = Fields::read(place, item, &known)?;
        Ok(Add {
            group: fields.required::<Text>("group")?.0,
            data: fields.data()?.unwrap_or_default(),
            available: fields.when()?.unwrap_or_default(),
            key: fields.optional::<Text>("key")?.map(|key| key.0),
            if_exists: fields.choice("if_exists", &IF_EXISTS)?,
        })
    })
}

/// A task, or its id: what names it, and in whose name it is asked.
fn named(fields: &Fields<'_, '_>) -> PyResult<TaskName> {
    if let Some(task) = fields.optional::<PyTask>("task")? {
        return Ok(task.0);
    }
    let id = TaskId(fields.required("id")?);
    Ok(TaskName { origin: fields.optional("origin")?.map(TaskId), ..id.into() })
}

/// What a task says of itself.
struct PyTask(TaskName);

impl<'py> FromPyObject<'_, 'py> for PyTask {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self((&given.cast::<Task>()?.get().0).into()))
    }
}

/// Changed tasks, and the owner that the last of them names.
pub fn updates(items: &Bound<'_, PyAny>, owner: &mut OwnerId) -> PyResult<Vec<Update>> {
    let known =
        ["task", "id", "origin", "verb", "data", "json", "group", "delay", "available_at", "lease", "error", "force"];
    let updates = each("updates", items, |place, item| {
        let fields = Fields::read(place, item, &known)?;
        let TaskName { id, origin, owner } = named(&fields)?;
        let lease = fields.optional::<Seconds>("lease")?.map(|lease| tenure::When::After(lease.0));
        let update = Update {
            id,
            origin,
            verb: fields.choice("verb", &VERBS)?,
            data: fields.data()?,
            group: fields.optional::<Text>("group")?.map(|group| group.0),
            available: fields.when()?.or(lease),
            error: fields.optional::<Text>("error")?.map(|error| error.0),
            force: fields.flag("force")?,
        };
        Ok((update, owner))
    })?;
    Ok(owned(updates, owner))
}

fn owned<T>(items: Vec<(T, OwnerId)>, owner: &mut OwnerId) -> Vec<T> {
    let mut values = Vec::with_capacity(items.len());
    for (value, by) in items {
        values.push(value);
        if by.0 != 0 {
            *owner = by;
        }
    }
    values
}

/// Ended tasks, and the owner that the last of them names.
pub fn deletes(items: &Bound<'_, PyAny>, owner: &mut OwnerId) -> PyResult<Vec<Delete>> {
    let deletes = each("deletes", items, |place, item| {
        if let Ok(PyTask(TaskName { id, origin, owner })) = item.extract::<PyTask>() {
            return Ok((Delete { id, origin, ..Delete::default() }, owner));
        }
        if let Ok(id) = item.extract::<u64>() {
            return Ok((Delete { id: TaskId(id), ..Delete::default() }, OwnerId(0)));
        }
        let fields = Fields::read(place, item, &["task", "id", "origin", "reason", "force"])?;
        let TaskName { id, origin, owner } = named(&fields)?;
        let reason = fields.choice("reason", &REASONS)?;
        Ok((Delete { id, origin, reason, force: fields.flag("force")? }, owner))
    })?;
    Ok(owned(deletes, owner))
}

/// Tasks that must exist: a task or an id, or a dict with `id` or `origin`.
pub fn depends(items: &Bound<'_, PyAny>) -> PyResult<Vec<Depend>> {
    each("depends", items, depend)
}

/// One task that must exist.
pub fn depend(place: &str, item: &Bound<'_, PyAny>) -> PyResult<Depend> {
    if let Ok(task) = item.cast::<Task>() {
        return Ok(Depend::Id(task.get().0.id));
    }
    if let Ok(id) = item.extract::<u64>() {
        return Ok(Depend::Id(TaskId(id)));
    }
    let fields = Fields::read(place, item, &["id", "origin"])?;
    match (fields.optional::<u64>("id")?, fields.optional::<u64>("origin")?) {
        (Some(id), None) => Ok(Depend::Id(TaskId(id))),
        (None, Some(origin)) => Ok(Depend::Origin(TaskId(origin))),
        _ => Err(crate::error::invalid(item.py(), format!("{place}: give `id` or `origin`"))),
    }
}

/// Records to write.
pub fn puts(items: &Bound<'_, PyAny>) -> PyResult<Vec<Put>> {
    each("puts", items, |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "value", "expect", "expires_at"])?;
        Ok(Put {
            table: fields.required::<Text>("table")?.0,
            key: fields.required::<Text>("key")?.0,
            value: fields.required::<super::Blob>("value")?.0,
            expect: fields.optional("expect")?.map(Revision),
            expires_at: fields.optional::<Seconds>("expires_at")?.map(|at| at.0).filter(|at| *at != 0),
        })
    })
}

/// Records to remove: a pair of table and key, or a dict.
pub fn removes(items: &Bound<'_, PyAny>) -> PyResult<Vec<Remove>> {
    each("removes", items, |place, item| {
        if let Ok((table, key)) = item.extract::<(String, String)>() {
            return Ok(Remove { table, key, expect: None });
        }
        let fields = Fields::read(place, item, &["table", "key", "expect"])?;
        Ok(Remove {
            table: fields.required::<Text>("table")?.0,
            key: fields.required::<Text>("key")?.0,
            expect: fields.optional("expect")?.map(Revision),
        })
    })
}

/// Numbers to add to.
pub fn increments(items: &Bound<'_, PyAny>) -> PyResult<Vec<Increment>> {
    each("increments", items, |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "by", "min", "max"])?;
        Ok(Increment {
            table: fields.required::<Text>("table")?.0,
            key: fields.required::<Text>("key")?.0,
            by: fields.optional("by")?.unwrap_or(1),
            min: fields.optional("min")?,
            max: fields.optional("max")?,
        })
    })
}

/// Records that must not have changed.
pub fn guards(items: &Bound<'_, PyAny>) -> PyResult<Vec<Guard>> {
    each("guards", items, |place, item| {
        let fields = Fields::read(place, item, &["table", "key", "expect"])?;
        Ok(Guard {
            table: fields.required::<Text>("table")?.0,
            key: fields.required::<Text>("key")?.0,
            expect: Revision(fields.required("expect")?),
        })
    })
}
