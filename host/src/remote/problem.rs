//! What went wrong, as an error: problem details from a service, failures on the way, answers that are none.

use std::error::Error as _;

use hyper::StatusCode;
use tenure_core::{Code, Error, Millis, Outcome, Retry, json::read_error};

/// An attempt that did not work.
pub(super) struct Failure {
    pub error: Error,
    /// Whether the same call may work if it is made again.
    pub again: bool,
    /// Whether it may have been done all the same.
    pub maybe_done: bool,
}

impl Failure {
    /// For good: nothing was done.
    pub fn last(error: Error) -> Self {
        Self { maybe_done: error.outcome() == Outcome::Unknown, again: false, error }
    }

    /// No connection came about: nothing was sent.
    pub fn unreached(url: &str, error: &hyper_util::client::legacy::Error) -> Self {
        let why = format!("{url} can't be reached: {}; see that the service runs there (tenure serve)", root(error));
        // A certificate that is not believed will not be believed the next time either.
        let again = !why.contains("certificate");
        Self { error: Error::new(Code::Unavailable, why), again, maybe_done: false }
    }

    /// The connection broke, or the answer did not come.
    pub fn broken(url: &str, why: &str) -> Self {
        let why = format!("{url} did not answer: {why}");
        Self { error: Error::new(Code::Unavailable, why), again: true, maybe_done: true }
    }

    /// An answer that no service of Tenure gives.
    pub fn foreign(url: &str, why: &str) -> Self {
        let why = format!("what answers at {url} is no service of Tenure, or not of this version: {why}");
        Self { error: Error::new(Code::Unsupported, why), again: false, maybe_done: true }
    }

    /// An answer that says what went wrong.
    pub fn told(url: &str, status: StatusCode, body: &[u8], now: Millis) -> Self {
        let Ok(mut told) = read_error(body, now) else { return Self::by_status(url, status) };
        if told.known == Some(Code::Closed) {
            // The service's handle, not the caller's: it is stopping, and will be back.
            (told.known, told.retry) = (Some(Code::Unavailable), Some(Retry::Later));
        }
        let (outcome, retry) = (told.outcome, told.retry);
        let code = if matches!(status.as_u16(), 401 | 403) { Code::Forbidden } else { by(status) };
        let mut error = told.or(code);
        if status == StatusCode::UNAUTHORIZED {
            error = error.context("the service asks for a right token");
        }
        let outcome = outcome.unwrap_or(error.outcome());
        let again = match retry.unwrap_or(error.retry()) {
            Retry::No => false,
            // What was refused was looked at: that it may be otherwise later is for the caller to judge.
            Retry::Later => outcome == Outcome::NotStarted,
            Retry::WithSameRequestId => true,
        };
        Self { again, maybe_done: outcome == Outcome::Unknown, error: error.with_outcome(outcome) }
    }

    /// An answer without problem details: from something between, or from no service at all.
    fn by_status(url: &str, status: StatusCode) -> Self {
        match status.as_u16() {
            300..=399 => Self::foreign(url, &format!("it answers {status}: give the URL of the service itself")),
            401 | 403 | 407 => Self::last(Error::new(
                Code::Forbidden,
                format!("{url} lets nobody in without a right token ({status})"),
            )),
            408 | 425 | 429 => {
                let error = Error::new(Code::Unavailable, format!("{url} answers {status}: try later"));
                Self { error, again: true, maybe_done: false }
            }
            500.. => Self::broken(url, &format!("it answers {status}, and nothing else")),
            _ => Self { maybe_done: false, ..Self::foreign(url, &format!("it answers {status}")) },
        }
    }
}

/// The nearest code to a status whose code is not known here.
fn by(status: StatusCode) -> Code {
    match status.as_u16() {
        404 | 405 | 415 => Code::Unsupported,
        408 => Code::Timeout,
        413 | 414 | 431 => Code::OverLimit,
        429 => Code::Unavailable,
        400..500 => Code::Invalid,
        _ => Code::Unavailable,
    }
}

/// The innermost cause: the others only say that something went wrong.
fn root(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

pub(super) fn cause(error: &hyper_util::client::legacy::Error) -> String {
    let inner = error.source().map_or_else(|| error.to_string(), |_| root(error));
    if inner.is_empty() { error.to_string() } else { inner }
}
