//! A dict read field by field.

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    types::PyDict,
};

use super::{Blob, Given, Seconds, payload, when};
use crate::error::{invalid, placed};
use tenure::{Data, When};

/// The fields of a dict, none of them unknown. `None` counts as absent.
pub struct Fields<'a, 'py> {
    place: &'a str,
    dict: Bound<'py, PyDict>,
}

impl<'a, 'py> Fields<'a, 'py> {
    /// Takes a dict whose fields are among `known`.
    pub fn read(place: &'a str, given: &Bound<'py, PyAny>, known: &[&str]) -> PyResult<Self> {
        let py = given.py();
        let Ok(dict) = given.cast::<PyDict>() else {
            let kind = given.get_type();
            return Err(PyTypeError::new_err(format!("{place}: expected a dict, not {}", kind.name()?)));
        };
        for name in dict.keys() {
            let fits = name.extract::<&str>().is_ok_and(|name| known.contains(&name));
            if !fits {
                return Err(invalid(
                    py,
                    format!("{place}: unknown field {}; known are {}", shown(name.repr()?.to_str()?), known.join(", ")),
                ));
            }
        }
        Ok(Self { place, dict: dict.clone() })
    }

    /// A field, if it is there.
    pub fn optional<T: for<'x> FromPyObject<'x, 'py>>(&self, name: &str) -> PyResult<Option<T>> {
        let Some(value) = self.dict.get_item(name)?.filter(|value| !value.is_none()) else { return Ok(None) };
        value.extract::<T>().map(Some).map_err(|error| self.at(name, error.into()))
    }

    /// A field that must be there.
    pub fn required<T: for<'x> FromPyObject<'x, 'py>>(&self, name: &str) -> PyResult<T> {
        let found = self.optional(name)?;
        found.ok_or_else(|| invalid(self.dict.py(), format!("{}: field {name} is missing", self.place)))
    }

    /// `True` or `False`; absent is `False`.
    pub fn flag(&self, name: &str) -> PyResult<bool> {
        Ok(self.optional(name)?.unwrap_or_default())
    }

    /// `data`, or what `json` encodes to.
    pub fn data(&self) -> PyResult<Option<Data>> {
        let json = self.dict.get_item("json")?.map_or(Given::Absent, Given::Value);
        payload(self.dict.py(), self.optional::<Blob>("data")?, json)
    }

    /// `delay` or `available_at`.
    pub fn when(&self) -> PyResult<Option<When>> {
        let (delay, at) = (self.optional::<Seconds>("delay")?, self.optional::<Seconds>("available_at")?);
        when(self.dict.py(), delay, at)
    }

    /// One of a few names; absent is the default.
    pub fn choice<T: Copy + Default>(&self, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
        let Some(given) = self.optional::<super::Text>(name)? else { return Ok(T::default()) };
        choice(self.dict.py(), &format!("{}.{name}", self.place), &given.0, choices)
    }

    fn at(&self, name: &str, error: PyErr) -> PyErr {
        placed(self.dict.py(), &format!("{}.{name}: ", self.place), error)
    }
}

/// As much of a text as a message can show.
pub fn shown(text: &str) -> &str {
    text.char_indices().nth(80).map_or(text, |(end, _)| &text[..end])
}

/// A whole number, as large as there is room for.
pub fn number<'py, T>(given: &Bound<'py, PyAny>) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    given.extract().map_err(|error: PyErr| {
        if !error.is_instance_of::<PyOverflowError>(given.py()) {
            return error;
        }
        let least = if given.lt(0).unwrap_or(false) { "small" } else { "large" };
        invalid(given.py(), format!("{} is too {least}", given.repr().map_or_else(|_| "it".into(), |n| n.to_string())))
    })
}

/// A whole number, or `None`.
pub fn number_or_none<'py, T>(given: &Bound<'py, PyAny>) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    if given.is_none() { Ok(None) } else { number(given).map(Some) }
}

/// One of a few names.
pub fn choice<T: Copy>(py: Python<'_>, place: &str, given: &str, choices: &[(&str, T)]) -> PyResult<T> {
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == given) {
        return Ok(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let given = shown(given);
    Err(invalid(py, format!("{place}: {given:?} is none of {}", names.join(", "))))
}
