//! The verbs on a task.

use pyo3::{prelude::*, types::PyList};
use tenure::{Add, Code, Committed, Error, Request, Update, Verb, When};

use super::{Store, Subject, failure};
use crate::{
    error::Raised as _,
    types::{Blob, Given, IF_EXISTS, Seconds, Task, Text, choice, item, list, payload, when},
};

fn only(committed: tenure::Result<Committed>) -> tenure::Result<Option<tenure::Task>> {
    committed.map(Committed::into_task)
}

/// The one task that a change leaves.
fn one(py: Python<'_>, task: tenure::Result<Option<tenure::Task>>) -> PyResult<Task> {
    let none = || Error::new(Code::Internal, "a change of one task answered with none");
    task.and_then(|task| task.ok_or_else(none)).map(Task).raised(py)
}

#[pymethods]
impl Store {
    /// Adds a task that can be claimed after `delay`, or from `available_at` on.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("mail", json={"to": "ada"}, key="welcome-1")
    /// >>> task.json(), task.attempt
    /// ({'to': 'ada'}, 0)
    /// >>> store.add("mail", "again", key="welcome-1", if_exists="keep") == task
    /// True
    #[pyo3(signature = (
        group, data=None, *, json=Given::Absent, delay=Seconds(0), available_at=None, key=None, if_exists=None,
        request_id=None
    ))]
    #[pyo3(
        text_signature = "($self, group, data=b'', *, json=..., delay=0, available_at=None, key=None, if_exists='refuse', request_id=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn add(
        &self,
        py: Python<'_>,
        group: Text,
        data: Option<Blob>,
        json: Given<'_>,
        delay: Seconds,
        available_at: Option<Seconds>,
        key: Option<Text>,
        if_exists: Option<&str>,
        request_id: Option<Text>,
    ) -> PyResult<Task> {
        let add = Add {
            group: group.0,
            data: payload(py, data, json)?.unwrap_or_default(),
            available: when(py, Some(delay), available_at)?.unwrap_or_default(),
            key: key.map(|key| key.0),
            if_exists: if_exists.map_or(Ok(Default::default()), |given| choice(py, "if_exists", given, &IF_EXISTS))?,
        };
        let request = Request { adds: vec![add], request_id: request_id.map(|id| id.0), ..Request::default() };
        one(py, only(py.detach(|| self.store().update(request))))
    }

    /// Adds tasks of one group, all or none. An item is bytes or str.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> [task.data for task in store.add_many("map", ["part-1", b"part-2"])]
    /// [b'part-1', b'part-2']
    #[pyo3(signature = (group, items, *, delay=Seconds(0), request_id=None))]
    #[pyo3(text_signature = "($self, group, items, *, delay=0, request_id=None)")]
    fn add_many<'py>(
        &self,
        py: Python<'py>,
        group: Text,
        items: &Bound<'py, PyAny>,
        delay: Seconds,
        request_id: Option<Text>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut adds = Vec::with_capacity(items.len().unwrap_or(0));
        let available = when(py, Some(delay), None)?.unwrap_or_default();
        for (i, given) in items.try_iter()?.enumerate() {
            let data = item(i, &given?)?;
            adds.push(Add { group: group.0.clone(), data, available, ..Add::default() });
        }
        if adds.is_empty() {
            return Ok(PyList::empty(py));
        }
        let request = Request { adds, request_id: request_id.map(|id| id.0), ..Request::default() };
        list(py, py.detach(|| self.store().update(request)).raised(py)?.tasks)
    }

    /// A new lease for a task that was claimed.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("mail")
    /// >>> task = store.claim("mail", lease=5)
    /// >>> store.renew(task, lease=60).available_at > task.available_at + 50
    /// True
    #[pyo3(signature = (task, lease=Seconds(60_000)), text_signature = "($self, task, lease=60)")]
    fn renew(&self, py: Python<'_>, task: Subject, lease: Seconds) -> PyResult<Task> {
        let renewed = py.detach(|| match &task {
            Subject::Named(name) => self.store().renew(*name, lease.span()),
            Subject::Held(held) => held.get().held().renew().map(|()| held.get().held().task()),
        });
        renewed.map(Task).raised(py)
    }

    /// Gives a task back, to be claimed after `delay`.
    #[pyo3(signature = (task, *, delay=Seconds(0)), text_signature = "($self, task, *, delay=0)")]
    fn release(&self, py: Python<'_>, task: Subject, delay: Seconds) -> PyResult<Task> {
        let available = Some(When::After(delay.0));
        self.give(py, &task, Update { verb: Verb::Release, available, ..Update::default() })
    }

    /// Ends a task whose work is done.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("mail")
    /// >>> store.finish(task)
    /// >>> store.finish(task)
    /// Traceback (most recent call last):
    /// tenure.Rejected: ...
    fn finish(&self, py: Python<'_>, task: Subject) -> PyResult<()> {
        let finished = py.detach(|| match &task {
            Subject::Named(name) => self.store().finish(*name),
            Subject::Held(held) => held.get().end(|tx, held| tx.finish(held)).map(|_| ()),
        });
        finished.raised(py)
    }

    /// Gives a task back with one more failure, whose text is kept, to be claimed after `delay`; in another group, where one
    /// is given, as for those that have failed too often.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("mail")
    /// >>> task = store.fail(store.claim("mail"), OSError("no route"), group="mail.dead")
    /// >>> task.group, task.failures, task.error
    /// ('mail.dead', 1, 'OSError: no route')
    #[pyo3(signature = (task, error, *, delay=Seconds(0), group=None))]
    #[pyo3(text_signature = "($self, task, error, *, delay=0, group=None)")]
    fn fail(
        &self,
        py: Python<'_>,
        task: Subject,
        error: &Bound<'_, PyAny>,
        delay: Seconds,
        group: Option<Text>,
    ) -> PyResult<Task> {
        let failure = failure(error, delay, group)?;
        self.give(py, &task, failure)
    }

    /// Ends a task that nobody wants any more; `force` even where another holds it.
    #[pyo3(signature = (task, *, force=false))]
    fn cancel(&self, py: Python<'_>, task: Subject, force: bool) -> PyResult<()> {
        let cancelled = py.detach(|| match &task {
            Subject::Named(name) => self.store().cancel(*name, force),
            Subject::Held(held) => held.get().end(|tx, held| tx.delete(held, tenure::Reason::Cancelled)).map(|_| ()),
        });
        cancelled.raised(py)
    }

    /// Puts a task into another group, to be claimed there at once.
    fn move_to(&self, py: Python<'_>, task: Subject, group: Text) -> PyResult<Task> {
        self.give(py, &task, Update { verb: Verb::Release, group: Some(group.0), ..Update::default() })
    }

    /// Makes a task as if it had never been claimed, in its group or in another, to be claimed after `delay`.
    #[pyo3(signature = (task, *, group=None, delay=Seconds(0)), text_signature = "($self, task, *, group=None, delay=0)")]
    fn requeue(&self, py: Python<'_>, task: Subject, group: Option<Text>, delay: Seconds) -> PyResult<Task> {
        let (group, available) = (group.map(|group| group.0), Some(When::After(delay.0)));
        self.give(py, &task, Update { verb: Verb::Requeue, group, available, ..Update::default() })
    }
}

impl Store {
    /// Changes a task so that nobody holds it any more; a held one learns that it has ended.
    fn give(&self, py: Python<'_>, task: &Subject, update: Update) -> PyResult<Task> {
        let given = py.detach(|| match task {
            Subject::Named(name) => {
                let update = Update { id: name.id, origin: name.origin, ..update };
                let request = Request { owner: name.owner, updates: vec![update], ..Request::default() };
                only(self.store().update(request))
            }
            Subject::Held(held) => only(held.get().end(|tx, held| tx.update(held, update))),
        });
        one(py, given)
    }
}
