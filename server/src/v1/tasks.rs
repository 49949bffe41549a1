//! Looking at tasks and groups, and a group's settings.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tenure::{
    Committed, Filter, GroupStats, Store, Task, TaskId, TaskState,
    core::json::{self, Spelled},
};

use crate::{
    access::{On, Scope, Who},
    app::App,
    call::Call,
    problem::Problem,
    respond,
    route::Answer,
};

/// Tasks of one page, unless another number is asked for, and at most.
const PAGE: (u64, u64) = (1000, 10_000);

fn missing(what: &str) -> Problem {
    let why = format!("there is no {what}: it has ended, or never was; /v1/log says what was done");
    Problem::new(StatusCode::NOT_FOUND, "not_found", why).with("kind", "not_found")
}

fn one(task: Option<Task>, who: &Who, what: &str) -> Answer {
    let Some(task) = task else { return Err(missing(what)) };
    who.need(Scope::Read, On::Group(&task.group))?;
    Ok(respond::spelled(&task))
}

/// Tasks by their ids in the order asked, or a page of those that a filter lets through, by id.
pub async fn list(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["ids", "group", "state", "after", "limit"])?;
    let may = |task: &Task| call.who.may(Scope::Read, On::Group(&task.group));
    if let Some(ids) = call.query.get("ids") {
        let id = |text: &str| {
            let number = text.parse::<u64>().ok().filter(|id| *id <= tenure::core::id::MAX_ID);
            number.map(TaskId).ok_or_else(|| Problem::invalid(format!("query: `ids`: {text:.40?} is no task's id")))
        };
        let ids = ids.split(',').map(id).collect::<Result<Vec<_>, _>>()?;
        let tasks = app.read(move |store| store.tasks_by_id(&ids)).await?;
        let tasks: Vec<Value> = tasks
            .iter()
            .map(|task| task.as_ref().filter(|task| may(task)).map_or(Value::Null, |task| json!(Spelled(task))))
            .collect();
        return Ok(respond::json(&json!({"tasks": tasks})));
    }
    let state = match call.query.get("state") {
        None => None,
        Some("available") => Some(TaskState::Available),
        Some("delayed") => Some(TaskState::Delayed),
        Some("held") => Some(TaskState::Held),
        Some(_) => return Err(Problem::invalid("query: `state` is one of available, delayed, held")),
    };
    let group = call.query.get("group").map(ToOwned::to_owned);
    call.who.need(Scope::Read, group.as_deref().map_or(On::All, On::Group))?;
    let after = TaskId(call.query.number("after")?.unwrap_or(0));
    let limit = page_of(&call)?;
    let filter = Filter { group, state, after, limit };
    let tasks = app.read(move |store| store.tasks(&filter)).await?;
    let mut text = json::text(tasks.as_slice());
    if tasks.len() == limit
        && let Some(last) = tasks.last()
    {
        // Where the next page begins.
        text.truncate(text.len() - 1);
        let _ = write!(text, ",\"next\":{}}}", last.id);
    }
    Ok(respond::json_text(text))
}

/// The `limit` of a page.
pub fn page_of(call: &Call) -> Result<usize, Problem> {
    let limit = call.query.number("limit")?.unwrap_or(PAGE.0);
    if limit == 0 || limit > PAGE.1 {
        return Err(Problem::invalid(format!("query: `limit` runs from 1 to {}", PAGE.1)));
    }
    Ok(limit as usize)
}

/// A task by its id.
pub async fn by_id(app: Arc<App>, call: Box<Call>) -> Answer {
    let id = TaskId(call.number(0)?);
    one(app.read(move |store| store.task(id)).await?, &call.who, &format!("task {id}"))
}

/// A task by the add that began it, whatever its id is by now.
pub async fn by_origin(app: Arc<App>, call: Box<Call>) -> Answer {
    let id = TaskId(call.number(0)?);
    one(app.read(move |store| store.find(id)).await?, &call.who, &format!("live task that began as {id}"))
}

/// A task by its key within a group.
pub async fn by_key(app: Arc<App>, call: Box<Call>) -> Answer {
    let (group, key) = (call.part(0).to_owned(), call.part(1).to_owned());
    let what = format!("live task with key {key:?} in group {group:?}");
    one(app.read(move |store| store.by_key(&group, &key)).await?, &call.who, &what)
}

/// The groups that have tasks, with their counts; `oldest` is since when a task waits, by the time `now`.
pub async fn groups(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&[])?;
    let mut groups = app.read(Store::groups).await?;
    groups.retain(|group| call.who.may(Scope::Read, On::Group(&group.name)));
    let groups: Vec<Value> = groups.iter().map(|group| json!(Spelled(group))).collect();
    Ok(respond::json(&json!({"now": app.store.now(), "groups": groups})))
}

/// One group; zeros where it has no tasks. With `empty_within` the answer waits until the group has no task, at most
/// that many milliseconds.
pub async fn group(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["empty_within"])?;
    let name = call.part(0).to_owned();
    call.who.need(Scope::Read, On::Group(&name))?;
    let most = u64::try_from(app.config.wait.as_millis()).unwrap_or(u64::MAX);
    let until = app.store.now() + call.query.number("empty_within")?.unwrap_or(0).min(most);
    let mut events = None;
    let mut stopping = app.stopping.clone();
    loop {
        let asked = name.clone();
        let group: GroupStats = app.read(move |store| store.group(&asked)).await?;
        let now = app.store.now();
        if group.tasks == 0 || now >= until || *stopping.borrow() {
            return Ok(respond::spelled(&group));
        }
        let Some(events) = &mut events else {
            // The next look comes after the watch has begun.
            events = Some(app.hub.subscribe(&app).await?);
            continue;
        };
        tokio::select! {
            _ = events.recv() => {}
            () = tokio::time::sleep(Duration::from_millis(until - now)) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        // What comes at once goes along.
        tokio::time::sleep(Duration::from_millis(5)).await;
        while events.try_recv().is_ok() {}
    }
}

/// Whether claims skip a group; its other settings stay.
pub async fn pause(app: Arc<App>, call: Box<Call>) -> Answer {
    let name = call.part(0).to_owned();
    call.who.need(Scope::Admin, On::Group(&name))?;
    let asked: Map<String, Value> =
        serde_json::from_slice(&call.body).map_err(|error| Problem::invalid(format!("the body: {error}")))?;
    let paused = match (asked.len(), asked.get("paused")) {
        (1, Some(Value::Bool(paused))) => *paused,
        _ => return Err(Problem::invalid(r#"the body is {"paused": true} or {"paused": false}"#)),
    };
    let actor = call.actor();
    let pause = move |store: &Store| {
        store.transact_with(None, 16, |tx| {
            if let Some(actor) = &actor {
                tx.actor(actor.clone());
            }
            tx.pause(&name, paused)
        })
    };
    let ((), Committed { revision, .. }) = app.read(pause).await?;
    Ok(respond::json(&json!({"paused": paused, "revision": revision})))
}
