//! Errors on their way to JavaScript.

use core::fmt;

use js_sys::Array;
use tenure_core::{Error, json};
use wasm_bindgen::prelude::*;

/// What a journal in JavaScript threw, by the number under which JavaScript keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Thrown(pub u32);

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exception {}", self.0)
    }
}

impl core::error::Error for Thrown {}

/// The number of the exception that lies behind an error.
fn thrown(error: &Error) -> Option<u32> {
    let mut source = error.foreign()? as &(dyn core::error::Error + 'static);
    loop {
        if let Some(thrown) = source.downcast_ref::<Thrown>() {
            return Some(thrown.0);
        }
        source = source.source()?;
    }
}

/// An error as its JSON spelling, and with it the number of the exception behind it, where there is one.
#[cold]
pub fn outward(error: &Error) -> JsValue {
    let parts = Array::of1(&json::text(error).into());
    if let Some(thrown) = thrown(error) {
        parts.push(&thrown.into());
    }
    parts.into()
}

/// A result whose error JavaScript can take.
pub trait Outward<T> {
    /// The value, or what is thrown.
    fn outward(self) -> Result<T, JsValue>;
}

impl<T> Outward<T> for tenure_core::Result<T> {
    fn outward(self) -> Result<T, JsValue> {
        self.map_err(|error| outward(&error))
    }
}
