//! The API of TaskStore, to the letter of what it published: paths at the root, times in milliseconds, a negative one
//! relative to now, and an answer of `tasks` or `errors`, never both.

use std::{fmt::Write as _, sync::Arc};

use hyper::{Response, StatusCode};
use serde::Deserialize;
use tenure::{
    Add, Claim, Data, Delete, Depend, Error, Filter, Kind, Millis, OwnerId, Reason, Request, Task, TaskId, TaskState,
    Update, Verb, When, core::id::MAX_ID,
};

use crate::{
    access::{On, Scope},
    app::App,
    body::Body,
    call::Call,
    listing,
    problem::{Problem, status},
    respond,
    route::Answer,
};

// Clients in Go send `null` for an empty list.
#[derive(Deserialize)]
struct UpdateCall {
    clientid: u64,
    #[serde(default)]
    adds: Option<Vec<AddCall>>,
    #[serde(default)]
    updates: Option<Vec<ChangeCall>>,
    #[serde(default)]
    deletes: Option<Vec<i64>>,
    #[serde(default)]
    depends: Option<Vec<i64>>,
}

#[derive(Deserialize)]
struct AddCall {
    group: String,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
struct ChangeCall {
    id: i64,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    data_base64: Option<String>,
    #[serde(default)]
    timespec: Option<i64>,
}

#[derive(Deserialize)]
struct ClaimCall {
    clientid: u64,
    group: String,
    #[serde(default)]
    duration: i64,
    #[serde(default)]
    depends: Option<Vec<i64>>,
}

/// What is wrong with a request, all of it.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn owner(&mut self, id: u64) -> OwnerId {
        if id == 0 || id > MAX_ID {
            self.0.push(format!("clientid: {id} is no client's number: choose one from 1 to {MAX_ID}"));
        }
        OwnerId(id)
    }

    /// An id that can't be is that of a missing task; it is named here, since the store knows no negative ones.
    fn id(&mut self, id: i64) -> TaskId {
        match u64::try_from(id) {
            Ok(id) if id > 0 && id <= MAX_ID => TaskId(id),
            _ => {
                self.0.push(format!("task {id} does not exist"));
                TaskId(0)
            }
        }
    }

    fn when(&mut self, timespec: Option<i64>) -> When {
        match timespec {
            None | Some(0) => When::Now,
            Some(at) if at.unsigned_abs() > MAX_ID => {
                self.0.push(format!("timespec: {at} is beyond {MAX_ID}"));
                When::Now
            }
            Some(at) if at < 0 => When::After(at.unsigned_abs()),
            Some(at) => When::At(at.unsigned_abs()),
        }
    }

    fn data(&mut self, rest: &mut Rest) -> Data {
        match (rest.data.take(), rest.data_base64.take()) {
            (Some(_), Some(_)) => {
                self.0.push("give `data` or `data_base64`, not both".into());
                Data::default()
            }
            (Some(text), None) => text.into(),
            (None, None) => Data::default(),
            (None, Some(coded)) => listing::from_base64(&coded).unwrap_or_else(|why| {
                self.0.push(format!("data_base64: {why}"));
                Data::default()
            }),
        }
    }
}

/// Adds, changes and deletes.
pub async fn update(app: Arc<App>, call: Box<Call>) -> Answer {
    let asked: UpdateCall = match serde_json::from_slice(&call.body) {
        Ok(asked) => asked,
        Err(error) => return Ok(errors(StatusCode::BAD_REQUEST, &[format!("the update can't be read: {error}")])),
    };
    let mut faults = Faults::default();
    let (owner, actor, request_id) = (faults.owner(asked.clientid), call.actor(), call.idempotency_key());
    let mut request = Request { owner, actor, request_id, ..Request::default() };
    for AddCall { group, mut rest } in asked.adds.unwrap_or_default() {
        let (data, available) = (faults.data(&mut rest), faults.when(rest.timespec));
        request.adds.push(Add { group, data, available, ..Add::default() });
    }
    for ChangeCall { id, mut rest } in asked.updates.unwrap_or_default() {
        let (data, available) = (Some(faults.data(&mut rest)), Some(faults.when(rest.timespec)));
        request.updates.push(Update { id: faults.id(id), verb: Verb::Update, data, available, ..Update::default() });
    }
    for id in asked.deletes.unwrap_or_default() {
        request.deletes.push(Delete { id: faults.id(id), reason: Reason::Deleted, ..Delete::default() });
    }
    request.depends = asked.depends.unwrap_or_default().into_iter().map(|id| Depend::Id(faults.id(id))).collect();
    if !faults.0.is_empty() {
        return Ok(errors(StatusCode::OK, &faults.0));
    }
    request.owner = app.owners.bind(&call.who, request.owner)?;
    call.who.need_update(&app, &request).await?;
    Ok(answer(app.update(request, call.leave()).await.map(|committed| committed.tasks)))
}

