//! What went wrong, as an answer: RFC 9457 problem details with the catalogue's code, outcome and retry.
//!
//! | kind | status |
//! |---|---|
//! | rejected | 409 |
//! | fenced | 423 |
//! | not_found | 404 |
//! | invalid | 400 |
//! | full | 507 |
//! | timeout | 504 |
//! | unavailable | 503 |
//! | unknown | 502 |
//! | corrupt | 500 |
//! | closed | 503 |
//! | internal | 500 |

use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::{Map, Value, json};
use tenure::{Error, Kind, core::json::Spelled};

use crate::body::Body;

/// The media type.
pub const PROBLEM: &str = "application/problem+json";

/// The status of a kind of error.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Rejected => StatusCode::CONFLICT,
        Kind::Fenced => StatusCode::LOCKED,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Unavailable | Kind::Closed => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Unknown => StatusCode::BAD_GATEWAY,
        // A kind that this program does not know is a fault of it.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    more: Box<More>,
}

#[derive(Debug)]
struct More {
    detail: String,
    rest: Map<String, Value>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A fault of the request itself, before any store saw it.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let retry = if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT { "later" } else { "no" };
        let rest = [("outcome", "not_started"), ("retry", retry)];
        let rest = rest.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Self { status, code, more: Box::new(More { detail: detail.into(), rest, header: None }) }
    }

    /// A request that can't be right.
    pub fn invalid(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid", detail);
        problem.more.rest.insert("kind".into(), "invalid".into());
        problem
    }

    /// A member of the answer beyond the usual ones.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.rest.insert(name.into(), value.into());
        self
    }

    /// A header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.more.header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.more.detail
    }

    /// Its JSON.
    pub fn text(&self) -> String {
        let mut body = self.more.rest.clone();
        body.insert("type".into(), format!("urn:tenure:problem:{}", self.code).into());
        body.insert("title".into(), self.code.replace('_', " ").into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("detail".into(), self.more.detail.as_str().into());
        body.insert("code".into(), self.code.into());
        Value::Object(body).to_string()
    }

    pub fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.text()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if let Some((name, value)) = self.more.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(status(error.kind()), error.code().slug(), error.message());
        let spelled = json!(Spelled(&error));
        for name in ["kind", "outcome", "retry", "details"] {
            if let Some(value) = spelled["error"].get(name) {
                problem.more.rest.insert(name.into(), value.clone());
            }
        }
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_status_of_the_table_above() {
        let mut left = Kind::ALL.to_vec();
        for line in include_str!("problem.rs").lines().filter_map(|line| line.strip_prefix("//! | ")) {
            let Some((kind, status)) = line.trim_end_matches(" |").split_once(" | ") else { continue };
            let Ok(number) = status.parse::<u16>() else { continue };
            let at = left.iter().position(|known| known.slug() == kind).expect("a kind of the catalogue, once");
            assert_eq!(super::status(left.remove(at)).as_u16(), number, "{kind}");
        }
        assert_eq!(left, [], "the table has every kind");
    }

    #[test]
    fn every_code_becomes_a_problem_with_its_outcome_and_retry() {
        for code in tenure::core::error::CATALOGUE {
            let problem = Problem::from(Error::new(*code, "why"));
            assert_eq!(problem.code, code.slug());
            assert_eq!(problem.more.rest["kind"], code.kind().slug());
            assert_eq!(problem.more.rest["outcome"], code.outcome().slug());
            assert!(problem.more.rest["retry"].is_string());
            assert!(problem.status.is_client_error() || problem.status.is_server_error());
        }
    }
}
