//! One request from its head to its answer.

use std::{borrow::Cow, convert::Infallible, future::Future, sync::Arc, time::Instant};

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::{Map, Value};
use tenure::{Code, Error};

use crate::{
    access::Who,
    app::App,
    body::Body,
    call::{Call, Query},
    coming::Coming,
    config::Level,
    conn::{Conn, Doing, Sending},
    headers::{Came, Named},
    problem::Problem,
    route::{self, Answer, Route},
    underway::{Manner, Slot, Underway, copy},
};

/// The store's time at the answer, in milliseconds since the Epoch.
const NOW: HeaderName = HeaderName::from_static("tenure-now");

/// What is known of a request by and by, for the log and the numbers.
struct Known {
    method: Method,
    path: Cow<'static, str>,
    route: Option<&'static Route>,
    who: Option<Arc<Who>>,
    /// What the caller says of himself.
    told: Option<HeaderValue>,
    code: Option<&'static str>,
}

/// What is kept of a request until it is answered.
pub struct Asked {
    app: Arc<App>,
    conn: Arc<Conn>,
    known: Known,
    origin: Option<HeaderValue>,
    began: Instant,
}

impl Asked {
    /// Makes its response of what the handler answers, once.
    pub fn finish(&mut self, answer: Answer) -> Response<Body> {
        let Self { app, conn, known, origin, began } = self;
        let mut response = answer.unwrap_or_else(|problem| {
            known.code = Some(problem.code);
            problem.response()
        });
        app.site.allow(origin.as_ref(), &mut response);
        if known.path.starts_with("/v1/") {
            // A client judges leases by this clock.
            response.headers_mut().insert(NOW, HeaderValue::from(app.store.now()));
        }
        note(app, known, &response, *began);
        response.map(|body| body.noting(Sending::begin(conn.clone())))
    }
}

/// Answers one request. All that is known of it is in the slot: what this returns is no more than a look there.
pub fn answer(
    app: Arc<App>,
    conn: Arc<Conn>,
    slot: Arc<Slot>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> {
    if !slot.is_answered() {
        begin(app, conn, &slot, request);
    }
    async move { Ok(slot.answer().await) }
}

fn begin(app: Arc<App>, conn: Arc<Conn>, slot: &Slot, request: Request<Incoming>) {
    conn.begin(Doing::Reading);
    let began = Instant::now();
    // Copied: what is left of the head would keep the connection's whole read buffer while the request is served.
    let came = Came::of(request.headers());
    let origin = if app.config.origins.is_empty() { None } else { came.get(Named::Origin, request.headers()) };
    let origin = origin.and_then(copy);
    let method = request.method().clone();
    let known = Known { method, path: Cow::Borrowed(""), route: None, who: None, told: None, code: None };
    let manner = Manner::of(&request, came);
    let mut asked = Asked { app, conn, known, origin, began };
    let answer = match admit(&asked.app, &asked.conn, request, came, &mut asked.known) {
        Ok(Admitted::Call(route, call)) => {
            let running = (route.run)(asked.app.clone(), call);
            return slot.begin(Underway { running, asked, manner });
        }
        Ok(Admitted::Answer(answer)) => Ok(answer),
        Err(problem) => Err(problem),
    };
    slot.keep(asked.finish(answer));
}

/// A request that was let in, or that is answered already.
enum Admitted {
    Call(&'static Route, Box<Call>),
    Answer(Response<Body>),
}

fn admit(
    app: &App,
    conn: &Arc<Conn>,
    request: Request<Incoming>,
    came: Came,
    known: &mut Known,
) -> Result<Admitted, Problem> {
    let (head, body) = request.into_parts();
    let found = route::find(&head.method, head.uri.path());
    known.path = match &found {
        Ok((route, parts)) if parts.is_empty() => Cow::Borrowed(route.path),
        _ => Cow::Owned(head.uri.path().to_owned()),
    };
    let origin = came.get(Named::Origin, &head.headers);
    app.site.check(&head.uri, &head.headers, origin)?;
    if head.method == Method::OPTIONS && origin.is_some() {
        return Ok(Admitted::Answer(app.site.preflight(&head.headers)));
    }
    let (route, parts) = found?;
    known.route = Some(route);
    if matches!(route.method, Method::POST | Method::PUT) && !is_json(head.headers.get(CONTENT_TYPE)) {
        let why = "send Content-Type: application/json: no web page can do that to a foreign site unasked";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", why));
    }
    let who = app.who(&head.headers, route.is_open())?;
    if let Some(wanted) = came.get(Named::Store, &head.headers) {
        same_store(app, wanted)?;
    }
    known.who = Some(who.clone());
    known.told = came.get(Named::Actor, &head.headers).and_then(copy);
    let query = Query::read(head.uri.query())?;
    let coming = Coming::begin(body, app.config.body_bytes)?;
    let (headers, body, conn) = (head.headers, Bytes::new(), conn.clone());
    Ok(Admitted::Call(route, Box::new(Call { parts, query, headers, came, body, coming, who, conn })))
}

/// Refuses a client that knows another store at this place, as one that was restored meanwhile.
fn same_store(app: &App, wanted: &HeaderValue) -> Result<(), Problem> {
    let identity = app.store.identity().to_string();
    if wanted.as_bytes() == identity.as_bytes() {
        return Ok(());
    }
    let why = "another store is served here than the one that this client knows: connect anew";
    Err(Error::new(Code::Replaced, why).into())
}

fn is_json(kind: Option<&HeaderValue>) -> bool {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Counts a request, and writes its line where one is wanted.
fn note(app: &App, known: &Known, response: &Response<Body>, began: Instant) {
    let (status, took) = (response.status(), began.elapsed());
    app.metrics.requests.answered(known.route, status.as_u16(), took);
    if let Some(code) = known.code {
        app.metrics.requests.refused(code);
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
    line.insert("method".into(), known.method.as_str().into());
    line.insert("path".into(), known.path.as_ref().into());
    line.insert("status".into(), status.as_u16().into());
    line.insert("micros".into(), (took.as_micros() as u64).into());
    let actor =
        |who: &Arc<Who>| who.actor(known.told.as_ref()).map_or_else(|| who.to_string(), |actor| actor.to_string());
    line.insert("actor".into(), known.who.as_ref().map_or(Value::Null, |who| actor(who).into()));
    if let Some(code) = known.code {
        line.insert("code".into(), code.into());
    }
    app.log.line("request", line);
}
