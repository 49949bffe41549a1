//! Snapshots, backups, numbers.

use std::{
    fs::File,
    io::{self, Read as _},
    sync::Arc,
};

use bytes::Bytes;
use hyper::{
    Response,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use tenure::{Code, Durations, Error, Store, backup::Backup};
use tokio::sync::mpsc;

use crate::{
    access::{On, Scope},
    app::App,
    body::Body,
    call::Call,
    respond,
    route::Answer,
};

/// Bytes of a backup that are sent at a time.
const PIECE: usize = 256 << 10;

/// Takes a snapshot.
pub async fn snapshot(app: Arc<App>, call: Box<Call>) -> Answer {
    call.who.need(Scope::Admin, On::All)?;
    call.nothing_more()?;
    let revision = app.read(Store::snapshot).await?;
    Ok(respond::json(&json!({"revision": revision})))
}

/// Waits until all that was answered is on stable storage.
pub async fn flush(app: Arc<App>, call: Box<Call>) -> Answer {
    call.who.need(Scope::Write, On::All)?;
    call.nothing_more()?;
    app.read(Store::flush).await?;
    Ok(respond::json(&json!({})))
}

/// Which store it is, and what a client has to know of the service. Any token may ask.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn store(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&[])?;
    Ok(respond::json(&json!({
        "store": app.store.identity().to_string(),
        "now": app.store.now(),
        "revision": app.store.weak().revision()?,
        "actor": app.store.actor(),
        "longest_wait": app.config.wait.as_millis() as u64,
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// How long things took: how often in each range, and in all.
fn times(times: &Durations) -> Value {
    let counts: Vec<u64> = times.ranges().map(|(_, count)| count).collect();
    json!({"ranges": counts, "micros": times.total().as_micros() as u64})
}

/// A store's numbers.
fn numbers(store: &Store) -> tenure::Result<Value> {
    let stats = store.stats()?;
    let journal = stats.journal;
    Ok(json!({
        "store": store.identity().to_string(),
        "now": store.now(),
        "owner": store.owner(),
        "actor": store.actor(),
        "revision": stats.revision,
        "next_id": stats.next_id,
        "level": stats.level,
        "tasks": stats.tasks,
        "groups": stats.groups,
        "records": stats.records,
        "requests": stats.requests,
        "state_bytes": stats.state_bytes,
        "max_state_bytes": stats.max_state_bytes,
        "digest": format!("{:016x}", stats.digest),
        "exclusive": stats.exclusive.0 != 0,
        "exclusive_author": format!("{:016x}", stats.exclusive.0),
        "skipped": stats.skipped,
        "journal_bytes": journal.journal_bytes,
        "snapshot_bytes": journal.snapshot_bytes,
        "segments": journal.segments,
        "durable": journal.durable,
        "floor": journal.floor,
        "aborted": journal.aborted,
        "syncs": stats.syncs,
        "sync_failures": stats.sync_failures,
        "sync_times": times(&stats.sync_times),
        "lock_waits": times(&stats.lock_waits),
        "post_times": times(&stats.post_times),
        "snapshots_taken": stats.snapshots_taken,
        "snapshot_error": stats.snapshot_error.map(|error| error.to_string()),
        "clock_ahead": stats.clock_ahead,
    }))
}

/// Numbers about the store and its handle here.
pub async fn stats(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&[])?;
    call.who.need(Scope::Read, On::All)?;
    Ok(respond::json(&app.read(numbers).await?))
}

/// A verified copy of the store, as one file.
pub async fn backup(app: Arc<App>, call: Box<Call>) -> Answer {
    call.query.only(&[])?;
    call.who.need(Scope::Admin, On::All)?;
    let take = |store: &Store| {
        let Some(path) = store.path() else {
            return Err(Error::new(Code::Unsupported, "a store in memory has nothing to back up"));
        };
        let fault = |error: io::Error| Error::new(Code::Unavailable, format!("no place for a backup: {error}"));
        let folder = tempfile::tempdir().map_err(fault)?;
        let file = folder.path().join("backup");
        let copy = Backup::take(path, &file, store.now())?;
        // Its name goes with the folder; what is open stays.
        Ok((copy, File::open(&file).map_err(fault)?))
    };
    let (copy, mut file) = app.read(take).await?;
    app.metrics.backed_up(copy.taken_at);
    let (send, pieces) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; PIECE];
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => return,
                Ok(read) => Ok(Bytes::copy_from_slice(&piece[..read])),
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            // Nobody listens any more, or it can't go on.
            if send.blocking_send(read).is_err() || failed {
                return;
            }
        }
    });
    let mut response = Response::new(Body::pieces(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"tenure.backup\""));
    if let Ok(revision) = HeaderValue::from_str(&copy.revision.to_string()) {
        headers.insert(HeaderName::from_static("tenure-revision"), revision);
    }
    Ok(response)
}
