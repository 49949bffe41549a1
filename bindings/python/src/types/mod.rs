//! Values on their way in and out: seconds, bytes, tasks and records, and what a dict can say.
//!
//! * `fields`   a dict read field by field, with the place in every message
//! * `request`  the parts of a request
//! * `task`     tasks, records, groups, what was committed
//! * `event`    what a watch tells

mod event;
mod fields;
mod request;
mod task;

pub use event::{Change, Event};
pub use fields::{Fields, choice, number, number_or_none, shown};
pub use request::{IF_EXISTS, REASONS, adds, deletes, depend, depends, guards, increments, puts, removes, updates};
pub use task::{Committed, GroupStats, Record, Task, list};

use std::time::Duration;

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyByteArray, PyBytes, PyDelta, PyDeltaAccess as _, PyFloat, PyInt, PyMemoryView, PyString},
};
pub use tenure::Millis;
use tenure::{Data, When, core::time::MAX_TIME};

use crate::error::{invalid, placed, text_fault};

/// Milliseconds as the seconds that Python counts.
#[allow(clippy::cast_precision_loss)] // Below 2^53.
pub fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}

/// A span or a time, in seconds or as a timedelta.
#[derive(Clone, Copy)]
pub struct Seconds(pub Millis);

impl Seconds {
    /// As the host wants it.
    pub fn span(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let seconds = if let Ok(delta) = given.cast::<PyDelta>() {
            let micros = f64::from(delta.get_microseconds());
            f64::from(delta.get_days()) * 86_400.0 + f64::from(delta.get_seconds()) + micros / 1e6
        } else if given.is_instance_of::<PyFloat>() || given.is_instance_of::<PyInt>() {
            given.extract::<f64>().map_err(|_| invalid(py, "a number of seconds that is too large"))?
        } else {
            let kind = given.get_type();
            return Err(PyTypeError::new_err(format!("give seconds as a number or a timedelta, not {}", kind.name()?)));
        };
        let millis = (seconds * 1000.0).round();
        // Not a number compares with nothing.
        #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
        if millis >= 0.0 && millis <= MAX_TIME as f64 {
            Ok(Self(millis as Millis))
        } else {
            Err(invalid(py, format!("{seconds} seconds: give a number from 0 to {} s", MAX_TIME / 1000)))
        }
    }
}

/// Bytes, or text that is encoded.
pub struct Blob(pub Data);

impl<'py> FromPyObject<'_, 'py> for Blob {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = given.py();
        if let Ok(bytes) = given.cast::<PyBytes>() {
            Ok(Self(bytes.as_bytes().into()))
        } else if let Ok(text) = given.cast::<PyString>() {
            Ok(Self(text.to_str().map_err(|error| text_fault(py, error))?.into()))
        } else if given.is_instance_of::<PyByteArray>() || given.is_instance_of::<PyMemoryView>() {
            let bytes = py.get_type::<PyBytes>().call1((given,))?;
            Ok(Self(bytes.cast::<PyBytes>()?.as_bytes().into()))
        } else {
            let kind = given.get_type();
            Err(PyTypeError::new_err(format!("give bytes or str, or json=…, not {}", kind.name()?)))
        }
    }
}

/// Text: a name, a key, a label.
pub struct Text(pub String);

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Ok(text) = given.cast::<PyString>() else {
            return Err(PyTypeError::new_err(format!("expected str, not {}", given.get_type().name()?)));
        };
        Ok(Self(text.to_str().map_err(|error| text_fault(given.py(), error))?.to_owned()))
    }
}

/// An argument for which `None` is a value.
pub enum Given<'py> {
    /// It was not passed.
    Absent,
    /// It was.
    Value(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(if given.is(given.py().Ellipsis()) { Self::Absent } else { Self::Value(given.to_owned()) })
    }
}

static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The data of a task: bytes, text, or what `json` encodes to.
pub fn payload(py: Python<'_>, data: Option<Blob>, json: Given<'_>) -> PyResult<Option<Data>> {
    match (data, json) {
        (None, Given::Value(value)) => encode(py, &value).map(Some),
        (Some(data), Given::Value(value)) if data.0.is_empty() => encode(py, &value).map(Some),
        (Some(_), Given::Value(_)) => Err(invalid(py, "give data or json, not both")),
        (data, Given::Absent) => Ok(data.map(|blob| blob.0)),
    }
}

fn encode(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Data> {
    let dumps = DUMPS.get_or_try_init(py, || {
        let named = pyo3::types::PyDict::new(py);
        named.set_item("ensure_ascii", false)?;
        named.set_item("allow_nan", false)?;
        named.set_item("separators", (",", ":"))?;
        let encoder = py.import("json")?.getattr("JSONEncoder")?.call((), Some(&named))?;
        encoder.getattr("encode").map(Bound::unbind)
    })?;
    let text = dumps.bind(py).call1((value,))?;
    Ok(text.extract::<Blob>()?.0)
}

/// One of many items, with its place in the message.
pub fn item(at: usize, given: &Bound<'_, PyAny>) -> PyResult<Data> {
    let blob = given.extract::<Blob>();
    blob.map(|blob| blob.0).map_err(|error| placed(given.py(), &format!("items[{at}]: "), error))
}

/// What JSON text decodes to.
pub fn decode<'py>(py: Python<'py>, data: &Data) -> PyResult<Bound<'py, PyAny>> {
    let loads = LOADS.get_or_try_init(py, || py.import("json")?.getattr("loads").map(Bound::unbind))?;
    loads.bind(py).call1((PyBytes::new(py, data),))
}

/// Data as text.
pub fn text<'py>(py: Python<'py>, data: &Data) -> PyResult<Bound<'py, PyString>> {
    PyString::from_bytes(py, data)
}

/// From when a task can be claimed: `delay` from now, or `available_at`.
pub fn when(py: Python<'_>, delay: Option<Seconds>, available_at: Option<Seconds>) -> PyResult<Option<When>> {
    match (delay, available_at) {
        (Some(delay), Some(_)) if delay.0 != 0 => Err(invalid(py, "give delay or available_at, not both")),
        (_, Some(at)) => Ok(Some(When::At(at.0))),
        // As an add without a delay says it, so that both are the same request.
        (Some(Seconds(0)), None) => Ok(Some(When::Now)),
        (Some(delay), None) => Ok(Some(When::After(delay.0))),
        (None, None) => Ok(None),
    }
}
