//! What happens, as server-sent events, and what has happened.
//!
//! An event's id is its revision. Whoever comes back with the last one that he saw (`Last-Event-ID`, or `after`) gets
//! what came since, from the journal; where the journal no longer holds it the answer is 410, and he begins anew with
//! the state.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
};
use tenure::{
    Code, Error, Revision, Store, TaskId,
    core::{engine::Event, json},
    history::History,
};
use tokio::sync::{broadcast, mpsc};

use super::tasks::page_of;
use crate::{
    access::{On, Scope},
    app::App,
    body::Body,
    call::Call,
    problem::Problem,
    respond,
    route::Answer,
};

/// How often something is sent where nothing happens, so that both sides learn when the other is gone.
const PULSE: Duration = Duration::from_secs(10);

/// Bytes that are sent at a time while one catches up.
const PIECE: usize = 64 << 10;

fn history(store: &Store) -> tenure::Result<History> {
    match store.path() {
        Some(path) => History::open(path),
        None => Err(Error::new(Code::Unsupported, "a store in memory keeps no log: watch it from now on")),
    }
}

fn spell(text: &mut String, event: &Event) {
    let _ = write!(text, "id: {}\nevent: entry\ndata: {}\n\n", event.revision, json::text(event));
}

/// Refuses a place that the journal no longer goes back to.
fn holds(old: &History, after: Revision, remedy: &str) -> Result<(), Problem> {
    let begin = old.revision();
    if after >= begin {
        return Ok(());
    }
    let why = format!("the journal begins behind revision {begin}: {remedy}");
    Err(Problem::new(StatusCode::GONE, "truncated", why).with("revision", begin.0))
}

/// Follows the store.
pub async fn watch(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["after"])?;
    call.who.need(Scope::Read, On::All)?;
    let after = match (call.query.number("after")?, call.header(HeaderName::from_static("last-event-id"))) {
        (Some(after), _) => Some(after),
        (None, Some(id)) => {
            Some(id.parse().map_err(|_| Problem::invalid("Last-Event-ID is a revision, as an event's id is"))?)
        }
        (None, None) => None,
    };
    // From here on nothing is missed; what the journal holds comes before.
    let live = app.hub.subscribe(&app).await?;
    let begin = app.read(Store::revision).await?;
    let old = match after.map(Revision).filter(|after| *after < begin) {
        None => None,
        Some(after) => {
            let old = app.read(history).await?;
            holds(&old, after, "read the state, then follow from there")?;
            Some((old, after))
        }
    };
    let (send, pieces) = mpsc::channel(4);
    let first = format!(
        "retry: 1000\nid: {}\nevent: start\ndata: {{\"revision\":{begin}}}\n\n",
        after.unwrap_or(begin.0).min(begin.0)
    );
    tokio::spawn(follow(app, send, first, old, begin, live));
    let mut response = Response::new(Body::pieces(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

type Pieces = mpsc::Sender<std::io::Result<Bytes>>;

async fn follow(
    app: Arc<App>,
    send: Pieces,
    first: String,
    old: Option<(History, Revision)>,
    begin: Revision,
    mut live: broadcast::Receiver<Arc<Event>>,
) {
    if send.send(Ok(first.into())).await.is_err() {
        return;
    }
    let mut seen = begin;
    if let Some((old, after)) = old {
        let sender = send.clone();
        let caught_up = tokio::task::spawn_blocking(move || catch_up(old, after, &sender)).await;
        match caught_up {
            Ok(Ok(revision)) => seen = revision,
            // It ends here; who comes back hears why.
            _ => return,
        }
    }
    let mut stopping = app.stopping.clone();
    loop {
        let event = tokio::select! {
            event = tokio::time::timeout(PULSE, live.recv()) => event,
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = send.closed() => return,
        };
        let mut text = String::new();
        match event {
            Err(_) => text.push_str(":\n\n"),
            Ok(Ok(event)) => {
                let mut next = Some(event);
                while let Some(event) = next {
                    if event.revision > seen {
                        seen = event.revision;
                        spell(&mut text, &event);
                    }
                    next = if text.len() < PIECE { live.try_recv().ok() } else { None };
                }
            }
            Ok(Err(_)) => return,
        }
        if !text.is_empty() && send.send(Ok(text.into())).await.is_err() {
            return;
        }
    }
}

/// Sends what the journal holds behind a revision, and answers with the last one of it.
fn catch_up(mut old: History, after: Revision, send: &Pieces) -> tenure::Result<Revision> {
    let gone = || Error::new(Code::Cancelled, "nobody listens any more");
    let mut text = String::new();
    old.read(&mut |event| {
        if event.revision > after {
            spell(&mut text, &event);
        }
        if text.len() < PIECE {
            return Ok(());
        }
        send.blocking_send(Ok(std::mem::take(&mut text).into())).map_err(|_| gone())
    })?;
    if !text.is_empty() {
        send.blocking_send(Ok(text.into())).map_err(|_| gone())?;
    }
    Ok(old.revision())
}

/// Who did what: entries that a filter lets through, the oldest first; behind a revision, where one is named.
pub async fn log(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&["task", "owner", "by", "after", "limit"])?;
    call.who.need(Scope::Read, On::All)?;
    let limit = page_of(&call)?;
    let (task, owner) = (call.query.number("task")?, call.query.number("owner")?);
    let by = call.query.get("by").map(ToOwned::to_owned);
    let after = Revision(call.query.number("after")?.unwrap_or(0));
    let mut old = app.read(history).await?;
    if after > Revision(0) {
        holds(&old, after, "leave `after` out for the oldest entry that there is")?;
    }
    let text = app
        .read(move |store| {
            let ids = task.map(|id| lives(store, TaskId(id))).transpose()?;
            let wanted = |event: &Event| {
                event.revision > after
                    && owner.is_none_or(|owner| event.owner.0 == owner)
                    && by.as_ref().is_none_or(|by| event.actor.contains(by.as_str()))
                    && ids.as_ref().is_none_or(|ids| {
                        event.changes.iter().any(|change| ids.contains(&change.id) || ids.contains(&change.old))
                    })
            };
            let mut entries = Vec::new();
            let mut last = None;
            old.read(&mut |event| {
                if entries.len() < limit && wanted(&event) {
                    last = Some(event.revision);
                    entries.push(json::text(&event));
                }
                Ok(())
            })?;
            let next = last.filter(|_| entries.len() == limit);
            let next = next.map_or(String::new(), |next| format!(",\"next\":{next}"));
            Ok(format!("{{\"entries\":[{}]{next}}}", entries.join(",")))
        })
        .await?;
    Ok(respond::json_text(text))
}

/// All ids that a task had, as far as the journal goes back.
fn lives(store: &Store, id: TaskId) -> tenure::Result<HashSet<TaskId>> {
    let mut origins: HashMap<TaskId, TaskId> = HashMap::new();
    history(store)?.read(&mut |event| {
        for change in event.changes.iter().filter(|change| change.id.0 != 0) {
            let begin = if change.old.0 == 0 { change.id } else { *origins.get(&change.old).unwrap_or(&change.old) };
            origins.insert(change.id, begin);
        }
        Ok(())
    })?;
    let origin = *origins.get(&id).unwrap_or(&id);
    let mut ids: HashSet<TaskId> = origins.iter().filter(|(_, begin)| **begin == origin).map(|(id, _)| *id).collect();
    ids.extend([id, origin]);
    Ok(ids)
}
