//! Errors on their way from JavaScript.

use tenure_core::{Code, Error, Outcome, error::CATALOGUE};

use crate::error::Thrown;

/// An error as JavaScript describes it: a code of the catalogue, a text, what is known of the write, and the number of
/// what was thrown, 0 for nothing.
pub fn inward(code: &str, message: &str, outcome: &str, thrown: u32) -> Error {
    let code = CATALOGUE.iter().copied().find(|known| known.slug() == code).unwrap_or(Code::Foreign);
    let outcomes = [Outcome::Refused, Outcome::NotStarted, Outcome::Unknown];
    let outcome = outcomes.into_iter().find(|known| known.slug() == outcome).unwrap_or(code.outcome());
    let error = Error::new(code, message).with_outcome(outcome);
    if thrown == 0 { error } else { error.with_source(Thrown(thrown)) }
}
