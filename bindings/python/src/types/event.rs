//! What a watch tells.

use std::sync::Arc;

use pyo3::prelude::*;
use tenure::core::engine;

use super::seconds;

/// One committed entry, by whichever handle.
#[pyclass(frozen, module = "tenure")]
pub struct Event(pub Arc<engine::Event>);

#[pymethods]
impl Event {
    /// Its revision.
    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision.0
    }

    /// When it was committed, by the clock of the handle that did. Seconds since the Epoch.
    #[getter]
    fn at(&self) -> f64 {
        seconds(self.0.at)
    }

    /// Who asked.
    #[getter]
    fn owner(&self) -> u64 {
        self.0.owner.0
    }

    /// The label of who did it.
    #[getter]
    fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The request id that it was asked under.
    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What changed.
    #[getter]
    fn changes(&self) -> Vec<Change> {
        self.0.changes.iter().cloned().map(Change).collect()
    }

    fn __repr__(&self) -> String {
        format!("Event(revision={}, actor={:?}, changes={})", self.0.revision, self.0.actor, self.0.changes.len())
    }
}

/// One thing that an entry changed.
#[pyclass(frozen, module = "tenure")]
pub struct Change(engine::Change);

#[pymethods]
impl Change {
    /// `added`, `replaced`, `changed`, `removed`, `put` or `record_removed`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.slug()
    }

    /// The task's new id, 0 for a record or a task that is gone.
    #[getter]
    fn id(&self) -> u64 {
        self.0.id.0
    }

    /// The task's id until now, 0 for a new one.
    #[getter]
    fn old(&self) -> u64 {
        self.0.old.0
    }

    /// The task's group, empty where the entry does not say it, or the record's table.
    #[getter]
    fn place(&self) -> &str {
        &self.0.place
    }

    /// The task's or the record's key.
    #[getter]
    fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// Why a task is gone.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.0.reason.map(tenure::Reason::slug)
    }

    /// Who claimed the task, 0 for nobody.
    #[getter]
    fn owner(&self) -> u64 {
        self.0.owner.0
    }

    /// When the task can be claimed, or until when it is held. Seconds since the Epoch.
    #[getter]
    fn available_at(&self) -> f64 {
        seconds(self.0.available_at)
    }

    fn __repr__(&self) -> String {
        format!("Change({}, id={}, old={}, place={:?})", self.0.kind.slug(), self.0.id, self.0.old, self.0.place)
    }
}
