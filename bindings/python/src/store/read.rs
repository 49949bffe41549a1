//! Tasks and groups as they are.

use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};
use tenure::{Filter, TaskId, TaskState};

use super::Store;
use crate::{
    error::Raised as _,
    types::{GroupStats, Task, Text, choice, number},
};

const STATES: [(&str, Option<TaskState>); 4] = [
    ("all", None),
    (TaskState::Available.slug(), Some(TaskState::Available)),
    (TaskState::Delayed.slug(), Some(TaskState::Delayed)),
    (TaskState::Held.slug(), Some(TaskState::Held)),
];

#[pymethods]
impl Store {
    /// The live task that an add began, under whatever id it has by now.
    fn find(&self, py: Python<'_>, #[pyo3(from_py_with = number)] origin: u64) -> PyResult<Option<Task>> {
        Ok(py.detach(|| self.store().find(origin)).raised(py)?.map(Task))
    }

    /// The live task of a group that has this key.
    fn by_key(&self, py: Python<'_>, group: Text, key: Text) -> PyResult<Option<Task>> {
        Ok(py.detach(|| self.store().by_key(&group.0, &key.0)).raised(py)?.map(Task))
    }

    /// The task with this id, while it is the present one.
    fn task(&self, py: Python<'_>, #[pyo3(from_py_with = number)] id: u64) -> PyResult<Option<Task>> {
        Ok(py.detach(|| self.store().task(id)).raised(py)?.map(Task))
    }

    /// The tasks with these ids, in that order, `None` for those that are not there; or, without ids, a page of the tasks of
    /// a group in a state (`all`, `available`, `delayed`, `held`) whose ids come after `after`.
    #[pyo3(signature = (ids=None, *, group=None, state="all", limit=1000, after=0))]
    fn tasks<'py>(
        &self,
        py: Python<'py>,
        ids: Option<Vec<u64>>,
        group: Option<Text>,
        state: &str,
        #[pyo3(from_py_with = number)] limit: usize,
        #[pyo3(from_py_with = number)] after: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let state = choice(py, "state", state, &STATES)?;
        let tasks: Vec<Option<tenure::Task>> = match ids {
            Some(ids) => {
                let ids: Vec<TaskId> = ids.into_iter().map(TaskId).collect();
                py.detach(|| self.store().tasks_by_id(&ids)).raised(py)?
            }
            None => {
                let filter = Filter { group: group.map(|group| group.0), state, after: TaskId(after), limit };
                py.detach(|| self.store().tasks(&filter)).raised(py)?.into_iter().map(Some).collect()
            }
        };
        PyList::new(py, tasks.into_iter().map(|task| task.map(Task)))
    }

    /// Every group that has tasks, by its name.
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let groups = py.detach(|| self.store().groups()).raised(py)?;
        let dict = PyDict::new(py);
        for group in groups {
            dict.set_item(group.name.clone(), GroupStats(group))?;
        }
        Ok(dict)
    }

    /// One group; zeros where it has no tasks.
    fn group(&self, py: Python<'_>, name: Text) -> PyResult<GroupStats> {
        py.detach(|| self.store().group(&name.0)).map(GroupStats).raised(py)
    }
}
