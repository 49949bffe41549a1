//! The dashboard: a few files in the program, nothing from elsewhere. It holds no data of the store; what it shows it asks
//! for as any client does, with the token that it is given.

use std::sync::Arc;

use hyper::{
    Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use crate::{app::App, body::Body, call::Call, problem::Problem, route::Answer};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

fn file(kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn page(_: Arc<App>, _: Box<Call>) -> Answer {
    Ok(file("text/html; charset=utf-8", include_str!("index.html")))
}

/// What the page is made of besides.
const PARTS: &[(&str, &str, &str)] = &[
    ("board.css", "text/css; charset=utf-8", include_str!("board.css")),
    ("board.js", "text/javascript; charset=utf-8", include_str!("board.js")),
    ("chart.js", "text/javascript; charset=utf-8", include_str!("chart.js")),
    ("rows.js", "text/javascript; charset=utf-8", include_str!("rows.js")),
];

/// A part of it.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn part(_: Arc<App>, call: Box<Call>) -> Answer {
    let asked = call.part(0);
    let Some((_, kind, text)) = PARTS.iter().find(|(name, ..)| *name == asked) else {
        let why = format!("the dashboard has no part {asked:.40?}: it begins at /ui");
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_route", why));
    };
    Ok(file(kind, text))
}

/// From the root to the page.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn root(_: Arc<App>, _: Box<Call>) -> Answer {
    let mut response = Response::new(Body::from(""));
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/ui"));
    Ok(response)
}
