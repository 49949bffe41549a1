//! Several changes in one piece.

use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use tenure::{Add, Code, Error, Increment, Put, Revision, Update, When};

use crate::{
    error::Raised as _,
    store::{Subject, failure},
    types::{
        Blob, Committed, Given, IF_EXISTS, REASONS, Record, Seconds, Task, Text, choice, depend, number,
        number_or_none, payload, when,
    },
};

/// What is to happen in one piece: all of it, or nothing.
///
/// >>> import tenure
/// >>> with tenure.memory() as store:
/// ...     with store.transaction() as tx:
/// ...         tx.add("reduce", "part-1")
/// ...         tx.put("jobs", "job-1", "begun")
/// ...     tx.committed.tasks[0].text()
/// 'part-1'
#[pyclass(frozen, module = "tenure")]
pub struct Transaction {
    open: Mutex<Option<tenure::Transaction>>,
    committed: OnceLock<tenure::Committed>,
}

fn over() -> Error {
    Error::new(Code::Invalid, "this transaction is over: begin another")
}

impl Transaction {
    /// Wraps one.
    pub fn new(transaction: tenure::Transaction) -> Self {
        Self { open: Mutex::new(Some(transaction)), committed: OnceLock::new() }
    }

    /// Takes it out, which ends it here.
    pub fn take(&self) -> tenure::Result<tenure::Transaction> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(over)
    }

    /// Asks something of the transaction, without the interpreter: it may read the journal.
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mut tenure::Transaction) -> tenure::Result<T> + Send,
    ) -> PyResult<T> {
        let asked = py.detach(|| {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            ask(open.as_mut().ok_or_else(over)?)
        });
        asked.raised(py)
    }
}

