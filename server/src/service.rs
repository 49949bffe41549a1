//! One request from its head to its answer.

use std::{convert::Infallible, sync::Arc, time::Instant};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, ORIGIN},
    http::request::Parts,
};
use serde_json::{Map, Value};

use crate::{
    access::Who,
    app::App,
    body::Body,
    call::{Call, Query, read_body},
    config::Level,
    conn::{Conn, Doing, Sending},
    problem::Problem,
    route::{self, Route},
};

/// What is known of a request by and by, for the log and the numbers.
#[derive(Default)]
struct Known {
    route: Option<&'static Route>,
    who: Option<Arc<Who>>,
    code: Option<&'static str>,
}

/// Answers one request.
pub async fn answer(app: Arc<App>, conn: Arc<Conn>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    conn.begin(Doing::Reading);
    let began = Instant::now();
    let (mut head, body) = request.into_parts();
    let origin = if app.config.origins.is_empty() { None } else { head.headers.get(ORIGIN).cloned() };
    let mut known = Known::default();
    let answer = handle(&app, &conn, &mut head, body, &mut known).await;
    let mut response = answer.unwrap_or_else(|problem| {
        known.code = Some(problem.code);
        problem.response()
    });
    app.site.allow(origin.as_ref(), &mut response);
    note(&app, &head, &known, &response, began);
    Ok(response.map(|body| body.noting(Sending::begin(conn))))
}

async fn handle(
    app: &Arc<App>,
    conn: &Conn,
    head: &mut Parts,
    body: Incoming,
    known: &mut Known,
) -> Result<Response<Body>, Problem> {
    app.site.check(&head.uri, &head.headers)?;
    if head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN) {
        return Ok(app.site.preflight(&head.headers));
    }
    let (route, parts) = route::find(&head.method, head.uri.path())?;
    known.route = Some(route);
    if matches!(route.method, Method::POST | Method::PUT) && !is_json(head.headers.get(CONTENT_TYPE)) {
        let why = "send Content-Type: application/json: no web page can do that to a foreign site unasked";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", why));
    }
    let who = app.who(&head.headers, route.is_open())?;
    known.who = Some(who.clone());
    let query = Query::read(head.uri.query())?;
    let (body, room) = read_body(body, app.config.body_bytes, &app.bodies).await?;
    conn.begin(Doing::Serving);
    let call = Call { parts, query, headers: std::mem::take(&mut head.headers), body, who, _room: room };
    (route.run)(app.clone(), call).await
}

fn is_json(kind: Option<&HeaderValue>) -> bool {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Counts a request, and writes its line where one is wanted.
fn note(app: &App, head: &Parts, known: &Known, response: &Response<Body>, began: Instant) {
    let (status, took) = (response.status(), began.elapsed());
    let path = known.route.map_or("none", |route| route.path);
    // A method that nothing here takes is not worth a number of its own.
    let method = known.route.map_or("any", |route| route.method.as_str());
    app.metrics.answered(path, method, status.as_u16(), took);
    if let Some(code) = known.code {
        app.metrics.refused(code);
    }
    let level = match () {
        () if status.is_server_error() => Level::Events,
        () if status.is_client_error() => Level::Refusals,
        () => Level::Requests,
    };
    if !app.log.wants(level) {
        return;
    }
    let mut line = Map::new();
    line.insert("method".into(), head.method.as_str().into());
    line.insert("path".into(), head.uri.path().into());
    line.insert("status".into(), status.as_u16().into());
    line.insert("micros".into(), (took.as_micros() as u64).into());
    line.insert("actor".into(), known.who.as_ref().map_or(Value::Null, |who| who.to_string().into()));
    if let Some(code) = known.code {
        line.insert("code".into(), code.into());
    }
    app.log.line("request", line);
}
