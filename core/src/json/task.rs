//! Writing tasks, and reading back what names one.

use alloc::{vec, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    Listed, Spelled,
    fields::{Fields, Unknown, items, owner, task_id},
    node::{self, Node},
    place::Place,
    write_bytes,
};
use crate::{
    error::Result,
    id::{OwnerId, TaskId},
    task::Task,
};

/// What a verb needs of a task that was printed before: enough to name it, and to prove who holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskRef {
    /// The id.
    pub id: TaskId,
    /// Who claimed it, 0 for nobody.
    pub owner: OwnerId,
    /// The id of the add that began it, where the text has it.
    pub origin: Option<TaskId>,
}

/// Reads a task as it was written, or a `{"tasks":[…]}` of them. Fields that it does not need may be anything: a
/// newer program may have written the line.
pub fn read_task_refs(text: &[u8]) -> Result<Vec<TaskRef>> {
    let node = node::read(text, "the task")?;
    let listed = matches!(&node, Node::Map(entries) if entries.iter().any(|(name, _)| name == "tasks"));
    if !listed {
        return Ok(vec![task_ref(&Place::Whole("the task"), node)?]);
    }
    let place = Place::Whole("the tasks");
    let mut fields = Fields::read_with(&place, node, &["tasks"], Unknown::Pass)?;
    fields.required("tasks", |place, node| items(place, node, task_ref))
}

fn task_ref(place: &Place<'_>, node: Node<'_>) -> Result<TaskRef> {
    let mut fields = Fields::read_with(place, node, &["id", "owner", "origin"], Unknown::Pass)?;
    Ok(TaskRef {
        id: fields.required("id", task_id)?,
        owner: fields.optional("owner", owner)?.unwrap_or_default(),
        origin: fields.optional("origin", task_id)?,
    })
}

impl Serialize for Spelled<'_, Task> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let task = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &task.id)?;
        // A repeated outcome names tasks that have changed since by the id that they had; no more is known of them.
        if task.origin.0 == 0 {
            return map.end();
        }
        map.serialize_entry("origin", &task.origin)?;
        map.serialize_entry("group", &*task.group)?;
        if let Some(key) = &task.key {
            map.serialize_entry("key", &**key)?;
        }
        map.serialize_entry("available_at", &task.available_at)?;
        map.serialize_entry("added_at", &task.added_at)?;
        map.serialize_entry("owner", &task.owner)?;
        map.serialize_entry("attempt", &task.attempt)?;
        map.serialize_entry("failures", &task.failures)?;
        if let Some(error) = &task.error {
            map.serialize_entry("error", &**error)?;
        }
        write_bytes(&mut map, "data", "data_base64", &task.data)?;
        map.end()
    }
}

impl Serialize for Spelled<'_, [Task]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("tasks", &Listed(self.0))?;
        map.end()
    }
}
