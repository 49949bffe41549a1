//! Snapshots, backups, and the format level.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tenure::{Millis, Result, backup::Backup as Copy, clock::Clock};

use crate::{
    args::At,
    open::{Setting, folder, url},
    output,
    output::Output,
    quantity::spell_size,
};

/// What `snapshot` takes.
#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(flatten)]
    at: At,
}

pub fn snapshot(setting: &Setting, out: &mut Output, args: &Snapshot) -> Result<()> {
    let store = setting.present(&args.at.store)?;
    let revision = store.snapshot()?;
    out.report(&json!({"revision": revision}), || format!("a snapshot of revision {revision} is taken"))?;
    store.close()
}

/// What `backup` takes.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    at: At,
    /// The file to write; nothing may stand there.
    file: PathBuf,
}

fn now() -> Millis {
    Clock::system().now()
}

fn spell(copy: &Copy) -> serde_json::Value {
    json!({
        "store": copy.store.to_string(),
        "taken_at": copy.taken_at,
        "revision": copy.revision,
        "next_id": copy.next_id,
        "tasks": copy.tasks,
        "records": copy.records,
        "digest": format!("{:016x}", copy.digest),
        "bytes": copy.bytes,
    })
}

pub fn backup(setting: &Setting, out: &mut Output, args: &Backup) -> Result<()> {
    let copy = copy(setting, args)?;
    out.report(&spell(&copy), || {
        format!(
            "{}: revision {} with {} tasks and {} records, {}, read back and verified",
            args.file.display(),
            copy.revision,
            copy.tasks,
            copy.records,
            spell_size(copy.bytes)
        )
    })
}

#[cfg(feature = "client")]
fn copy(setting: &Setting, args: &Backup) -> Result<Copy> {
    if url(&args.at.store).is_none() {
        return Copy::take(&args.at.store, &args.file, now());
    }
    let store = setting.present(&args.at.store)?;
    let copy = Copy::fetch(&store, &args.file)?;
    store.close()?;
    Ok(copy)
}

#[cfg(not(feature = "client"))]
fn copy(setting: &Setting, args: &Backup) -> Result<Copy> {
    // It says why not.
    if url(&args.at.store).is_some() {
        setting.present(&args.at.store)?;
    }
    Copy::take(&args.at.store, &args.file, now())
}

/// What `restore` takes.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup.
    file: PathBuf,
    /// The store to make; nothing, or an empty folder, may stand there.
    store: PathBuf,
}

pub fn restore(out: &mut Output, args: &Restore) -> Result<()> {
    let copy = Copy::restore(&args.file, folder("restore", &args.store)?)?;
    out.report(&spell(&copy), || {
        format!(
            "{}: revision {} of {} with {} tasks and {} records; it is a new store ({}), and its next id is {}",
            args.store.display(),
            copy.revision,
            output::time(copy.taken_at),
            copy.tasks,
            copy.records,
            copy.store,
            copy.next_id
        )
    })
}

/// What `upgrade` takes.
#[derive(Debug, Args)]
pub struct Upgrade {
    #[command(flatten)]
    at: At,
}

pub fn upgrade(setting: &Setting, out: &mut Output, args: &Upgrade) -> Result<()> {
    let store = setting.present(folder("upgrade", &args.at.store)?)?;
    let (level, raised) = store.upgrade()?;
    out.report(&json!({"level": level, "raised": raised}), || {
        if raised {
            format!("the store has format level {level} now; older programs can't use it any more")
        } else {
            format!("the store has format level {level} already")
        }
    })?;
    store.close()
}
