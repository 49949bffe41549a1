//! Adding tasks.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use tenure::{IfExists, Request, Result, When, clock::Clock};

use crate::{
    args::At,
    open::{Setting, owner},
    output,
    output::Output,
    quantity::duration,
    records::value,
};

/// Tasks that one transaction takes where there is one for each line.
const BATCH: usize = 10_000;

/// What to do when a live task of the group has the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Exists {
    /// Refuse.
    Refuse,
    /// Add nothing, and answer with the present task.
    Keep,
    /// Take its place, unless it is held.
    Replace,
}

/// What `add` takes.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    at: At,
    /// The group.
    group: String,
    /// The work; `-` reads stdin.
    #[arg(long)]
    data: Option<String>,
    /// Read the work from a file.
    #[arg(long, conflicts_with = "data")]
    file: Option<PathBuf>,
    /// A task for each line of the data.
    #[arg(long, conflicts_with_all = ["key", "request_id"])]
    lines: bool,
    /// When it can be claimed.
    #[arg(long, value_parser = duration, value_name = "DURATION", allow_hyphen_values = true)]
    delay: Option<Duration>,
    /// Unique within the group among live tasks.
    #[arg(long)]
    key: Option<String>,
    /// What to do when a live task of the group has the key.
    #[arg(long, requires = "key", default_value = "refuse")]
    if_exists: Exists,
    /// A repeat with the same id (and owner) gets the first outcome.
    #[arg(long, requires = "owner")]
    request_id: Option<String>,
    /// The owner that asks.
    #[arg(long, value_name = "NUMBER")]
    owner: Option<u64>,
}

pub fn add(setting: &Setting, out: &mut Output, args: &Add) -> Result<()> {
    let data = value(args.data.as_deref(), args.file.as_deref())?;
    let when = args.delay.map_or(When::Now, |delay| When::After(delay.as_millis() as u64));
    let task = |data: &[u8]| tenure::Add {
        group: args.group.clone(),
        data: data.into(),
        available: when,
        key: args.key.clone(),
        if_exists: match args.if_exists {
            Exists::Refuse => IfExists::Refuse,
            Exists::Keep => IfExists::Keep,
            Exists::Replace => IfExists::Replace,
        },
    };
    let mut lines: Vec<&[u8]> = vec![&data];
    if args.lines {
        lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    }
    let requests = lines.chunks(BATCH).map(|batch| {
        let adds = batch.iter().map(|line| task(line)).collect();
        Request { owner: owner(args.owner), request_id: args.request_id.clone(), adds, ..Request::default() }
    });
    setting.commit(args.owner, &args.at.store, requests, |committed| {
        out.answer(committed, |committed| output::committed(committed, Clock::system().now()))
    })
}
