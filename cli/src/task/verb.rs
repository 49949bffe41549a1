//! The verbs on a task, each one transaction.

use std::time::Duration;

use clap::Args;
use tenure::{
    Delete, OwnerId, Reason, Request, Result, TaskId, Update, Verb, When,
    core::json::{TaskRef, read_task_refs},
};

use crate::{
    args::At,
    open::{Setting, invalid},
    output,
    output::Output,
    quantity::duration,
    update::input,
};

/// Which task, and in whose name.
#[derive(Debug, Args)]
pub struct Subject {
    #[command(flatten)]
    pub at: At,
    /// The task's present id; without it, the task's JSON is read from stdin, as a claim printed it.
    pub id: Option<u64>,
    /// The owner who claimed it.
    #[arg(long, value_name = "NUMBER", requires = "id")]
    pub owner: Option<u64>,
}

impl Subject {
    /// The tasks that are meant, and in whose name.
    pub fn refs(&self) -> Result<(OwnerId, Vec<TaskRef>)> {
        let owner = OwnerId(self.owner.unwrap_or_default());
        if let Some(id) = self.id {
            return Ok((owner, vec![TaskRef { id: TaskId(id), owner, origin: None }]));
        }
        let text = input()?;
        if text.trim_ascii().is_empty() {
            return Err(invalid("which task? give its ID and --owner, or the task's JSON on stdin"));
        }
        let refs = read_task_refs(&text)?;
        let Some(first) = refs.first() else {
            return Err(invalid("the JSON on stdin has no task in it: was there nothing to claim?"));
        };
        if refs.iter().any(|task| task.owner != first.owner) {
            return Err(invalid("the tasks on stdin have more than one owner: give those of one owner at a time"));
        }
        Ok((first.owner, refs))
    }

    fn update(&self, setting: &Setting, out: &mut Output, update: &Update) -> Result<()> {
        let (owner, refs) = self.refs()?;
        let updates = refs.iter().map(|task| Update { id: task.id, origin: task.origin, ..update.clone() }).collect();
        self.commit(setting, out, Request { owner, updates, ..Request::default() }, "")
    }

    fn end(&self, setting: &Setting, out: &mut Output, reason: Reason, force: bool) -> Result<()> {
        let (owner, refs) = self.refs()?;
        let delete = |task: &TaskRef| Delete { id: task.id, origin: task.origin, reason, force };
        let deletes = refs.iter().map(delete).collect();
        let said = refs.iter().map(|task| format!("task {} {}", task.id, reason.slug())).collect::<Vec<_>>().join("\n");
        self.commit(setting, out, Request { owner, deletes, ..Request::default() }, &said)
    }

    pub fn commit(&self, setting: &Setting, out: &mut Output, request: Request, said: &str) -> Result<()> {
        let store = setting.present(&self.at.store)?;
        let committed = store.update(request)?;
        out.answer(
            &committed,
            |committed| {
                if said.is_empty() { output::committed(committed, store.now()) } else { said.into() }
            },
        )?;
        store.close()
    }
}

/// After which time the task can be claimed again.
#[derive(Debug, Args)]
pub struct Delay {
    /// When it can be claimed again.
    #[arg(long, value_parser = duration, value_name = "DURATION", allow_hyphen_values = true)]
    delay: Option<Duration>,
}

impl Delay {
    pub fn when(&self) -> Option<When> {
        self.delay.map(after)
    }
}

fn after(span: Duration) -> When {
    When::After(span.as_millis() as u64)
}

/// What `renew` takes.
#[derive(Debug, Args)]
pub struct Renew {
    #[command(flatten)]
    subject: Subject,
    /// How long it is held from now on.
    #[arg(long, value_parser = duration, value_name = "DURATION", default_value = "60s", allow_hyphen_values = true)]
    lease: Duration,
}

pub fn renew(setting: &Setting, out: &mut Output, args: &Renew) -> Result<()> {
    let update = Update { verb: Verb::Renew, available: Some(after(args.lease)), ..Update::default() };
    args.subject.update(setting, out, &update)
}

/// What `release` takes.
#[derive(Debug, Args)]
pub struct Release {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    delay: Delay,
}

pub fn release(setting: &Setting, out: &mut Output, args: &Release) -> Result<()> {
    let update = Update { verb: Verb::Release, available: args.delay.when(), ..Update::default() };
    args.subject.update(setting, out, &update)
}

/// What `finish` takes.
#[derive(Debug, Args)]
pub struct Finish {
    #[command(flatten)]
    subject: Subject,
}

pub fn finish(setting: &Setting, out: &mut Output, args: &Finish) -> Result<()> {
    args.subject.end(setting, out, Reason::Finished, false)
}

/// What `fail` takes.
#[derive(Debug, Args)]
pub struct Fail {
    #[command(flatten)]
    subject: Subject,
    /// Why it failed.
    #[arg(long)]
    error: String,
    #[command(flatten)]
    delay: Delay,
}

pub fn fail(setting: &Setting, out: &mut Output, args: &Fail) -> Result<()> {
    let error = Some(args.error.clone());
    let update = Update { verb: Verb::Fail, available: args.delay.when(), error, ..Update::default() };
    args.subject.update(setting, out, &update)
}

/// What `cancel` takes.
#[derive(Debug, Args)]
pub struct Cancel {
    #[command(flatten)]
    subject: Subject,
    /// Even though somebody holds it.
    #[arg(long)]
    force: bool,
}

pub fn cancel(setting: &Setting, out: &mut Output, args: &Cancel) -> Result<()> {
    args.subject.end(setting, out, Reason::Cancelled, args.force)
}

/// What `move` takes.
#[derive(Debug, Args)]
pub struct Move {
    #[command(flatten)]
    subject: Subject,
    /// The group that it goes to.
    #[arg(long, value_name = "GROUP")]
    to: String,
    #[command(flatten)]
    delay: Delay,
}

pub fn move_to(setting: &Setting, out: &mut Output, args: &Move) -> Result<()> {
    let group = Some(args.to.clone());
    let update = Update { verb: Verb::Release, group, available: args.delay.when(), ..Update::default() };
    args.subject.update(setting, out, &update)
}