/// Claims one task of a group.
pub async fn claim(app: Arc<App>, call: Box<Call>) -> Answer {
    let asked: ClaimCall = match serde_json::from_slice(&call.body) {
        Ok(asked) => asked,
        Err(error) => return Ok(errors(StatusCode::BAD_REQUEST, &[format!("the claim can't be read: {error}")])),
    };
    let mut faults = Faults::default();
    let mut claim = Claim {
        owner: faults.owner(asked.clientid),
        actor: call.actor(),
        request_id: call.idempotency_key(),
        groups: vec![asked.group],
        // A claim for no time at all is one that has lapsed at once.
        lease: Millis::try_from(asked.duration).unwrap_or(0).max(1),
        depends: asked.depends.unwrap_or_default().into_iter().map(|id| Depend::Id(faults.id(id))).collect(),
        ..Claim::default()
    };
    if !faults.0.is_empty() {
        return Ok(errors(StatusCode::OK, &faults.0));
    }
    claim.owner = app.owners.bind(&call.who, claim.owner)?;
    call.who.need(Scope::Claim, On::Group(&claim.groups[0]))?;
    call.who.need_tasks(&app, Vec::new(), &claim.depends, claim.owner, false).await?;
    let conn = call.conn.clone();
    Ok(answer(app.claim(&conn, claim, 0, call.leave()).await.map(|committed| committed.tasks)))
}

/// The names of the groups that have tasks.
pub async fn groups(app: Arc<App>, call: Box<Call>) -> Answer {
    let mut groups = app.read(tenure::Store::groups).await?;
    groups.retain(|group| call.who.may(Scope::Read, On::Group(&group.name)));
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    Ok(respond::json_text(serde_json::to_string(&names).unwrap_or_default()))
}

/// One task, or `null`.
pub async fn task(app: Arc<App>, call: Box<Call>) -> Answer {
    let id = TaskId(call.number(0)?);
    let task = app.read(move |store| store.task(id)).await?;
    if let Some(task) = &task {
        call.who.need(Scope::Read, On::Group(&task.group))?;
    }
    let mut text = String::new();
    spell(&mut text, task.as_ref());
    Ok(respond::json_text(text))
}

/// Tasks by their ids, `null` for those that are missing.
pub async fn tasks(app: Arc<App>, call: Box<Call>) -> Answer {
    let id = |text: &str| {
        let number = text.parse::<u64>().ok().filter(|id| *id <= MAX_ID);
        number.map(TaskId).ok_or_else(|| Problem::invalid(format!("{text:.40?} is no task's id")))
    };
    let ids = call.part(0).split(',').map(id).collect::<Result<Vec<_>, _>>()?;
    let tasks = app.read(move |store| store.tasks_by_id(&ids)).await?;
    let mut text = String::from("[");
    for (at, task) in tasks.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "," });
        spell(&mut text, task.as_ref().filter(|task| call.who.may(Scope::Read, On::Group(&task.group))));
    }
    text.push(']');
    Ok(respond::json_text(text))
}

/// The tasks of a group: those that nobody holds and whose time has come, or with `owned` all.
pub async fn group(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["limit", "owned"])?;
    call.who.need(Scope::Read, On::Group(call.part(0)))?;
    // No limit is the default, and 0 has always meant that.
    let limit = call.query.number("limit")?.filter(|limit| *limit > 0).map_or(usize::MAX, |limit| limit as usize);
    let owned = call.query.flag("owned")?.unwrap_or(false);
    let state = if owned { None } else { Some(TaskState::Available) };
    let filter = Filter { group: Some(call.part(0).to_owned()), state, limit, ..Filter::default() };
    listing::stream(app, filter, "[", "]", |text, task| spell(text, Some(task))).await
}

/// Adds a task's JSON, or `null`.
fn spell(text: &mut String, task: Option<&Task>) {
    let Some(task) = task else {
        text.push_str("null");
        return;
    };
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let _ = write!(text, "{{\"id\":{},\"group\":{},", task.id, quoted(&task.group));
    let _ = match task.text() {
        Some(data) => write!(text, "\"data\":{},", quoted(data)),
        None => write!(text, "\"data_base64\":{},", quoted(&listing::to_base64(&task.data))),
    };
    let _ = write!(text, "\"timespec\":{},\"ownerid\":{}}}", task.available_at, task.owner);
}

fn answer(outcome: Result<Vec<Task>, Error>) -> Response<Body> {
    match outcome {
        Ok(tasks) => {
            let mut text = String::from("{\"tasks\":[");
            for (at, task) in tasks.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                spell(&mut text, Some(task));
            }
            text.push_str("]}");
            respond::json_text(text)
        }
        Err(error) => {
            let why: Vec<String> = error.refusals().iter().map(ToString::to_string).collect();
            let message = [error.message().to_owned()];
            // What the state did not allow, or the call could not mean, is an answer as good as any.
            let ok = matches!(error.kind(), Kind::Rejected | Kind::Invalid);
            let status = if ok { StatusCode::OK } else { status(error.kind()) };
            errors(status, if why.is_empty() { &message } else { &why })
        }
    }
}

fn errors(status: StatusCode, why: &[String]) -> Response<Body> {
    let mut response = respond::json(&serde_json::json!({"errors": why}));
    *response.status_mut() = status;
    response
}
