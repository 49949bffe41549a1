//! Records. The revision that last wrote one is its entity tag: a write under `If-Match` happens only where it is still
//! that, one under `If-None-Match: *` only where there is none.

use std::{fmt::Write as _, sync::Arc};

use hyper::{
    Response, StatusCode,
    header::{ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use tenure::{Code, Data, Error, Increment, Put, Remove, Request, Revision, core::json};

use super::tasks::page_of;
use crate::{
    access::{On, Scope},
    app::App,
    body::Body,
    call::Call,
    listing::from_base64,
    problem::Problem,
    respond,
    route::Answer,
};

fn tagged(mut response: Response<Body>, revision: Revision) -> Response<Body> {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The revision that a record must have, by the request's headers.
fn expected(call: &Call) -> Result<Option<Revision>, Problem> {
    match (call.header(IF_MATCH), call.header(IF_NONE_MATCH)) {
        (None, None) => Ok(None),
        (None, Some("*")) => Ok(Some(Revision(0))),
        (Some(tag), None) => {
            let revision = tag.trim().strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let revision = revision.and_then(|tag| tag.parse().ok()).filter(|revision| *revision > 0);
            let why = "If-Match takes the entity tag that a read or a write of the record gave, as \"17\"";
            revision.map(Revision).map(Some).ok_or_else(|| Problem::invalid(why))
        }
        _ => Err(Problem::invalid("If-None-Match takes *, and not beside If-Match, where a record is written")),
    }
}

/// Where a condition came in a header, its failure is that of a precondition.
fn failed(error: Error, conditional: bool) -> Problem {
    let precondition = conditional && error.code() == Code::StaleRecord;
    let problem = Problem::from(error);
    if precondition { problem.with_status(StatusCode::PRECONDITION_FAILED) } else { problem }
}

/// The names of the tables that have records.
pub async fn tables(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&[])?;
    let mut names = app.read(tenure::Store::tables).await?;
    names.retain(|name| call.who.may(Scope::Read, On::Table(name)));
    Ok(respond::json(&json!({"tables": names})))
}

/// A page of a table's records, by key.
pub async fn list(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["prefix", "after", "limit"])?;
    let table = call.part(0).to_owned();
    call.who.need(Scope::Read, On::Table(&table))?;
    let limit = page_of(&call)?;
    let prefix = call.query.get("prefix").unwrap_or_default().to_owned();
    let after = call.query.get("after").map(ToOwned::to_owned);
    let records = app.read(move |store| store.scan(&table, &prefix, after.as_deref(), limit)).await?;
    let mut text = json::text(records.as_slice());
    if records.len() == limit
        && let Some(last) = records.last()
    {
        text.truncate(text.len() - 1);
        let _ = write!(text, ",\"next\":{}}}", json!(&*last.key));
    }
    Ok(respond::json_text(text))
}

/// A record.
pub async fn get(app: Arc<App>, call: Box<Call>) -> Answer {
    let (table, key) = (call.part(0).to_owned(), call.part(1).to_owned());
    call.who.need(Scope::Read, On::Table(&table))?;
    let what = format!("there is no record {key:?} in table {table:?}, or it has expired");
    let Some(record) = app.read(move |store| store.get(&table, &key)).await? else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", what).with("kind", "not_found"));
    };
    let revision = record.revision;
    if call.header(IF_NONE_MATCH).is_some_and(|tag| tag.trim() == format!("\"{revision}\"")) {
        let mut unchanged = Response::new(Body::from(""));
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(tagged(unchanged, revision));
    }
    Ok(tagged(respond::spelled(&record), revision))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    #[serde(default, deserialize_with = "there")]
    value: Option<String>,
    #[serde(default, deserialize_with = "there")]
    value_base64: Option<String>,
    #[serde(default, deserialize_with = "there")]
    expires_at: Option<u64>,
}

/// What is named has a value: `null` is none.
fn there<'a, T: Deserialize<'a>, D: Deserializer<'a>>(given: D) -> Result<Option<T>, D::Error> {
    T::deserialize(given).map(Some)
}

fn body<'a, T: Deserialize<'a>>(call: &'a Call) -> Result<T, Problem> {
    serde_json::from_slice(&call.body).map_err(|error| Problem::invalid(format!("the body: {error}")))
}

/// Writes a record.
pub async fn put(app: Arc<App>, call: Box<Call>) -> Answer {
    let given: Value = body(&call)?;
    let value: Data = match (given.value, given.value_base64) {
        (Some(text), None) => text.into(),
        (None, Some(coded)) => from_base64(&coded).map_err(|why| Problem::invalid(format!("value_base64: {why}")))?,
        _ => return Err(Problem::invalid("give `value` or `value_base64`")),
    };
    let expect = expected(&call)?;
    let (table, key) = (call.part(0).to_owned(), call.part(1).to_owned());
    let expires_at = given.expires_at.filter(|at| *at != 0);
    commit(&app, call, Request { puts: vec![Put { table, key, value, expect, expires_at }], ..Request::default() })
        .await
}

/// Removes a record.
pub async fn remove(app: Arc<App>, call: Box<Call>) -> Answer {
    let expect = expected(&call)?;
    let (table, key) = (call.part(0).to_owned(), call.part(1).to_owned());
    commit(&app, call, Request { removes: vec![Remove { table, key, expect }], ..Request::default() }).await
}

async fn commit(app: &App, call: Box<Call>, mut request: Request) -> Answer {
    let conditional = call.header(IF_MATCH).is_some() || call.header(IF_NONE_MATCH).is_some();
    (request.actor, request.request_id) = (call.actor(), call.idempotency_key());
    request.owner = app.owners.bind(&call.who, request.owner)?;
    call.who.need_update(app, &request).await?;
    let revision = app.update(request, call.leave()).await.map_err(|error| failed(error, conditional))?.revision;
    Ok(tagged(respond::json(&json!({"revision": revision})), revision))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    by: i64,
    #[serde(default, deserialize_with = "there")]
    min: Option<i64>,
    #[serde(default, deserialize_with = "there")]
    max: Option<i64>,
}

/// Adds to a number.
pub async fn increment(app: Arc<App>, call: Box<Call>) -> Answer {
    let Step { by, min, max } = body(&call)?;
    for (name, number) in [("by", Some(by)), ("min", min), ("max", max)] {
        if number.is_some_and(|number| number.unsigned_abs() > tenure::core::id::MAX_ID) {
            return Err(Problem::invalid(format!("`{name}` is beyond {}", tenure::core::id::MAX_ID)));
        }
    }
    let (table, key) = (call.part(0).to_owned(), call.part(1).to_owned());
    let increments = vec![Increment { table, key, by, min, max }];
    let (actor, request_id) = (call.actor(), call.idempotency_key());
    let mut request = Request { increments, actor, request_id, ..Request::default() };
    request.owner = app.owners.bind(&call.who, request.owner)?;
    call.who.need_update(&app, &request).await?;
    let committed = app.update(request, call.leave()).await?;
    let answer = json!({"revision": committed.revision, "value": committed.counts.first()});
    Ok(tagged(respond::json(&answer), committed.revision))
}
