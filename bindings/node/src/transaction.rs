//! Several changes in one piece.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use napi::Unknown;
use napi_derive::napi;
use tenure::{Code, Error, Reason, Result, Update, Verb, When};

use crate::{
    hub::Hub,
    journal::{Argument, Shape},
    pool,
    store::{
        Store, Subject, failure,
        record::{increment, put},
        subject,
    },
    types::{Answer, Fields, REASONS, add, blob, choice, count, depend, given, id, text, update},
};

/// A change that was asked for, and is made on the thread that commits.
type Step = Box<dyn FnOnce(&mut tenure::Transaction) + Send>;

/// What is to happen in one piece. Asking for a change only notes it, so that it never waits for a read that is under way.
pub struct Open {
    transaction: Mutex<Option<tenure::Transaction>>,
    steps: Mutex<Vec<Step>>,
}

fn over() -> Error {
    Error::new(Code::Invalid, "this transaction is over: begin another")
}

impl Open {
    fn new(transaction: tenure::Transaction) -> Arc<Self> {
        Arc::new(Self { transaction: Mutex::new(Some(transaction)), steps: Mutex::default() })
    }

    fn note(&self, step: impl FnOnce(&mut tenure::Transaction) + Send + 'static) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(step));
    }

    /// Asks something of the transaction, after all that was noted before.
    fn ask<T>(&self, ask: impl FnOnce(&mut tenure::Transaction) -> Result<T>) -> Result<T> {
        let mut open = self.transaction.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = open.as_mut().ok_or_else(over)?;
        let steps = mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner));
        for step in steps {
            step(transaction);
        }
        ask(transaction)
    }

    /// Takes it out, with all that was asked for.
    fn take(&self) -> Result<tenure::Transaction> {
        self.ask(|_| Ok(()))?;
        self.transaction.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(over)
    }
}

/// What the JavaScript class stands on.
#[napi]
pub struct Transaction {
    open: Option<Arc<Open>>,
    hub: Arc<Hub>,
}

impl Transaction {
    /// The object of a transaction.
    pub fn new(open: Arc<Open>, hub: Arc<Hub>) -> Self {
        Self { open: Some(open), hub }
    }

    fn open(&self) -> &Arc<Open> {
        // Only `drop` takes it.
        self.open.as_ref().expect("a transaction is there while its object is")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // It may be the last to hold the store.
        pool::let_go(self.open.take());
    }
}

#[napi]
impl Store {
    /// Calls `run` of the object that JavaScript keeps under `number` with a transaction, and commits what it asked for.
    #[napi]
    pub fn transact(&self, ticket: u32, number: u32, options: Unknown<'_>) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["retries", "requestId"])?;
        let retries = fields.optional("retries", count)?.unwrap_or(16);
        let runs = u32::try_from(retries).unwrap_or(u32::MAX).saturating_add(1);
        let request_id = fields.text("requestId")?;
        let (store, hub) = (self.store().clone(), self.hub().clone());
        self.hub().wait(ticket, move || {
            let done = store.transact_with(request_id.as_deref(), runs, |tx| {
                let open = Open::new(mem::replace(tx, store.transaction()));
                let arguments = vec![Argument::Transaction(open.clone(), hub.clone())];
                hub.call(number, "run", arguments, Shape::Nothing, None)?;
                *tx = open.take()?;
                Ok(())
            });
            done.map(|((), committed)| Answer::Committed(committed))
        });
        Ok(())
    }

    /// A transaction that is committed by hand.
    #[napi]
    pub fn transaction(&self) -> Transaction {
        Transaction::new(Open::new(self.store().transaction()), self.hub().clone())
    }
}

#[napi]
impl Transaction {
    /// Commits it, once.
    #[napi]
    pub fn commit(&self, ticket: u32) {
        let open = self.open().clone();
        self.hub.ask(ticket, move || open.take()?.commit().map(Answer::Committed));
    }

    /// Lets go of all that was asked for.
    #[napi]
    pub fn abandon(&self, ticket: u32) {
        let open = self.open().clone();
        self.hub.ask(ticket, move || {
            drop(open.take());
            Ok(Answer::Nothing)
        });
    }

