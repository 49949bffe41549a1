//! Making tasks as if they had never been claimed: one, or all of a group.

use clap::Args;
use serde_json::json;
use tenure::{Filter, Kind, Request, Result, Store, TaskId, TaskState, Update, Verb};

use super::verb::{Delay, Subject};
use crate::{open::Setting, output::Output};

/// Tasks that one transaction takes.
const BATCH: usize = 1000;

/// How often a batch that another handle changes meanwhile is looked at again.
const LOOKS: u32 = 16;

/// What `requeue` takes.
#[derive(Debug, Args)]
pub struct Requeue {
    #[command(flatten)]
    subject: Subject,
    /// All tasks of a group that nobody holds.
    #[arg(long, requires = "from", conflicts_with = "id")]
    all: bool,
    /// The group whose tasks are meant by --all.
    #[arg(long, value_name = "GROUP", requires = "all")]
    from: Option<String>,
    /// The group that they go to [default: the one that they are in]
    #[arg(long, value_name = "GROUP")]
    to: Option<String>,
    #[command(flatten)]
    delay: Delay,
}

pub fn requeue(setting: &Setting, out: &mut Output, args: &Requeue) -> Result<()> {
    let update =
        Update { verb: Verb::Requeue, group: args.to.clone(), available: args.delay.when(), ..Update::default() };
    let Some(from) = args.from.as_deref().filter(|_| args.all) else {
        let (owner, refs) = args.subject.refs()?;
        let updates = refs.iter().map(|task| Update { id: task.id, origin: task.origin, ..update.clone() }).collect();
        return args.subject.commit(setting, out, Request { owner, updates, ..Request::default() }, "");
    };
    let store = setting.present(&args.subject.at.store)?;
    let (moved, held) = all(&store, from, &update)?;
    out.report(&json!({"requeued": moved, "held": held}), || {
        let left = if held == 0 { String::new() } else { format!("; {held} are held and stay as they are") };
        format!("{moved} tasks requeued{left}")
    })?;
    store.close()
}

/// Requeues every task of a group that was there at the beginning and that nobody holds.
fn all(store: &Store, from: &str, update: &Update) -> Result<(usize, usize)> {
    // A requeued task has a higher id than all that were there before: the page behind the last id seen is never one
    // of those, as long as it ends where the group ended at the beginning.
    let last = store.stats()?.next_id;
    let (mut after, mut moved, mut held, mut looks) = (TaskId(0), 0, 0, 0);
    loop {
        let filter = Filter { group: Some(from.into()), after, limit: BATCH, ..Filter::default() };
        let page: Vec<_> = store.tasks(&filter)?.into_iter().take_while(|task| task.id < last).collect();
        let Some(end) = page.last().map(|task| task.id) else { return Ok((moved, held)) };
        let now = store.now();
        let free = page.iter().filter(|task| task.state(now) != TaskState::Held);
        let updates: Vec<Update> =
            free.map(|task| Update { id: task.id, origin: Some(task.origin), ..update.clone() }).collect();
        let free = updates.len();
        if free > 0 {
            match store.update(Request { updates, ..Request::default() }) {
                // Somebody was faster with one of them: look again.
                Err(error) if error.kind() == Kind::Rejected && looks < LOOKS => {
                    looks += 1;
                    continue;
                }
                done => done.map(drop)?,
            }
        }
        (after, looks) = (end, 0);
        moved += free;
        held += page.len() - free;
    }
}
