//! A held task.

use std::sync::{Arc, Mutex, PoisonError};

use napi::{JsValue as _, Unknown, ValueType, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use tenure::{Request, TaskName, Update, Verb, When};

use crate::{
    hub::{Hub, Message},
    lane::{Lane, Late},
    pool,
    types::{Answer, Fields, TaskFields, blob, cast, task_name, text},
};

/// A task that a handle holds. Its lease renews itself.
#[napi]
pub struct Held {
    held: Option<Arc<tenure::Held>>,
    lane: Option<Arc<Lane>>,
    hub: Arc<Hub>,
    seen: Mutex<(tenure::Task, bool)>,
}

impl Held {
    /// Wraps a held task, which JavaScript knows by a number: under it, it is told when the lease is lost.
    pub fn new(hub: &Arc<Hub>, lane: &Arc<Lane>, held: tenure::Held, number: u32) -> Self {
        let seen = Mutex::new((held.task(), false));
        let to = hub.clone();
        held.on_lost(move || to.send(Message::Lost(number)));
        Self { held: Some(Arc::new(held)), lane: Some(lane.clone()), hub: hub.clone(), seen }
    }

    fn held(&self) -> &Arc<tenure::Held> {
        // Only `drop` takes it.
        self.held.as_ref().expect("a held task is there while its object is")
    }

    /// The task as it is now, or, while a change of it is on its way, as it was before.
    fn glance(&self) -> (tenure::Task, bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = self.held().glance() {
            *seen = now;
        }
        seen.clone()
    }

    /// Changes it in the lane.
    fn change(&self, ticket: u32, late: Late, change: impl FnOnce(TaskName) -> Request + Send + 'static) {
        if let Some(lane) = &self.lane {
            lane.push_held(ticket, self.held().clone(), late, Box::new(change), Box::new(|_| Ok(Answer::Nothing)));
        }
    }
}

/// What becomes of a call on one that has ended.
fn late(unless_ended: Option<bool>) -> Late {
    if unless_ended.unwrap_or_default() { Late::Ignore } else { Late::Refuse }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Gives the task back where it was neither finished nor failed, and that may wait for the disk.
        pool::let_go((self.held.take(), self.lane.take()));
    }
}

/// What a failure makes of a task.
pub fn failure(error: &Unknown<'_>, options: Unknown<'_>) -> napi::Result<Update> {
    let fields = Fields::read("options", options, &["delay", "group"])?;
    Ok(Update {
        verb: Verb::Fail,
        available: Some(When::After(fields.millis("delay")?.unwrap_or_default())),
        error: Some(text("error", error)?),
        group: fields.text("group")?,
        ..Update::default()
    })
}

#[napi]
impl Held {
    /// The task as it is now.
    #[napi(getter)]
    pub fn task(&self) -> TaskFields {
        self.glance().0.into()
    }

    /// Whether the lease is lost.
    #[napi(getter)]
    pub fn lost(&self) -> bool {
        self.held().is_lost()
    }

    /// Whether it was finished, failed or given back.
    #[napi(getter)]
    pub fn ended(&self) -> bool {
        self.glance().1
    }

    /// Fails with all that is known, once the lease is lost.
    #[napi]
    pub fn check(&self, ticket: u32) {
        self.hub.send(match self.held().check() {
            Ok(()) => Message::Answer(ticket, Answer::Nothing),
            Err(error) => Message::Error(ticket, error),
        });
    }

    /// Renews the lease now.
    #[napi]
    pub fn renew(&self, ticket: u32) {
        let lease = self.held().lease();
        self.change(ticket, Late::Ignore, move |name| name.renew(lease));
    }

    /// Keeps a text with the task, as its `error`.
    #[napi]
    pub fn note(&self, ticket: u32, note: Unknown<'_>) -> napi::Result<()> {
        let update = Update { error: Some(text("text", &note)?), ..Update::default() };
        self.change(ticket, Late::Refuse, move |name| name.change(update));
        Ok(())
    }

    /// Changes the data.
    #[napi]
    pub fn save(&self, ticket: u32, data: Unknown<'_>) -> napi::Result<()> {
        let update = Update { data: Some(blob("data", &data)?), ..Update::default() };
        self.change(ticket, Late::Refuse, move |name| name.change(update));
        Ok(())
    }

    /// The work is done. With `unless_ended`, one that has ended before is left as it is; so in the calls below.
    #[napi]
    pub fn finish(&self, ticket: u32, unless_ended: Option<bool>) {
        self.change(ticket, late(unless_ended), TaskName::finish);
    }

    /// The work failed.
    #[napi]
    pub fn fail(
        &self,
        ticket: u32,
        error: Unknown<'_>,
        options: Unknown<'_>,
        unless_ended: Option<bool>,
    ) -> napi::Result<()> {
        let failure = failure(&error, options)?;
        self.change(ticket, late(unless_ended), move |name| name.change(failure));
        Ok(())
    }

    /// Gives the task back.
    #[napi]
    pub fn release(&self, ticket: u32, options: Unknown<'_>, unless_ended: Option<bool>) -> napi::Result<()> {
        let delay = Fields::read("options", options, &["delay"])?.millis("delay")?.unwrap_or_default();
        let delay = std::time::Duration::from_millis(delay);
        self.change(ticket, late(unless_ended), move |name| name.release(delay));
        Ok(())
    }
}

/// A task, its id, or a held task, which knows its present id.
pub enum Subject {
    /// A task or an id.
    Named(TaskName),
    /// A held task.
    Held(Arc<tenure::Held>),
}

/// Reads a subject.
pub fn subject(place: &str, value: &Unknown<'_>) -> napi::Result<Subject> {
    if value.get_type()? == ValueType::Object
        && !value.is_array()?
        && let Ok(held) = cast::<ClassInstance<'_, Held>>(value)
    {
        return Ok(Subject::Held(held.held().clone()));
    }
    task_name(place, value).map(Subject::Named)
}
