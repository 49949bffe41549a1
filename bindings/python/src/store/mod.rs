//! The handle.
//!
//! * `options`  how it is opened
//! * `verb`     tasks: add, claim, finish and the rest
//! * `record`   records, and `update`
//! * `read`     tasks and groups as they are
//! * `transact` a function over a transaction
//! * `claim`    claims, and what waits
//! * `wait`     ending a wait: signals, `Cancel`, an event
//! * `held`     a held task
//! * `watch`    what is committed, as it comes

mod claim;
mod held;
mod options;
mod read;
mod record;
mod transact;
mod verb;
mod wait;
mod watch;

pub use claim::Claims;
pub use held::{Held, Subject, failure};
pub use options::{connect, memory, open};
pub use wait::{Cancel, heed_signals, pending, raised_by_signal};
pub use watch::Watch;

use pyo3::{prelude::*, types::PyDict};

use crate::{
    error::Raised as _,
    journal::drop_elsewhere,
    types::{Text, seconds},
};

/// A handle on a store. Threads share it; a forked process opens its own.
///
/// >>> import tenure
/// >>> with tenure.memory() as store:
/// ...     task = store.add("map", "part-1")
/// ...     for held in store.claims("map", idle=0):
/// ...         with held:
/// ...             print(held.text())
/// part-1
#[pyclass(frozen, module = "tenure", weakref)]
pub struct Store(Option<tenure::Store>);

impl Store {
    /// Wraps a handle.
    pub fn new(store: tenure::Store) -> Self {
        Self(Some(store))
    }

    /// The handle itself. It is there until the object goes.
    pub fn store(&self) -> &tenure::Store {
        // Only `drop` takes it.
        self.0.as_ref().expect("a store is there while its object is")
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The last handle closes the store, and that may wait for the disk.
        let store = self.0.take();
        Python::try_attach(|py| py.detach(|| drop_elsewhere(store)));
    }
}

#[pymethods]
impl Store {
    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.close(py)
    }

    /// Ends the handle: waiting claims end, and everything that was answered is made durable. Later calls raise `Closed`.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.store().close()).raised(py)
    }

    /// Waits until everything that was answered is on stable storage.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.store().flush()).raised(py)
    }

    /// Takes a snapshot now, and lets go of what it makes superfluous. Answers with the revision that it holds.
    fn snapshot(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.store().snapshot()).map(|revision| revision.0).raised(py)
    }

    /// The same store with reads that never wait: they see what this handle has seen.
    fn weak(&self) -> Self {
        Self::new(self.store().weak())
    }

    /// Whether claims skip a group from now on.
    #[pyo3(signature = (group, paused=true))]
    fn pause(&self, py: Python<'_>, group: Text, paused: bool) -> PyResult<u64> {
        py.detach(|| self.store().pause(&group.0, paused)).map(|revision| revision.0).raised(py)
    }

    /// The store's identity: random, drawn when it was created.
    #[getter]
    fn identity(&self) -> String {
        self.store().identity().to_string()
    }

    /// The owner of what this handle claims.
    #[getter]
    fn owner(&self) -> u64 {
        self.store().owner().0
    }

    /// The label of who does it.
    #[getter]
    fn actor(&self) -> &str {
        self.store().actor()
    }

    /// The time by this handle's clock, in seconds since the Epoch.
    fn now(&self) -> f64 {
        seconds(self.store().now())
    }

    /// The revision that a read would see.
    fn revision(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.store().revision()).map(|revision| revision.0).raised(py)
    }

    /// Revision and digest over all tasks and records: two handles at one revision have the same.
    fn digest(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        py.detach(|| self.store().digest()).map(|(revision, digest)| (revision.0, digest)).raised(py)
    }

    /// Numbers about the store and this handle.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.detach(|| self.store().stats()).raised(py)?;
        let dict = PyDict::new(py);
        let journal = stats.journal;
        for (name, number) in [
            ("revision", stats.revision.0),
            ("next_id", stats.next_id.0),
            ("tasks", stats.tasks),
            ("records", stats.records),
            ("groups", stats.groups),
            ("requests", stats.requests),
            ("state_bytes", stats.state_bytes),
            ("max_state_bytes", stats.max_state_bytes),
            ("digest", stats.digest),
            ("level", u64::from(stats.level)),
            ("exclusive", stats.exclusive.0),
            ("skipped", stats.skipped),
            ("journal_bytes", journal.journal_bytes),
            ("snapshot_bytes", journal.snapshot_bytes),
            ("segments", journal.segments),
            ("durable", journal.durable.0),
            ("floor", journal.floor.0),
            ("aborted", journal.aborted),
            ("syncs", stats.syncs),
            ("sync_failures", stats.sync_failures),
            ("snapshots_taken", stats.snapshots_taken),
        ] {
            dict.set_item(name, number)?;
        }
        dict.set_item("clock_ahead", seconds(stats.clock_ahead))?;
        dict.set_item("snapshot_error", stats.snapshot_error.map(|error| error.to_string()))?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Store({}, owner={})", self.store().identity(), self.store().owner())
    }
}
