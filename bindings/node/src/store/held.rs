//! A held task.

use std::sync::{Arc, Mutex, PoisonError};

use napi::{JsValue as _, Unknown, ValueType, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use tenure::{Code, Committed, Error, Result, TaskName, Transaction, Update, Verb, When};

use crate::{
    hub::{Hub, Message},
    pool,
    types::{Answer, Fields, TaskFields, blob, cast, task_name, text},
};

/// A task that a handle holds. Its lease renews itself.
#[napi]
pub struct Held {
    held: Option<Arc<tenure::Held>>,
    store: Option<tenure::Store>,
    hub: Arc<Hub>,
    seen: Mutex<(tenure::Task, bool)>,
}

impl Held {
    /// Wraps a held task, which JavaScript knows by a number: under it, it is told when the lease is lost.
    pub fn new(hub: &Arc<Hub>, store: &tenure::Store, held: tenure::Held, number: u32) -> Self {
        let seen = Mutex::new((held.task(), false));
        let to = hub.clone();
        held.on_lost(move || to.send(Message::Lost(number)));
        Self { held: Some(Arc::new(held)), store: Some(store.clone()), hub: hub.clone(), seen }
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

    fn ask(
        &self,
        ticket: u32,
        work: impl FnOnce(&tenure::Store, &Arc<tenure::Held>) -> Result<Answer> + Send + 'static,
    ) {
        let (held, store) = (self.held().clone(), self.store.clone());
        self.hub.ask(ticket, move || store.map_or(Ok(Answer::Nothing), |store| work(&store, &held)));
    }
}

impl Held {
    fn end(
        &self,
        ticket: u32,
        unless_ended: Option<bool>,
        how: impl FnOnce(&mut Transaction, &tenure::Held) + Send + 'static,
    ) {
        let unless_ended = unless_ended.unwrap_or_default();
        self.ask(ticket, move |store, held| {
            if unless_ended && held.is_ended() {
                return Ok(Answer::Nothing);
            }
            end(store, held, how).map(|_| Answer::Nothing)
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Gives the task back where it was neither finished nor failed, and that may wait for the disk.
        pool::let_go((self.held.take(), self.store.take()));
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

/// Ends a held task in a transaction of its own.
pub fn end(
    store: &tenure::Store,
    held: &tenure::Held,
    end: impl FnOnce(&mut Transaction, &tenure::Held),
) -> Result<Committed> {
    held.check()?;
    if held.is_ended() {
        let why = "this held task was finished, failed or given back before";
        return Err(Error::new(Code::Invalid, why));
    }
    let mut tx = store.transaction();
    end(&mut tx, held);
    tx.commit()
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
        self.ask(ticket, |_, held| held.check().map(|()| Answer::Nothing));
    }

    /// Renews the lease now.
    #[napi]
    pub fn renew(&self, ticket: u32) {
        self.ask(ticket, |_, held| held.renew().map(|()| Answer::Nothing));
    }

    /// Keeps a text with the task, as its `error`.
    #[napi]
    pub fn note(&self, ticket: u32, note: Unknown<'_>) -> napi::Result<()> {
        let note = text("text", &note)?;
        self.ask(ticket, move |_, held| held.note(&note).map(|()| Answer::Nothing));
        Ok(())
    }

    /// Changes the data.
    #[napi]
    pub fn save(&self, ticket: u32, data: Unknown<'_>) -> napi::Result<()> {
        let data = blob("data", &data)?;
        self.ask(ticket, move |_, held| held.save(data).map(|()| Answer::Nothing));
        Ok(())
    }

    /// The work is done. With `unless_ended`, one that has ended before is left as it is; so in the calls below.
    #[napi]
    pub fn finish(&self, ticket: u32, unless_ended: Option<bool>) {
        self.end(ticket, unless_ended, |tx, held| tx.finish(held));
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
        self.end(ticket, unless_ended, |tx, held| tx.update(held, failure));
        Ok(())
    }

    /// Gives the task back.
    #[napi]
    pub fn release(&self, ticket: u32, options: Unknown<'_>, unless_ended: Option<bool>) -> napi::Result<()> {
        let delay = Fields::read("options", options, &["delay"])?.millis("delay")?.unwrap_or_default();
        let delay = std::time::Duration::from_millis(delay);
        self.end(ticket, unless_ended, move |tx, held| tx.release(held, delay));
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
