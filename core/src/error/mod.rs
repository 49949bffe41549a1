//! One error type. Its *kind* says what the caller should do, its *code* is stable, its message names cause and
//! next step, and `outcome` tells whether anything was written.

mod catalogue;
mod refusal;
mod wording;

pub use catalogue::{CATALOGUE, Code, Kind, Outcome, Retry};
pub use refusal::{Fate, Refusal};

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt::{self, Write as _};

/// What a call answers when it does not answer with its result.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    outcome: Outcome,
    message: String,
    refusals: Vec<Refusal>,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

/// The result of nearly every call.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// An error with the outcome that its code has by default.
    #[cold]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            outcome: code.outcome(),
            message: message.into(),
            refusals: Vec::new(),
            source: None,
        }))
    }

    /// A rejected transaction, with every reason for it. The code is that of a lost claim if any reason is one.
    #[cold]
    pub fn rejected(refusals: Vec<Refusal>) -> Self {
        let code = refusals.iter().map(Refusal::code).max_by_key(|code| code.weight()).unwrap_or(Code::Rejected);
        let mut message = String::new();
        for (i, refusal) in refusals.iter().enumerate() {
            if i == 8 {
                let _ = write!(message, "; and {} more reasons", refusals.len() - i);
                break;
            }
            if i > 0 {
                message.push_str("; ");
            }
            let _ = write!(message, "{refusal}");
        }
        let mut error = Self::new(code, message);
        error.0.refusals = refusals;
        error
    }

    /// The same error with reasons that were told apart from it, as another program told them.
    #[must_use]
    pub fn with_refusals(mut self, refusals: Vec<Refusal>) -> Self {
        self.0.refusals = refusals;
        self
    }

    /// The same error with another outcome: what is known of the write differs from the code's default.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// The same error with the error of the layer below it.
    #[must_use]
    pub fn with_source(mut self, source: impl core::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same error with text in front of its message: what was being done.
    #[must_use]
    pub fn context(mut self, what: &str) -> Self {
        self.0.message = alloc::format!("{what}: {}", self.0.message);
        self
    }

    /// What the caller should do.
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// The stable name of the cause.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether anything was written.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether, and how, to try again.
    pub fn retry(&self) -> Retry {
        if self.0.outcome == Outcome::Unknown { Retry::WithSameRequestId } else { self.0.code.retry() }
    }

    /// Cause and next step, for people. Not part of the API: it may be worded better at any time.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All reasons for a rejection; empty for every other kind.
    pub fn refusals(&self) -> &[Refusal] {
        &self.0.refusals
    }

    /// Whether this is a rejection because of a claim that is no longer the caller's.
    pub fn is_lease_lost(&self) -> bool {
        self.code() == Code::LeaseLost
    }

    /// The error of a host's own journal, given back unchanged.
    pub fn foreign(&self) -> Option<&(dyn core::error::Error + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("code", &self.0.code.slug())
            .field("outcome", &self.0.outcome)
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
