//! The verbs on a task.

use napi::Unknown;
use napi_derive::napi;
use tenure::{Add, Code, Committed, Error, Request, Result, TaskName};

use super::{Store, Subject, subject};
use crate::{
    error::invalid,
    hub::Ticket,
    lane::Late,
    types::{Answer, Fields, add, blob, given, items, text},
};

/// The one task that a change leaves.
fn one(committed: Committed) -> Result<Answer> {
    let none = || Error::new(Code::Internal, "a change of one task answered with none");
    committed.into_task().ok_or_else(none).map(|task| Answer::Task(Some(task)))
}

#[allow(clippy::unnecessary_wraps)] // As the lane wants it.
fn nothing(_committed: Committed) -> Result<Answer> {
    Ok(Answer::Nothing)
}

fn span(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

/// From when a task that is given back can be claimed.
fn delay(fields: &Fields<'_>) -> napi::Result<std::time::Duration> {
    Ok(span(fields.millis("delay")?.unwrap_or_default()))
}

impl Store {
    /// Changes a task in the lane. A held one that has ended before is left to say so, or answers what it was last.
    fn change(
        &self,
        ticket: Ticket,
        subject: Subject,
        late: Late,
        request: impl FnOnce(TaskName) -> Request + Send + 'static,
        spell: impl FnOnce(Committed) -> Result<Answer> + Send + 'static,
    ) {
        match subject {
            Subject::Named(name) => self.update_in_lane(ticket, request(name), spell),
            Subject::Held(held) => {
                if let Some(lane) = &self.lane {
                    lane.push_held(ticket, held, late, Box::new(request), Box::new(spell));
                }
            }
        }
    }
}

#[napi]
impl Store {
    /// Adds a task.
    #[napi]
    pub fn add(&self, ticket: u32, group: Unknown<'_>, data: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let known = ["json", "delay", "availableAt", "key", "ifExists", "requestId"];
        let fields = Fields::read("options", options, &known)?;
        let mut new = Add { group: text("group", &group)?, ..add(&fields)? };
        if let Some(data) = given(data)? {
            let data = blob("data", &data)?;
            if fields.raw("json")?.is_some() && !data.is_empty() {
                return Err(invalid("give data or json, not both"));
            }
            if fields.raw("json")?.is_none() {
                new.data = data;
            }
        }
        let request = Request { adds: vec![new], request_id: fields.text("requestId")?, ..Request::default() };
        self.update_in_lane(ticket, request, one);
        Ok(())
    }

    /// Adds tasks of one group, all or none.
    #[napi]
    pub fn add_many(
        &self,
        ticket: u32,
        group: Unknown<'_>,
        list: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["delay", "availableAt", "requestId"])?;
        let group = text("group", &group)?;
        let available = fields.when()?.unwrap_or_default();
        let mut adds = Vec::new();
        for (i, item) in items("items", &list)?.iter().enumerate() {
            let data = blob(&format!("items[{i}]"), item)?;
            adds.push(Add { group: group.clone(), data, available, ..Add::default() });
        }
        if adds.is_empty() {
            self.hub.send(crate::hub::Message::Answer(ticket, Answer::all(Vec::new())));
            return Ok(());
        }
        let request = Request { adds, request_id: fields.text("requestId")?, ..Request::default() };
        self.update_in_lane(ticket, request, |committed| Ok(Answer::all(committed.tasks)));
        Ok(())
    }

    /// A new lease for a task that was claimed.
    #[napi]
    pub fn renew(&self, ticket: u32, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["lease"])?;
        let lease = span(fields.millis("lease")?.unwrap_or(super::claim::LEASE));
        self.change(ticket, subject("task", &task)?, Late::Ignore, move |name| name.renew(lease), one);
        Ok(())
    }

    /// Gives a task back.
    #[napi]
    pub fn release(&self, ticket: u32, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let delay = delay(&Fields::read("options", options, &["delay"])?)?;
        self.change(ticket, subject("task", &task)?, Late::Refuse, move |name| name.release(delay), one);
        Ok(())
    }

    /// Ends a task whose work is done.
    #[napi]
    pub fn finish(&self, ticket: u32, task: Unknown<'_>) -> napi::Result<()> {
        self.change(ticket, subject("task", &task)?, Late::Refuse, TaskName::finish, nothing);
        Ok(())
    }

    /// Gives a task back with one more failure, whose text is kept.
    #[napi]
    pub fn fail(&self, ticket: u32, task: Unknown<'_>, error: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let failure = super::held::failure(&error, options)?;
        self.change(ticket, subject("task", &task)?, Late::Refuse, move |name| name.change(failure), one);
        Ok(())
    }

    /// Ends a task that nobody wants any more.
    #[napi]
    pub fn cancel(&self, ticket: u32, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let force = Fields::read("options", options, &["force"])?.flag("force")?;
        self.change(ticket, subject("task", &task)?, Late::Refuse, move |name| name.cancel(force), nothing);
        Ok(())
    }

    /// Puts a task into another group.
    #[napi]
    pub fn move_to(&self, ticket: u32, task: Unknown<'_>, group: Unknown<'_>) -> napi::Result<()> {
        let group = text("group", &group)?;
        self.change(ticket, subject("task", &task)?, Late::Refuse, move |name| name.move_to(&group), one);
        Ok(())
    }

    /// Makes a task as if it had never been claimed.
    #[napi]
    pub fn requeue(&self, ticket: u32, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["group", "delay"])?;
        let (group, delay) = (fields.text("group")?, delay(&fields)?);
        let requeue = move |name: TaskName| name.requeue(group.as_deref(), delay);
        self.change(ticket, subject("task", &task)?, Late::Refuse, requeue, one);
        Ok(())
    }
}
