//! Looking at groups, tasks and numbers.

use clap::{Args, ValueEnum};
use serde_json::json;
use tenure::{Code, Error, Filter, Result, TaskId, TaskState};

use crate::{args::At, open::Setting, output, output::Output, quantity::spell_size};

/// What `groups` takes.
#[derive(Debug, Args)]
pub struct Groups {
    #[command(flatten)]
    at: At,
}

pub fn groups(setting: &Setting, out: &mut Output, args: &Groups) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let now = store.now();
    out.answer(&store.groups()?[..], |groups| output::groups(groups, now))
}

/// Who may take a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Available,
    Delayed,
    Held,
}

/// What `tasks` takes.
#[derive(Debug, Args)]
pub struct Tasks {
    #[command(flatten)]
    at: At,
    /// Only those of this group.
    #[arg(long)]
    group: Option<String>,
    /// Only those in this state.
    #[arg(long)]
    state: Option<State>,
    /// At most that many [default: all]
    #[arg(long)]
    limit: Option<usize>,
    /// Only those with a higher id: the last one of the page before.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: u64,
}

pub fn tasks(setting: &Setting, out: &mut Output, args: &Tasks) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let state = args.state.map(|state| match state {
        State::Available => TaskState::Available,
        State::Delayed => TaskState::Delayed,
        State::Held => TaskState::Held,
    });
    let limit = args.limit.unwrap_or(usize::MAX);
    let filter = Filter { group: args.group.clone(), state, after: TaskId(args.after), limit };
    let now = store.now();
    out.answer(&store.tasks(&filter)?[..], |tasks| output::tasks(tasks, now))
}

/// What `find` takes.
#[derive(Debug, Args)]
pub struct Find {
    #[command(flatten)]
    at: At,
    /// The id that the add gave, or any id that the task had at its beginning.
    #[arg(required_unless_present = "key")]
    origin: Option<u64>,
    /// Find it by its key instead.
    #[arg(long, requires = "group", conflicts_with = "origin")]
    key: Option<String>,
    /// The group that has the key.
    #[arg(long, requires = "key")]
    group: Option<String>,
}

pub fn find(setting: &Setting, out: &mut Output, args: &Find) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let (found, what) = match (&args.key, &args.group, args.origin) {
        (Some(key), Some(group), _) => (store.by_key(group, key)?, format!("with key {key:?} in group {group:?}")),
        (_, _, origin) => {
            let origin = origin.unwrap_or_default();
            (store.find(origin)?, format!("that began as {origin}"))
        }
    };
    let Some(task) = found else {
        let why = format!("there is no live task {what}: it has ended, or never was; `tenure log` says what was done");
        return Err(Error::new(Code::NotFound, why));
    };
    let now = store.now();
    out.answer(&task, |task| output::task(task, now))
}

/// What `stats` takes.
#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    at: At,
}

pub fn stats(setting: &Setting, out: &mut Output, args: &Stats) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let stats = store.stats()?;
    let journal = stats.journal;
    let snapshot_error = stats.snapshot_error.as_ref().map(ToString::to_string);
    let mut value = json!({
        "store": store.identity().to_string(),
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
        "journal_bytes": journal.journal_bytes,
        "snapshot_bytes": journal.snapshot_bytes,
        "segments": journal.segments,
        "durable": journal.durable,
        "floor": journal.floor,
        "aborted": journal.aborted,
    });
    if let Some(error) = &snapshot_error {
        value["snapshot_error"] = error.as_str().into();
    }
    out.report(&value, || {
        let mut rows = vec![
            ("store", store.identity().to_string()),
            ("revision", stats.revision.to_string()),
            ("next id", stats.next_id.to_string()),
            ("format level", stats.level.to_string()),
            ("tasks", format!("{} in {} groups", stats.tasks, stats.groups)),
            ("records", stats.records.to_string()),
            ("requests remembered", stats.requests.to_string()),
            ("state", format!("{} of {}", spell_size(stats.state_bytes), spell_size(stats.max_state_bytes))),
            ("journal", format!("{} in {} segments", spell_size(journal.journal_bytes), journal.segments)),
            ("snapshots", spell_size(journal.snapshot_bytes)),
            ("exclusive", if stats.exclusive.0 == 0 { "no" } else { "yes: one handle alone may write" }.into()),
        ];
        rows.extend(snapshot_error.map(|error| ("snapshot error", error)));
        let rows: Vec<[String; 2]> = rows.into_iter().map(|(name, value)| [name.into(), value]).collect();
        output::table(&rows)
    })
}
