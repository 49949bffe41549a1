//! Exceptions: one class for each kind of the catalogue, and one for a lost claim.

use std::fmt::Write as _;

use pyo3::{
    exceptions::{PyException, PyTimeoutError, PyTypeError, PyUnicodeError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple, PyType},
};
use tenure::{
    Code, Error, Kind,
    core::{error::CATALOGUE, json},
};

/// The classes: the root, then one for each kind in the order of the catalogue, then that of a lost claim.
static CLASSES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

/// The fields of details that hold times; in Python they are seconds.
const TIMES: [&str; 4] = ["lease_end", "available_at", "until", "at"];

fn class_name(slug: &str) -> String {
    let mut name = String::new();
    for word in slug.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn class(py: Python<'_>, name: &str, doc: &str, code: Code, bases: Vec<Py<PyType>>) -> PyResult<Py<PyType>> {
    let fields = PyDict::new(py);
    fields.set_item("__module__", "tenure")?;
    fields.set_item("__doc__", doc)?;
    // What an exception has that was made by hand; one that Tenure raises carries its own.
    fields.set_item("kind", code.kind().slug())?;
    fields.set_item("code", code.slug())?;
    fields.set_item("outcome", code.outcome().slug())?;
    fields.set_item("retry", code.retry().slug())?;
    fields.set_item("message", "")?;
    let bases = PyTuple::new(py, bases)?;
    Ok(py.get_type::<PyType>().call1((name, bases, fields))?.cast_into::<PyType>()?.unbind())
}

fn classes(py: Python<'_>) -> PyResult<&Vec<Py<PyType>>> {
    CLASSES.get_or_try_init(py, || {
        let doc = "What every exception of Tenure is: `kind`, `code`, `outcome`, `retry`, `details`, `message`.";
        let root = class(py, "TenureError", doc, Code::Internal, vec![py.get_type::<PyException>().unbind()])?;
        root.bind(py).setattr("details", PyDict::new(py))?;
        let mut classes = vec![root.clone_ref(py)];
        for kind in Kind::ALL {
            let codes = || CATALOGUE.iter().filter(|code| code.kind() == kind);
            let mut doc = String::from("Its codes:");
            for code in codes() {
                let _ = write!(doc, " `{}`", code.slug());
            }
            let mut bases = vec![root.clone_ref(py)];
            match kind {
                Kind::Invalid => bases.push(py.get_type::<PyValueError>().unbind()),
                Kind::Timeout => bases.push(py.get_type::<PyTimeoutError>().unbind()),
                _ => {}
            }
            let usual = codes().find(|code| code.slug() == kind.slug()).or_else(|| codes().next());
            let usual = usual.copied().unwrap_or(Code::Internal);
            classes.push(class(py, &class_name(kind.slug()), &doc, usual, bases)?);
        }
        let rejected = classes[1].clone_ref(py);
        let doc = "The claim is no longer yours: discard the result and claim again.";
        classes.push(class(py, "LeaseLost", doc, Code::LeaseLost, vec![rejected])?);
        Ok(classes)
    })
}

/// The class that every exception of Tenure is.
pub fn root(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    Ok(classes(py)?[0].bind(py))
}

/// Puts the classes into the module.
pub fn add_classes(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for class in classes(module.py())? {
        let class = class.bind(module.py());
        module.add(class.name()?, class)?;
    }
    Ok(())
}

fn class_of(py: Python<'_>, code: Code) -> PyResult<&Bound<'_, PyType>> {
    let classes = classes(py)?;
    let at = if code == Code::LeaseLost {
        classes.len() - 1
    } else {
        Kind::ALL.iter().position(|kind| *kind == code.kind()).map_or(0, |at| at + 1)
    };
    Ok(classes[at].bind(py))
}

/// The exception of a host's object that lies behind an error.
fn foreign(error: &Error) -> Option<&PyErr> {
    let mut source = error.foreign()? as &(dyn std::error::Error + 'static);
    loop {
        if let Some(raised) = source.downcast_ref::<PyErr>() {
            return Some(raised);
        }
        source = source.source()?;
    }
}

/// An error as the exception that is raised. What a user's own object raised comes out unchanged, unless it leaves
/// open whether the transaction was written: then it is the cause of an `Unknown`.
#[cold]
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let behind = foreign(error).map(|raised| raised.clone_ref(py));
    if error.code() == Code::Foreign
        && let Some(raised) = behind
    {
        return raised;
    }
    if error.code() == Code::Cancelled
        && let Some(raised) = crate::store::raised_by_signal()
    {
        return raised;
    }
    let built = build(py, error).unwrap_or_else(|failed| failed);
    match behind {
        // An interrupt ends the program, whatever else there is to say.
        Some(raised) if !raised.is_instance_of::<PyException>(py) => {
            raised.set_cause(py, Some(built));
            raised
        }
        Some(raised) => {
            built.set_cause(py, Some(raised));
            built
        }
        None => built,
    }
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let value = class_of(py, error.code())?.call1((error.message(),))?;
    value.setattr("code", error.code().slug())?;
    value.setattr("kind", error.kind().slug())?;
    value.setattr("outcome", error.outcome().slug())?;
    value.setattr("retry", error.retry().slug())?;
    value.setattr("message", error.message())?;
    value.setattr("details", details(py, error)?)?;
    Ok(PyErr::from_value(value))
}

/// The details in the spelling that all languages share, but for times, which are seconds.
fn details<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    if error.refusals().is_empty() {
        return Ok(PyDict::new(py).into_any());
    }
    let hook = pyo3::wrap_pyfunction!(times_in_seconds, py)?;
    let named = PyDict::new(py);
    named.set_item("object_hook", hook)?;
    let all = py.import("json")?.call_method("loads", (json::text(error),), Some(&named))?;
    all.get_item("error")?.get_item("details")
}

#[pyfunction]
fn times_in_seconds(object: Bound<'_, PyDict>) -> PyResult<Bound<'_, PyDict>> {
    for name in TIMES {
        if let Some(value) = object.get_item(name)?
            && let Ok(millis) = value.extract::<u64>()
        {
            object.set_item(name, crate::types::seconds(millis))?;
        }
    }
    Ok(object)
}

/// A result whose error is raised.
pub trait Raised<T> {
    /// The value, or the exception.
    fn raised(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raised<T> for tenure::Result<T> {
    #[inline]
    fn raised(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}

/// An argument that can't be right.
#[cold]
pub fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, &Error::new(Code::Invalid, message))
}

/// The same fault with the place where it was met.
pub fn placed(py: Python<'_>, place: &str, error: PyErr) -> PyErr {
    let message = || format!("{place}{}", error.value(py));
    if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(message())
    } else if class_of(py, Code::Invalid).is_ok_and(|class| error.is_instance(py, class)) {
        invalid(py, message())
    } else {
        error
    }
}

/// What a user's code raised, on its way through the store.
#[cold]
pub fn carried(raised: PyErr) -> Error {
    Error::new(Code::Foreign, raised.to_string()).with_source(raised)
}

/// Text that can't be encoded is an argument that can't be right.
pub fn text_fault(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyUnicodeError>(py) {
        let fault =
            invalid(py, "a text holds half of a surrogate pair, which UTF-8 can't: pass bytes, or mend the text");
        fault.set_cause(py, Some(error));
        return fault;
    }
    error
}

/// Every code with its kind, outcome and retry.
pub fn catalogue() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    CATALOGUE.iter().map(|code| (code.slug(), code.kind().slug(), code.outcome().slug(), code.retry().slug())).collect()
}
