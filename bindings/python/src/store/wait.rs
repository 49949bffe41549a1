//! Ending a wait: by a signal, a `Cancel`, or an event.

use std::{
    cell::Cell,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pyo3::{exceptions::PyTypeError, prelude::*};
use tenure::Code;

use crate::{
    error::raise,
    types::{Millis, Seconds},
};

thread_local! {
    /// What a signal's handler raised while this thread waited for a lock.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Has waits for a lock end by a signal whose handler raises.
pub fn heed_signals() {
    tenure::interrupt::check_while_waiting(|| {
        let Some(raised) = pending() else { return false };
        RAISED.set(Some(raised));
        true
    });
}

/// What the handler of a signal raises that came meanwhile.
pub fn pending() -> Option<PyErr> {
    Python::try_attach(|py| py.check_signals().err()).flatten()
}

/// What a signal's handler raised on this thread, which an error of code `cancelled` stands for.
pub fn raised_by_signal() -> Option<PyErr> {
    RAISED.take()
}

/// How often a waiting thread looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// How long to wait: a span, or `None` or infinity for ever.
pub struct Wait(pub Option<Millis>);

impl<'py> FromPyObject<'_, 'py> for Wait {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if given.is_none() || given.extract::<f64>().is_ok_and(|seconds| seconds == f64::INFINITY) {
            return Ok(Self(None));
        }
        Ok(Self(Some(given.extract::<Seconds>()?.0)))
    }
}

impl Wait {
    /// Until when, by a store's clock.
    pub fn until(&self, store: &tenure::Store) -> Option<Millis> {
        self.0.map(|wait| store.now().saturating_add(wait))
    }
}

/// What a check raised on the waiting thread.
type Slot = Arc<Mutex<Option<PyErr>>>;

/// Ends waits from another thread: give it as `stop`, and call `cancel`.
#[pyclass(frozen, module = "tenure")]
pub struct Cancel(Ending);

/// What ends a wait.
#[derive(Clone)]
pub struct Ending {
    /// For the host.
    pub cancel: tenure::Cancel,
    raised: Slot,
}

impl Ending {
    fn checking(check: impl Fn(Python<'_>) -> PyResult<bool> + Send + Sync + 'static) -> Self {
        let raised = Slot::default();
        let slot = raised.clone();
        let cancel = tenure::Cancel::checking(LOOK, move || {
            // An interpreter that is shutting down ends every wait.
            let checked = Python::try_attach(|py| py.check_signals().and_then(|()| check(py)));
            checked.unwrap_or(Ok(true)).unwrap_or_else(|error| {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                true
            })
        });
        Self { cancel, raised }
    }

    /// What ends a wait that was given `stop`: a `Cancel`, something like an event with `is_set`, or nothing but signals.
    pub fn of(stop: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(stop) = stop else { return Ok(Self::checking(|_| Ok(false))) };
        if let Ok(cancel) = stop.cast::<Cancel>() {
            return Ok(cancel.get().0.clone());
        }
        if !stop.hasattr("is_set")? {
            return Err(PyTypeError::new_err("stop: give a tenure.Cancel, or an event with is_set()"));
        }
        let event = stop.clone().unbind();
        Ok(Self::checking(move |py| event.call_method0(py, "is_set")?.is_truthy(py)))
    }

    /// What a signal's handler or an event raised meanwhile.
    pub fn check(&self) -> PyResult<()> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// The result of a wait: what a signal's handler raised goes first.
    pub fn result<T>(&self, py: Python<'_>, result: tenure::Result<T>) -> PyResult<T> {
        result.map_err(|error| match self.check() {
            Err(raised) if error.code() == Code::Cancelled => raised,
            _ => raise(py, &error),
        })
    }
}

#[pymethods]
impl Cancel {
    /// Nothing cancelled yet. Without `signals` a wait takes no notice of them: for threads that get none.
    #[new]
    #[pyo3(signature = (*, signals=true))]
    fn new(signals: bool) -> Self {
        Self(if signals {
            Ending::checking(|_| Ok(false))
        } else {
            Ending { cancel: tenure::Cancel::new(), raised: Slot::default() }
        })
    }

    /// Every wait that was given this one ends, now and later. What it has got, it releases first.
    fn cancel(&self) {
        self.0.cancel.cancel();
    }

    /// Whether it was cancelled.
    fn is_set(&self) -> bool {
        self.0.cancel.is_cancelled()
    }
}
