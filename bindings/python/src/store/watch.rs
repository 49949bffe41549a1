//! What is committed, as it comes.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::{
    Store,
    wait::{Ending, Wait},
};
use crate::{error::Raised as _, types::Event};

/// Committed entries from the moment when it was made, of this handle and of all others.
#[pyclass(frozen, module = "tenure")]
pub struct Watch {
    watch: Mutex<tenure::Watch>,
    store: tenure::Store,
    timeout: Wait,
    ending: Ending,
}

#[pymethods]
impl Store {
    /// Watches the store from now on: an iterator of events, which ends when none has come for `timeout` seconds.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> watch = store.watch(timeout=0)
    /// >>> task = store.add("mail")
    /// >>> [(change.kind, change.place) for event in watch for change in event.changes]
    /// [('added', 'mail')]
    #[pyo3(signature = (*, timeout=Wait(None), stop=None), text_signature = "($self, *, timeout=None, stop=None)")]
    fn watch(&self, py: Python<'_>, timeout: Wait, stop: Option<&Bound<'_, PyAny>>) -> PyResult<Watch> {
        let ending = Ending::of(stop)?;
        let watch = py.detach(|| self.store().watch()).raised(py)?;
        Ok(Watch { watch: Mutex::new(watch), store: self.store().clone(), timeout, ending })
    }
}

impl Watch {
    fn wait(&self, py: Python<'_>, wait: &Wait, ending: &Ending) -> PyResult<Option<Event>> {
        let next = py.detach(|| {
            let until = wait.until(&self.store);
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.next_until(until, Some(&ending.cancel))
        });
        Ok(ending.result(py, next)?.map(Event))
    }
}

#[pymethods]
impl Watch {
    /// The next event; `None` when none has come within `timeout` seconds. `NotFound` with code `truncated`, once, where so
    /// many came that some were let go.
    #[pyo3(signature = (timeout=Wait(Some(0)), *, stop=None), text_signature = "($self, timeout=0, *, stop=None)")]
    fn next(&self, py: Python<'_>, timeout: Wait, stop: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Event>> {
        match stop {
            Some(_) => self.wait(py, &timeout, &Ending::of(stop)?),
            None => self.wait(py, &timeout, &self.ending),
        }
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        self.wait(py, &self.timeout, &self.ending)
    }
}
