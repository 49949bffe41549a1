//! Tasks and groups as they are.

use napi::Unknown;
use napi_derive::napi;
use tenure::{Filter, TaskId, TaskState};

use super::Store;
use crate::types::{Answer, Fields, choice, count, id, items, text};

const STATES: [(&str, Option<TaskState>); 4] = [
    ("all", None),
    (TaskState::Available.slug(), Some(TaskState::Available)),
    (TaskState::Delayed.slug(), Some(TaskState::Delayed)),
    (TaskState::Held.slug(), Some(TaskState::Held)),
];

#[napi]
impl Store {
    /// The live task that an add began, under whatever id it has by now.
    #[napi]
    pub fn find(&self, ticket: u32, origin: Unknown<'_>) -> napi::Result<()> {
        let origin = id("origin", &origin)?;
        self.ask(ticket, move |store| store.find(origin).map(Answer::Task));
        Ok(())
    }

    /// The live task of a group that has this key.
    #[napi]
    pub fn by_key(&self, ticket: u32, group: Unknown<'_>, key: Unknown<'_>) -> napi::Result<()> {
        let (group, key) = (text("group", &group)?, text("key", &key)?);
        self.ask(ticket, move |store| store.by_key(&group, &key).map(Answer::Task));
        Ok(())
    }

    /// The task with this id, while it is the present one.
    #[napi]
    pub fn task(&self, ticket: u32, task: Unknown<'_>) -> napi::Result<()> {
        let id = id("id", &task)?;
        self.ask(ticket, move |store| store.task(id).map(Answer::Task));
        Ok(())
    }

    /// The tasks with these ids, in that order.
    #[napi]
    pub fn tasks_by_id(&self, ticket: u32, ids: Unknown<'_>) -> napi::Result<()> {
        let ids = items("ids", &ids)?;
        let ids: Vec<TaskId> = ids
            .iter()
            .enumerate()
            .map(|(i, given)| id(&format!("ids[{i}]"), given).map(TaskId))
            .collect::<napi::Result<_>>()?;
        self.ask(ticket, move |store| store.tasks_by_id(&ids).map(Answer::Tasks));
        Ok(())
    }

    /// A page of the tasks of a group in a state.
    #[napi]
    pub fn tasks(&self, ticket: u32, options: Unknown<'_>) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["group", "state", "limit", "after"])?;
        let state = fields.text("state")?;
        let filter = Filter {
            group: fields.text("group")?,
            state: state.map_or(Ok(None), |state| choice("options.state", &state, &STATES))?,
            after: TaskId(fields.id("after")?.unwrap_or_default()),
            limit: fields.optional("limit", count)?.unwrap_or(1000),
        };
        self.ask(ticket, move |store| store.tasks(&filter).map(Answer::all));
        Ok(())
    }

    /// Every group that has tasks.
    #[napi]
    pub fn groups(&self, ticket: u32) {
        self.ask(ticket, |store| store.groups().map(Answer::Groups));
    }

    /// One group; zeros where it has no tasks.
    #[napi]
    pub fn group(&self, ticket: u32, name: Unknown<'_>) -> napi::Result<()> {
        let name = text("name", &name)?;
        self.ask(ticket, move |store| store.group(&name).map(Answer::Group));
        Ok(())
    }
}