#[pymethods]
impl Transaction {
    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        raised: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let mine = self.take().raised(py)?;
        if raised.is_none() {
            let committed = py.detach(|| mine.commit()).raised(py)?;
            let _ = self.committed.set(committed);
        }
        Ok(())
    }

    /// What was committed, after a `with` block has ended well.
    #[getter]
    fn committed(&self) -> Option<Committed> {
        self.committed.get().cloned().map(Committed)
    }

    /// Adds a task.
    #[pyo3(signature = (
        group, data=None, *, json=Given::Absent, delay=Seconds(0), available_at=None, key=None, if_exists=None
    ))]
    #[pyo3(
        text_signature = "($self, group, data=b'', *, json=..., delay=0, available_at=None, key=None, if_exists='refuse')"
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
    ) -> PyResult<()> {
        let add = Add {
            group: group.0,
            data: payload(py, data, json)?.unwrap_or_default(),
            available: when(py, Some(delay), available_at)?.unwrap_or_default(),
            key: key.map(|key| key.0),
            if_exists: if_exists.map_or(Ok(Default::default()), |given| choice(py, "if_exists", given, &IF_EXISTS))?,
        };
        self.ask(py, |tx| {
            tx.add_task(add);
            Ok(())
        })
    }

    /// Changes a task; what is not named stays as it is.
    #[pyo3(signature = (
        task, data=None, *, json=Given::Absent, group=None, delay=None, available_at=None, error=None, force=false
    ))]
    #[pyo3(
        text_signature = "($self, task, data=None, *, json=..., group=None, delay=None, available_at=None, error=None, force=False)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn update(
        &self,
        py: Python<'_>,
        task: Subject,
        data: Option<Blob>,
        json: Given<'_>,
        group: Option<Text>,
        delay: Option<Seconds>,
        available_at: Option<Seconds>,
        error: Option<Text>,
        force: bool,
    ) -> PyResult<()> {
        let update = Update {
            data: payload(py, data, json)?,
            group: group.map(|group| group.0),
            available: when(py, delay, available_at)?,
            error: error.map(|error| error.0),
            force,
            ..Update::default()
        };
        self.change(py, &task, update)
    }

    /// Ends a task whose work is done.
    fn finish(&self, py: Python<'_>, task: Subject) -> PyResult<()> {
        self.delete(py, task, "finished")
    }

    /// Ends a task; `reason` is `deleted`, `finished`, `failed`, `cancelled` or `moved`.
    #[pyo3(signature = (task, *, reason="deleted"))]
    fn delete(&self, py: Python<'_>, task: Subject, reason: &str) -> PyResult<()> {
        let reason = choice(py, "reason", reason, &REASONS)?;
        self.ask(py, |tx| {
            match &task {
                Subject::Named(name) => tx.delete(*name, reason),
                Subject::Held(held) => tx.delete(held.get().held(), reason),
            }
            Ok(())
        })
    }

    /// Gives a task back, to be claimed after `delay`.
    #[pyo3(signature = (task, *, delay=Seconds(0)), text_signature = "($self, task, *, delay=0)")]
    fn release(&self, py: Python<'_>, task: Subject, delay: Seconds) -> PyResult<()> {
        let available = Some(When::After(delay.0));
        self.change(py, &task, Update { verb: tenure::Verb::Release, available, ..Update::default() })
    }

    /// Gives a task back with one more failure, whose text is kept; in another group, where one is given.
    #[pyo3(signature = (task, error, *, delay=Seconds(0), group=None))]
    #[pyo3(text_signature = "($self, task, error, *, delay=0, group=None)")]
    fn fail(
        &self,
        py: Python<'_>,
        task: Subject,
        error: &Bound<'_, PyAny>,
        delay: Seconds,
        group: Option<Text>,
    ) -> PyResult<()> {
        self.change(py, &task, failure(error, delay, group)?)
    }

    /// A task that must exist: a task, an id, or a dict with `id` or `origin`.
    fn depend(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let depend = depend("task", task)?;
        self.ask(py, |tx| {
            tx.depend_on(depend);
            Ok(())
        })
    }

    /// A record, as this transaction would leave it. Should it change before the commit, the transaction is refused.
    fn get(&self, py: Python<'_>, table: Text, key: Text) -> PyResult<Option<Record>> {
        Ok(self.ask(py, |tx| tx.get(&table.0, &key.0))?.map(Record))
    }

    /// A task. Should it not exist at the commit, the transaction is refused.
    fn task(&self, py: Python<'_>, #[pyo3(from_py_with = number)] id: u64) -> PyResult<Option<Task>> {
        Ok(self.ask(py, |tx| tx.task(id))?.map(Task))
    }

    /// Writes a record.
    #[pyo3(signature = (table, key, value, *, expect=None, expires_at=None))]
    fn put(
        &self,
        py: Python<'_>,
        table: Text,
        key: Text,
        value: Blob,
        #[pyo3(from_py_with = number_or_none)] expect: Option<u64>,
        expires_at: Option<Seconds>,
    ) -> PyResult<()> {
        let put = Put {
            table: table.0,
            key: key.0,
            value: value.0,
            expect: expect.map(Revision),
            expires_at: expires_at.map(|at| at.0),
        };
        self.ask(py, |tx| {
            tx.put_record(put);
            Ok(())
        })
    }

    /// Removes a record.
    fn remove(&self, py: Python<'_>, table: Text, key: Text) -> PyResult<()> {
        self.ask(py, |tx| {
            tx.remove(&table.0, &key.0);
            Ok(())
        })
    }

    /// Adds to a number, at commit.
    #[pyo3(signature = (table, key, by=1, *, min=None, max=None))]
    fn increment(
        &self,
        py: Python<'_>,
        table: Text,
        key: Text,
        #[pyo3(from_py_with = number)] by: i64,
        #[pyo3(from_py_with = number_or_none)] min: Option<i64>,
        #[pyo3(from_py_with = number_or_none)] max: Option<i64>,
    ) -> PyResult<()> {
        let increment = Increment { table: table.0, key: key.0, by, min, max };
        self.ask(py, |tx| {
            tx.increment_within(increment);
            Ok(())
        })
    }
}

impl Transaction {
    fn change(&self, py: Python<'_>, task: &Subject, update: Update) -> PyResult<()> {
        self.ask(py, |tx| {
            match task {
                Subject::Named(name) => tx.update(*name, update),
                Subject::Held(held) => tx.update(held.get().held(), update),
            }
            Ok(())
        })
    }
}
