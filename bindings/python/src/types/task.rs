//! Tasks, records, groups, and what was committed.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyList, PyString, PyTuple, PyType},
};
use tenure::{Data, OwnerId, Revision, TaskId};

use super::{Blob, decode, seconds, text};

/// A piece of work. It never changes: any change gives the task a new, higher id.
#[pyclass(frozen, eq, module = "tenure")]
#[derive(PartialEq, Clone)]
pub struct Task(pub tenure::Task);

impl From<tenure::Task> for Task {
    fn from(task: tenure::Task) -> Self {
        Self(task)
    }
}

#[pymethods]
impl Task {
    /// The present id.
    #[getter]
    fn id(&self) -> u64 {
        self.0.id.0
    }

    /// The id of the add that began it; it stays through every change.
    #[getter]
    fn origin(&self) -> u64 {
        self.0.origin.0
    }

    /// The group that it belongs to.
    #[getter]
    fn group(&self) -> &str {
        &self.0.group
    }

    /// Unique within the group among live tasks.
    #[getter]
    fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// When it can be claimed; while it is held, when the lease ends. Seconds since the Epoch.
    #[getter]
    fn available_at(&self) -> f64 {
        seconds(self.0.available_at)
    }

    /// When the add that began it was committed. Seconds since the Epoch.
    #[getter]
    fn added_at(&self) -> f64 {
        seconds(self.0.added_at)
    }

    /// Who claimed it last, 0 for nobody or since it was released.
    #[getter]
    fn owner(&self) -> u64 {
        self.0.owner.0
    }

    /// How often it was claimed.
    #[getter]
    fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// How often its claimant said that it failed.
    #[getter]
    fn failures(&self) -> u32 {
        self.0.failures
    }

    /// The text of the last failure.
    #[getter]
    fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The work itself.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.data)
    }

    /// Its data as text. `UnicodeDecodeError` where it is none.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.0.data)
    }

    /// What its data, which is JSON, decodes to.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode(py, &self.0.data)
    }

    fn __hash__(&self) -> u64 {
        self.0.id.0
    }

    fn __repr__(&self) -> String {
        let task = &self.0;
        format!("Task(id={}, group={:?}, attempt={}, data={:?})", task.id, task.group, task.attempt, task.data)
    }

    /// So that a task can be sent to another process.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, task) = (slf.py(), &slf.get().0);
        let numbers = [task.id.0, task.origin.0, task.available_at, task.added_at, task.owner.0];
        let counts = (task.attempt, task.failures);
        let texts = (&*task.group, task.key.as_deref(), task.error.as_deref());
        let fields = (numbers, counts, texts, PyBytes::new(py, &task.data)).into_pyobject(py)?;
        Ok((py.get_type::<Self>().getattr("_of")?, fields))
    }

    #[classmethod]
    fn _of(
        _class: &Bound<'_, PyType>,
        numbers: [u64; 5],
        counts: (u32, u32),
        texts: (String, Option<String>, Option<String>),
        data: Blob,
    ) -> Self {
        let [id, origin, available_at, added_at, owner] = numbers;
        Self(tenure::Task {
            id: TaskId(id),
            origin: TaskId(origin),
            group: texts.0.into(),
            key: texts.1.map(Into::into),
            available_at,
            added_at,
            owner: OwnerId(owner),
            attempt: counts.0,
            failures: counts.1,
            error: texts.2.map(Into::into),
            data: data.0,
        })
    }
}

/// Tasks as a list.
pub fn list(py: Python<'_>, tasks: Vec<tenure::Task>) -> PyResult<Bound<'_, PyList>> {
    let tasks: Vec<Bound<'_, Task>> =
        tasks.into_iter().map(|task| Bound::new(py, Task(task))).collect::<PyResult<_>>()?;
    PyList::new(py, tasks)
}

/// A keyed value with the revision that last wrote it.
#[pyclass(frozen, eq, module = "tenure")]
#[derive(PartialEq)]
pub struct Record(pub tenure::Record);

impl Record {
    fn bytes(&self) -> &Data {
        &self.0.value
    }
}

#[pymethods]
impl Record {
    /// The table.
    #[getter]
    fn table(&self) -> &str {
        &self.0.table
    }

    /// The key.
    #[getter]
    fn key(&self) -> &str {
        &self.0.key
    }

    /// The value.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.bytes())
    }

    /// The revision that last wrote it.
    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision.0
    }

    /// From when it is hidden, if ever. Seconds since the Epoch.
    #[getter]
    fn expires_at(&self) -> Option<f64> {
        self.0.expires_at.map(seconds)
    }

    /// Its value as text. `UnicodeDecodeError` where it is none.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, self.bytes())
    }

    /// What its value, which is JSON, decodes to.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode(py, self.bytes())
    }

    fn __repr__(&self) -> String {
        let Revision(revision) = self.0.revision;
        format!("Record({:?}, {:?}, value={:?}, revision={revision})", self.0.table, self.0.key, self.0.value)
    }
}

/// What is known of a group at one moment.
#[pyclass(frozen, eq, module = "tenure")]
#[derive(PartialEq)]
pub struct GroupStats(pub tenure::GroupStats);

#[pymethods]
impl GroupStats {
    /// The group's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// All its tasks.
    #[getter]
    fn tasks(&self) -> u64 {
        self.0.tasks
    }

    /// Those that anyone may claim.
    #[getter]
    fn available(&self) -> u64 {
        self.0.available
    }

    /// Those whose time is still to come.
    #[getter]
    fn delayed(&self) -> u64 {
        self.0.delayed
    }

    /// Those that somebody holds.
    #[getter]
    fn held(&self) -> u64 {
        self.0.held
    }

    /// Since when the oldest of the available ones waits. Seconds since the Epoch.
    #[getter]
    fn oldest(&self) -> Option<f64> {
        self.0.oldest.map(seconds)
    }

    /// Whether claims skip it.
    #[getter]
    fn paused(&self) -> bool {
        self.0.paused
    }

    fn __repr__(&self) -> String {
        let tenure::GroupStats { name, tasks, available, delayed, held, .. } = &self.0;
        format!("GroupStats({name:?}, tasks={tasks}, available={available}, delayed={delayed}, held={held})")
    }
}

/// What a transaction answers.
#[pyclass(frozen, module = "tenure")]
pub struct Committed(pub tenure::Committed);

#[pymethods]
impl Committed {
    /// The revision that it became.
    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision.0
    }

    /// The new tasks: adds first, then updates, in the order asked.
    #[getter]
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        list(py, self.0.tasks.clone())
    }

    /// The numbers that the increments left, in the order asked.
    #[getter]
    fn counts(&self) -> Vec<i64> {
        self.0.counts.clone()
    }

    /// Whether this is the first outcome of an earlier request with the same id.
    #[getter]
    fn repeated(&self) -> bool {
        self.0.repeated
    }

    fn __repr__(&self) -> String {
        format!("Committed(revision={}, tasks={}, counts={:?})", self.0.revision, self.0.tasks.len(), self.0.counts)
    }
}
