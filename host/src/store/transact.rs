//! A closure over a transaction: what it reads is guarded, what it writes is committed in one piece, and it runs again
//! when what it read has changed meanwhile.

use std::sync::{Arc, MutexGuard};

use tenure_core::{
    Add, Code, Committed, Data, Delete, Depend, Error, Guard, Increment, OwnerId, Put, Record, Refusal, Remove,
    Request, Result, Revision, Task, TaskId, Update, Verb, When, entry::Reason, json::set_paused, record::GROUPS_TABLE,
};

use super::{
    Store,
    held::{HeldState, Present},
    subject::Subject,
    verb::{TaskName, millis},
};

/// How often a transaction is run before it gives up.
pub(super) const RUNS: u32 = 16;

/// What is to happen in one piece. Nothing does before it is committed: by [`Store::transact`], once the closure returns
/// `Ok`, or by [`commit`](Transaction::commit).
#[derive(Debug)]
pub struct Transaction {
    store: Store,
    request: Request,
    held: Vec<Arc<HeldState>>,
}

impl Store {
    /// Runs `body` over a transaction and commits what it asks for. Where a record that it read through the transaction has
    /// changed meanwhile, it runs again, at most 16 times; never for a claim that is lost.
    ///
    /// ```
    /// # fn main() -> tenure::Result<()> {
    /// let store = tenure::Store::memory()?;
    /// store.put("limits", "left", "3")?;
    /// let left = store.transact(|tx| {
    ///     let left: u32 = tx.get("limits", "left")?.and_then(|record| record.value.text()?.parse().ok()).unwrap_or(0);
    ///     tx.put("limits", "left", (left - 1).to_string());
    ///     tx.add("work", "one more");
    ///     Ok(left - 1)
    /// })?;
    /// assert_eq!(left, 2);
    /// # Ok(()) }
    /// ```
    pub fn transact<T>(&self, mut body: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.transact_with(None, RUNS, |tx| body(tx)).map(|(value, _)| value)
    }

    /// A transaction that is [committed](Transaction::commit) by hand, and tried once.
    pub fn transaction(&self) -> Transaction {
        Transaction { store: self.clone(), request: Request::default(), held: Vec::new() }
    }

    /// As [`transact`](Store::transact), with a request id, so that a repeat gets the first outcome, and with what was
    /// committed.
    pub fn transact_with<T>(
        &self,
        request_id: Option<&str>,
        runs: u32,
        mut body: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<(T, Committed)> {
        let mut run = 1;
        loop {
            let mut tx = self.transaction();
            tx.request.request_id = request_id.map(Into::into);
            let value = body(&mut tx)?;
            match tx.commit_or_tell() {
                Ok(committed) => return Ok((value, committed)),
                Err(refused) if run < runs && read_has_changed(&refused.0, &refused.1) => run += 1,
                Err(refused) => return Err(refused.0),
            }
        }
    }
}

/// Whether the only reason is that records which the closure read have changed.
fn read_has_changed(error: &Error, request: &Request) -> bool {
    error.code() == Code::StaleRecord
        && error.refusals().iter().all(|refusal| match refusal {
            Refusal::StaleRecord { table, key, .. } => {
                request.guards.iter().any(|guard| guard.table == *table && guard.key == *key)
            }
            _ => false,
        })
}

impl Transaction {
    /// A record, as this transaction would leave it. That it was read is part of the transaction.
    pub fn get(&mut self, table: &str, key: &str) -> Result<Option<Record>> {
        let named = |other_table: &str, other_key: &str| other_table == table && other_key == key;
        if let Some(put) = self.request.puts.iter().rev().find(|put| named(&put.table, &put.key)) {
            let (table, key, value) = (table.into(), key.into(), put.value.clone());
            return Ok(Some(Record { table, key, value, revision: Revision(0), expires_at: put.expires_at }));
        }
        if self.request.removes.iter().any(|remove| named(&remove.table, &remove.key)) {
            return Ok(None);
        }
        let record = self.store.guarded_record(table, key)?;
        let expect = record.as_ref().map_or(Revision(0), |record| record.revision);
        if !self.request.guards.iter().any(|guard| named(&guard.table, &guard.key)) {
            self.request.guards.push(Guard { table: table.into(), key: key.into(), expect });
        }
        Ok(record)
    }

    /// A task. That it exists is part of the transaction.
    pub fn task(&mut self, id: impl Into<TaskId>) -> Result<Option<Task>> {
        let id = id.into();
        let task = self.store.guarded_task(id)?;
        if task.is_some() {
            self.depend(id);
        }
        Ok(task)
    }

    /// Adds a task.
    pub fn add(&mut self, group: &str, data: impl Into<Data>) {
        self.add_task(Add { group: group.into(), data: data.into(), ..Add::default() });
    }

    /// Adds a task.
    pub fn add_task(&mut self, add: Add) {
        self.request.adds.push(add);
    }

    /// Changes a task.
    pub fn update(&mut self, task: impl Subject, update: Update) {
        let name = self.join(&task);
        self.request.updates.push(Update { id: name.id, origin: name.origin, ..update });
    }

