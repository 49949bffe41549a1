//! A held task.

use pyo3::{
    exceptions::{PyException, PyTypeError},
    prelude::*,
    types::{PyBytes, PyInt, PyString},
};
use tenure::{TaskId, TaskName, Transaction, Update, Verb, When};

use crate::{
    error::Raised as _,
    journal::drop_elsewhere,
    types::{Blob, Seconds, Task, Text, decode, number, text},
};

/// A task that this handle holds. Its lease renews itself; leaving the `with` block finishes it, and an exception there
/// fails it.
///
/// >>> import tenure
/// >>> store = tenure.memory()
/// >>> task = store.add("scan", "0")
/// >>> for held in store.claims("scan", lease=60, idle=0):
/// ...     with held:
/// ...         held.note("1 of 2 pages")  # for those who look
/// ...         held.save("1")  # for who goes on after a crash
/// ...         store.find(task.origin).error, held.text()
/// ('1 of 2 pages', '1')
#[pyclass(frozen, module = "tenure", weakref)]
pub struct Held {
    held: Option<tenure::Held>,
    store: tenure::Store,
}

impl Held {
    /// Wraps a held task.
    pub fn new(store: &tenure::Store, held: tenure::Held) -> Self {
        Self { held: Some(held), store: store.clone() }
    }

    /// The held task itself.
    pub fn held(&self) -> &tenure::Held {
        // Only `drop` takes it.
        self.held.as_ref().expect("a held task is there while its object is")
    }

    /// Looks at it, where this process may.
    fn look<T: Send>(&self, py: Python<'_>, look: impl FnOnce(&tenure::Held) -> T + Send) -> PyResult<T> {
        py.detach(|| self.store.here().map(|()| look(self.held()))).raised(py)
    }

    /// Ends it in a transaction of its own.
    pub fn end(&self, end: impl FnOnce(&mut Transaction, &tenure::Held)) -> tenure::Result<tenure::Committed> {
        self.store.here()?;
        let held = self.held();
        held.check()?;
        if held.is_ended() {
            let why = "this held task was finished, failed or given back before";
            return Err(tenure::Error::new(tenure::Code::Invalid, why));
        }
        let mut tx = self.store.transaction();
        end(&mut tx, held);
        tx.commit()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Gives the task back where it was neither finished nor failed, and that may wait for the disk.
        let held = self.held.take();
        Python::try_attach(|py| py.detach(|| drop_elsewhere(held)));
    }
}

/// The text of a failure: a text, or an exception.
fn error_text(error: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(error) = error.cast::<PyString>() {
        return Ok(error.extract::<Text>()?.0);
    }
    let kind = error.get_type().name()?.to_string();
    let message = error.str().map_or_else(|_| String::new(), |message| message.to_string_lossy().into_owned());
    Ok(if message.is_empty() { kind } else { format!("{kind}: {message}") })
}

/// What a failure makes of a task.
pub fn failure(error: &Bound<'_, PyAny>, delay: Seconds, group: Option<Text>) -> PyResult<Update> {
    let (error, available) = (Some(error_text(error)?), Some(When::After(delay.0)));
    Ok(Update { verb: Verb::Fail, available, error, group: group.map(|group| group.0), ..Update::default() })
}

#[pymethods]
impl Held {
    /// The task as it is now.
    #[getter]
    fn task(&self, py: Python<'_>) -> PyResult<Task> {
        self.look(py, tenure::Held::task).map(Task)
    }

    /// The work.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.look(py, tenure::Held::data)?))
    }

    /// The work as text.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.look(py, tenure::Held::data)?)
    }

    /// What the work, which is JSON, decodes to.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode(py, &self.look(py, tenure::Held::data)?)
    }

    /// Whether the lease is lost: nothing that is done now can be committed with it.
    #[getter]
    fn lost(&self) -> bool {
        self.held().is_lost()
    }

    /// Whether it was finished, failed or given back.
    #[getter]
    fn ended(&self, py: Python<'_>) -> PyResult<bool> {
        self.look(py, tenure::Held::is_ended)
    }

    /// Raises `LeaseLost`, with all that is known, once the lease is lost.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.held().check().raised(py)
    }

    /// Renews the lease now.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        self.look(py, tenure::Held::renew)?.raised(py)
    }

    /// Keeps a text with the task, as its `error`, for those who look: how far the work has come.
    fn note(&self, py: Python<'_>, text: Text) -> PyResult<()> {
        self.look(py, |held| held.note(&text.0))?.raised(py)
    }

    /// Changes the data, so that whoever goes on after a crash starts from there.
    fn save(&self, py: Python<'_>, data: Blob) -> PyResult<()> {
        self.look(py, |held| held.save(data.0))?.raised(py)
    }

    /// The work is done.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.end(|tx, held| tx.finish(held))).raised(py).map(|_| ())
    }

    /// The work failed: the task is given back with one more failure, to be claimed after `delay`; in another group, where
    /// one is given.
    #[pyo3(signature = (error, *, delay=Seconds(0), group=None))]
    #[pyo3(text_signature = "($self, error, *, delay=0, group=None)")]
    fn fail(&self, py: Python<'_>, error: &Bound<'_, PyAny>, delay: Seconds, group: Option<Text>) -> PyResult<()> {
        let failure = failure(error, delay, group)?;
        py.detach(|| self.end(|tx, held| tx.update(held, failure))).raised(py).map(|_| ())
    }

    /// Gives the task back, to be claimed after `delay`.
    #[pyo3(signature = (*, delay=Seconds(0)), text_signature = "($self, *, delay=0)")]
    fn release(&self, py: Python<'_>, delay: Seconds) -> PyResult<()> {
        py.detach(|| self.end(|tx, held| tx.release(held, delay.span()))).raised(py).map(|_| ())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// Finishes it; an exception fails it, and one that only ends the program (`KeyboardInterrupt`) gives it back, which
    /// counts as no failure. What was ended in the block stays as it is.
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        raised: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if self.look(py, tenure::Held::is_ended)? {
            return Ok(());
        }
        if raised.is_none() {
            return self.finish(py);
        }
        let ended = if raised.is_instance_of::<PyException>() {
            self.fail(py, raised, Seconds(0), None)
        } else {
            self.release(py, Seconds(0))
        };
        // What the block raised says more than that it could not be noted; the lease runs out by itself.
        if let Err(error) = ended
            && !self.lost()
        {
            error.write_unraisable(py, None);
        }
        Ok(())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let task = self.look(py, tenure::Held::task)?;
        Ok(format!("Held(task={}, group={:?}, lost={})", task.id, task.group, self.lost()))
    }
}

/// A task, its id, or a held task, which knows its present id.
pub enum Subject {
    /// A task or an id.
    Named(TaskName),
    /// A held task.
    Held(Py<Held>),
}

impl<'py> FromPyObject<'_, 'py> for Subject {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(task) = given.cast::<Task>() {
            return Ok(Self::Named((&task.get().0).into()));
        }
        if let Ok(held) = given.cast::<Held>() {
            return Ok(Self::Held(held.to_owned().unbind()));
        }
        if given.is_instance_of::<PyInt>() {
            return Ok(Self::Named(TaskId(number(&given)?).into()));
        }
        Err(PyTypeError::new_err(format!("give a task or its id, not {}", given.get_type().name()?)))
    }
}
