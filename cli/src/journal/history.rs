//! The last entries, those that come, and who did what.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use clap::Args;
use tenure::{
    Code, Result, Revision, TaskId,
    core::{engine::Event, json},
};

use super::entry::words;
use crate::{args::At, open::Setting, output::Output};

/// How long one wait for more takes.
const LOOK: Duration = Duration::from_mins(1);

/// What `tail` takes.
#[derive(Debug, Args)]
pub struct Tail {
    #[command(flatten)]
    at: At,
    /// How many of the last entries.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "NUMBER")]
    lines: usize,
    /// Go on with those that come, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
}

pub fn tail(setting: &Setting, out: &mut Output, args: &Tail) -> Result<()> {
    let mut history = setting.history(&args.at.store)?;
    let mut last = VecDeque::new();
    history.read(&mut |event| {
        if last.len() == args.lines {
            last.pop_front();
        }
        if args.lines > 0 {
            last.push_back(event);
        }
        Ok(())
    })?;
    last.iter().try_for_each(|event| print(out, event))?;
    if !args.follow {
        return Ok(());
    }
    loop {
        history.wait(LOOK);
        match history.read(&mut |event| print(out, &event)) {
            Err(error) if error.code() == Code::Truncated => {
                // What was let go before it could be read is told by the gap in the revisions.
                let seen = history.revision();
                history = setting.history(&args.at.store)?;
                history.read(&mut |event| if event.revision > seen { print(out, &event) } else { Ok(()) })?;
            }
            done => done?,
        }
    }
}

/// What `log` takes.
#[derive(Debug, Args)]
pub struct Log {
    #[command(flatten)]
    at: At,
    /// Only what concerns the task that had this id at any time.
    #[arg(long, value_name = "ID")]
    task: Option<u64>,
    /// Only what this owner asked for.
    #[arg(long, value_name = "NUMBER")]
    owner: Option<u64>,
    /// Only what was done under labels that contain this.
    #[arg(long, value_name = "LABEL")]
    by: Option<String>,
    /// Only what came after this revision.
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,
    /// At most that many entries, the oldest first [default: all]
    #[arg(long)]
    limit: Option<usize>,
}

pub fn log(setting: &Setting, out: &mut Output, args: &Log) -> Result<()> {
    let ids = args.task.map(|id| lives(setting, args, TaskId(id))).transpose()?;
    let wanted = |event: &Event| {
        event.revision > Revision(args.after)
            && args.owner.is_none_or(|owner| event.owner.0 == owner)
            && args.by.as_ref().is_none_or(|by| event.actor.contains(by.as_str()))
            && ids.as_ref().is_none_or(|ids| {
                event.changes.iter().any(|change| ids.contains(&change.id) || ids.contains(&change.old))
            })
    };
    let mut left = args.limit.unwrap_or(usize::MAX);
    setting.history(&args.at.store)?.read(&mut |event| {
        if left > 0 && wanted(&event) {
            left -= 1;
            print(out, &event)?;
        }
        Ok(())
    })
}

/// All ids that a task had, as far as the journal goes back.
fn lives(setting: &Setting, args: &Log, id: TaskId) -> Result<HashSet<TaskId>> {
    let mut origins: HashMap<TaskId, TaskId> = HashMap::new();
    setting.history(&args.at.store)?.read(&mut |event| {
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

fn print(out: &mut Output, event: &Event) -> Result<()> {
    if out.json { out.line(&json::text(event)) } else { out.line(&words(event)) }
}