    /// Adds a task.
    #[napi]
    pub fn add(&self, group: Unknown<'_>, data: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let known = ["json", "delay", "availableAt", "key", "ifExists"];
        let fields = Fields::read("options", options, &known)?;
        let mut new = tenure::Add { group: text("group", &group)?, ..add(&fields)? };
        if let Some(data) = given(data)? {
            new.data = blob("data", &data)?;
        }
        self.open().note(move |tx| tx.add_task(new));
        Ok(())
    }

    /// Changes a task; what is not named stays as it is.
    #[napi]
    pub fn update(&self, task: Unknown<'_>, change: Unknown<'_>) -> napi::Result<()> {
        let known = ["data", "json", "group", "delay", "availableAt", "error", "force"];
        let fields = Fields::read("change", change, &known)?;
        self.change(subject("task", &task)?, update(&fields)?);
        Ok(())
    }

    /// Ends a task whose work is done.
    #[napi]
    pub fn finish(&self, task: Unknown<'_>) -> napi::Result<()> {
        self.end(subject("task", &task)?, Reason::Finished);
        Ok(())
    }

    /// Ends a task.
    #[napi]
    pub fn delete(&self, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["reason"])?;
        let reason = fields.text("reason")?;
        let reason = reason.map_or(Ok(Reason::Deleted), |reason| choice("options.reason", &reason, &REASONS))?;
        self.end(subject("task", &task)?, reason);
        Ok(())
    }

    /// Gives a task back, to be claimed after `delay`.
    #[napi]
    pub fn release(&self, task: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let delay = Fields::read("options", options, &["delay"])?.millis("delay")?.unwrap_or_default();
        let available = Some(When::After(delay));
        self.change(subject("task", &task)?, Update { verb: Verb::Release, available, ..Update::default() });
        Ok(())
    }

    /// Gives a task back with one more failure, whose text is kept.
    #[napi]
    pub fn fail(&self, task: Unknown<'_>, error: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        self.change(subject("task", &task)?, failure(&error, options)?);
        Ok(())
    }

    /// A task that must exist.
    #[napi]
    pub fn depend(&self, task: Unknown<'_>) -> napi::Result<()> {
        let depend = depend("task", task)?;
        self.open().note(move |tx| tx.depend_on(depend));
        Ok(())
    }

    /// A record, as this transaction would leave it.
    #[napi]
    pub fn get(&self, ticket: u32, table: Unknown<'_>, key: Unknown<'_>) -> napi::Result<()> {
        let (open, table, key) = (self.open().clone(), text("table", &table)?, text("key", &key)?);
        self.hub.ask(ticket, move || open.ask(|tx| tx.get(&table, &key)).map(Answer::Record));
        Ok(())
    }

    /// A task.
    #[napi]
    pub fn task(&self, ticket: u32, task: Unknown<'_>) -> napi::Result<()> {
        let (open, id) = (self.open().clone(), id("id", &task)?);
        self.hub.ask(ticket, move || open.ask(|tx| tx.task(id)).map(Answer::Task));
        Ok(())
    }

    /// Writes a record.
    #[napi]
    pub fn put(
        &self,
        table: Unknown<'_>,
        key: Unknown<'_>,
        value: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<()> {
        let put = put(&table, &key, &value, options)?;
        self.open().note(move |tx| tx.put_record(put));
        Ok(())
    }

    /// Removes a record.
    #[napi]
    pub fn remove(&self, table: Unknown<'_>, key: Unknown<'_>) -> napi::Result<()> {
        let (table, key) = (text("table", &table)?, text("key", &key)?);
        self.open().note(move |tx| tx.remove(&table, &key));
        Ok(())
    }

    /// Adds to a number, at commit.
    #[napi]
    pub fn increment(
        &self,
        table: Unknown<'_>,
        key: Unknown<'_>,
        by: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<()> {
        let increment = increment(&table, &key, by, options)?;
        self.open().note(move |tx| tx.increment_within(increment));
        Ok(())
    }
}

impl Transaction {
    fn change(&self, subject: Subject, update: Update) {
        self.open().note(move |tx| match subject {
            Subject::Named(name) => tx.update(name, update),
            Subject::Held(held) => tx.update(&*held, update),
        });
    }

    fn end(&self, subject: Subject, reason: Reason) {
        self.open().note(move |tx| match subject {
            Subject::Named(name) => tx.delete(name, reason),
            Subject::Held(held) => tx.delete(&*held, reason),
        });
    }
}
