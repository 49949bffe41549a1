//! Answers that went well.

use bytes::Bytes;
use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use tenure::core::json::Spelled;

use crate::body::Body;

/// Room for the text of a task with some data: to grow costs more than to write.
const ROOM: usize = 512;

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
    let mut text = Vec::with_capacity(ROOM);
    // As `json::text` does it: only a map with keys that are no strings could fail.
    let written = serde_json::to_writer(&mut text, &Spelled(value));
    debug_assert!(written.is_ok(), "a spelling could not be written: {written:?}");
    json_text(text)
}

/// Any JSON value.
pub fn json(value: &serde_json::Value) -> Response<Body> {
    json_text(value.to_string())
}
