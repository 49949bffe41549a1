//! Errors on their way out. JavaScript makes the classes, from the catalogue.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use napi::Status;
use napi_derive::napi;
use tenure::{
    Code, Error, Outcome,
    core::{error::CATALOGUE, json},
};

use crate::hub::{Hub, Message};

/// Something that JavaScript threw and keeps under a number, as long as an error carries it.
pub struct Thrown {
    number: u32,
    message: String,
    hub: Weak<Hub>,
}

impl Drop for Thrown {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.send(Message::ForgetThrown(self.number));
        }
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thrown({:?})", self.message)
    }
}

impl std::error::Error for Thrown {}

/// What a user's code threw, on its way through the store: an error of Tenure says what it means by its code.
pub fn carried(hub: &Arc<Hub>, number: u32, message: String, code: Option<&str>, outcome: Option<&str>) -> Error {
    let code = code.and_then(|code| CATALOGUE.iter().copied().find(|known| known.slug() == code));
    let outcomes = [Outcome::Refused, Outcome::NotStarted, Outcome::Unknown];
    let outcome = outcome.and_then(|given| outcomes.into_iter().find(|known| known.slug() == given));
    let code = code.unwrap_or(Code::Foreign);
    let thrown = Thrown { number, message: message.clone(), hub: Arc::downgrade(hub) };
    Error::new(code, message).with_outcome(outcome.unwrap_or(code.outcome())).with_source(thrown)
}

/// The number of what was thrown behind an error.
fn thrown(error: &Error) -> Option<u32> {
    let mut source = error.foreign()? as &(dyn std::error::Error + 'static);
    loop {
        if let Some(thrown) = source.downcast_ref::<Thrown>() {
            return Some(thrown.number);
        }
        source = source.source()?;
    }
}

/// An error as JavaScript makes its own of it.
#[napi(object, object_from_js = false)]
pub struct Fault {
    /// The stable name of the cause.
    pub code: &'static str,
    /// What the caller should do.
    pub kind: &'static str,
    /// Whether anything was written.
    pub outcome: &'static str,
    /// Whether to try again.
    pub retry: &'static str,
    /// For people.
    pub message: String,
    /// The error in the spelling that all languages share, where it has details.
    pub json: Option<String>,
    /// What was thrown behind it.
    pub thrown: Option<u32>,
    /// Whether that is to come out in its place.
    pub plain: bool,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().slug(),
            kind: error.kind().slug(),
            outcome: error.outcome().slug(),
            retry: error.retry().slug(),
            message: error.message().into(),
            json: (!error.refusals().is_empty()).then(|| json::text(error)),
            thrown: thrown(error),
            plain: error.code() == Code::Foreign,
        }
    }
}

/// An argument of a wrong type: a `TypeError`.
#[cold]
pub fn wrong_type(message: impl Into<String>) -> napi::Error {
    napi::Error::new(Status::ObjectExpected, message.into())
}

/// An argument that can't be right: an `Invalid`.
#[cold]
pub fn invalid(message: impl Into<String>) -> napi::Error {
    napi::Error::new(Status::InvalidArg, message.into())
}

/// One row of the catalogue.
#[napi(object, object_from_js = false)]
pub struct Row {
    /// The stable name of a cause.
    pub code: &'static str,
    /// What the caller should do.
    pub kind: &'static str,
    /// Whether anything was written, unless the error says otherwise.
    pub outcome: &'static str,
    /// Whether to try again.
    pub retry: &'static str,
}

/// Every code with its kind, outcome and retry.
#[napi]
pub fn catalogue() -> Vec<Row> {
    let row = |code: &Code| Row {
        code: code.slug(),
        kind: code.kind().slug(),
        outcome: code.outcome().slug(),
        retry: code.retry().slug(),
    };
    CATALOGUE.iter().map(row).collect()
}