    /// Gives a task back, to be claimed after `delay`.
    pub fn release(&mut self, task: impl Subject, delay: std::time::Duration) {
        let available = Some(When::After(millis(delay)));
        self.update(task, Update { verb: Verb::Release, available, ..Update::default() });
    }

    /// Gives a task back with one more failure and its text.
    pub fn fail(&mut self, task: impl Subject, error: &str, delay: std::time::Duration) {
        let available = Some(When::After(millis(delay)));
        self.update(task, Update { verb: Verb::Fail, available, error: Some(error.into()), ..Update::default() });
    }

    /// Ends a task whose work is done.
    pub fn finish(&mut self, task: impl Subject) {
        self.delete(task, Reason::Finished);
    }

    /// Ends a task.
    pub fn delete(&mut self, task: impl Subject, reason: Reason) {
        let name = self.join(&task);
        self.request.deletes.push(Delete { id: name.id, origin: name.origin, reason, force: false });
    }

    /// A task that must exist.
    pub fn depend(&mut self, id: impl Into<TaskId>) {
        self.depend_on(Depend::Id(id.into()));
    }

    /// A task that must exist, by its id or its origin.
    pub fn depend_on(&mut self, depend: Depend) {
        self.request.depends.push(depend);
    }

    /// Writes a record.
    pub fn put(&mut self, table: &str, key: &str, value: impl Into<Data>) {
        self.put_record(Put { table: table.into(), key: key.into(), value: value.into(), ..Put::default() });
    }

    /// Writes a record, on the conditions that `put` names.
    pub fn put_record(&mut self, put: Put) {
        self.request.puts.push(put);
    }

    /// Removes a record.
    pub fn remove(&mut self, table: &str, key: &str) {
        self.request.removes.push(Remove { table: table.into(), key: key.into(), expect: None });
    }

    /// Adds to a number, at commit.
    pub fn increment(&mut self, table: &str, key: &str, by: i64) {
        self.increment_within(Increment { table: table.into(), key: key.into(), by, ..Increment::default() });
    }

    /// Adds to a number, at commit, within bounds.
    pub fn increment_within(&mut self, increment: Increment) {
        self.request.increments.push(increment);
    }

    /// In whose name it is asked; the owner of the last task named, where nothing is said.
    pub fn owner(&mut self, owner: OwnerId) {
        self.request.owner = owner;
    }

    /// Who does it, for the journal and for the words of refusals; the label of the handle, where nothing is said.
    pub fn actor(&mut self, actor: impl Into<Arc<str>>) {
        self.request.actor = Some(actor.into());
    }

    /// Whether claims skip a group. Its other settings stay, and what is held or comes is not touched.
    pub fn pause(&mut self, group: &str, paused: bool) -> Result<()> {
        let present = self.get(GROUPS_TABLE, group)?;
        match set_paused(present.as_ref().map(|record| &record.value[..]), paused)? {
            Some(settings) => self.put(GROUPS_TABLE, group, settings),
            None if present.is_some() => self.remove(GROUPS_TABLE, group),
            None => {}
        }
        Ok(())
    }

    fn join(&mut self, task: &impl Subject) -> TaskName {
        if let Some(held) = task.held()
            && !self.held.iter().any(|other| Arc::ptr_eq(other, &held))
        {
            self.held.push(held);
        }
        let name = task.name();
        if name.owner != OwnerId(0) {
            self.request.owner = name.owner;
        }
        name
    }

    /// Commits it, once. `Rejected` where what it read has changed meanwhile.
    pub fn commit(self) -> Result<Committed> {
        self.commit_or_tell().map_err(|refused| refused.0)
    }

    /// Commits. The leases that it names do not renew themselves meanwhile, so that their ids are the final ones.
    fn commit_or_tell(mut self) -> std::result::Result<Committed, Box<(Error, Request)>> {
        let Request { updates, deletes, depends, guards, .. } = &self.request;
        let idle = updates.is_empty()
            && deletes.is_empty()
            && self.request.adds.is_empty()
            && self.request.puts.is_empty()
            && self.request.removes.is_empty()
            && self.request.increments.is_empty();
        if idle && depends.is_empty() && guards.is_empty() {
            return Ok(Committed::default());
        }
        if idle && depends.is_empty() {
            // It only read, and each read was true by itself; whether they were true together is what guards say.
            let guards = self.request.guards.clone();
            return self.store.check(&guards).map_err(|error| Box::new((error, self.request)));
        }
        self.request.depends_only = idle;
        // In one order everywhere, or two transactions over the same leases could wait for each other.
        self.held.sort_by_key(|held| held.origin());
        let held = std::mem::take(&mut self.held);
        let present: Vec<MutexGuard<'_, Present>> = held.iter().map(|held| held.present()).collect();
        for present in &present {
            let task = &present.task;
            let same = |origin: Option<TaskId>| origin == Some(task.origin);
            self.request.updates.iter_mut().filter(|update| same(update.origin)).for_each(|update| update.id = task.id);
            self.request.deletes.iter_mut().filter(|delete| same(delete.origin)).for_each(|delete| delete.id = task.id);
        }
        let committed = self.store.update(self.request.clone());
        for (held, mut present) in held.iter().zip(present) {
            held.settle(&mut present, &committed);
        }
        committed.map_err(|error| Box::new((error, self.request)))
    }
}
