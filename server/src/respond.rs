//! Answers that went well.

use bytes::Bytes;
use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use tenure::core::json::{self, Spelled};

use crate::body::Body;

/// JSON that is text already.
pub fn json_text(text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A value of the store, in its JSON spelling.
pub fn spelled<T: ?Sized>(value: &T) -> Response<Body>
where
    for<'a> Spelled<'a, T>: Serialize,
{
    json_text(json::text(value))
}

/// Any JSON value.
pub fn json(value: &serde_json::Value) -> Response<Body> {
    json_text(value.to_string())
}
