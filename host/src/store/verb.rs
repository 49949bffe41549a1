//! The verbs on a task, each one update.

use std::time::Duration;

use tenure_core::{
    Add, Claim, Code, Committed, Data, Delete, Error, Increment, Millis, OwnerId, Put, Remove, Request, Result,
    Revision, Task, TaskId, Update, Verb, When, entry::Reason,
};

#[cfg(feature = "client")]
use super::Place;
use super::{Cancel, Store, at, transact::RUNS};

/// A task, or what is enough to name one: its id, and, where they are known, its origin and who holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskName {
    /// The present id.
    pub id: TaskId,
    /// The id of the add that began it.
    pub origin: Option<TaskId>,
    /// Who asks, where that is not the handle's own owner.
    pub owner: OwnerId,
}

impl From<&Task> for TaskName {
    fn from(task: &Task) -> Self {
        Self { id: task.id, origin: known(task), owner: task.owner }
    }
}

/// Where a task began; not known of one that a repeated request names, which has changed since.
fn known(task: &Task) -> Option<TaskId> {
    Some(task.origin).filter(|origin| origin.0 != 0)
}

impl From<TaskId> for TaskName {
    fn from(id: TaskId) -> Self {
        Self { id, origin: None, owner: OwnerId(0) }
    }
}

impl From<u64> for TaskName {
    fn from(id: u64) -> Self {
        TaskId(id).into()
    }
}

/// The request that each verb is, for those who commit it themselves.
impl TaskName {
    /// The update of this task.
    pub fn change(self, update: Update) -> Request {
        let update = Update { id: self.id, origin: self.origin, ..update };
        Request { owner: self.owner, updates: vec![update], ..Request::default() }
    }

    fn end(self, reason: Reason, force: bool) -> Request {
        let delete = Delete { id: self.id, origin: self.origin, reason, force };
        Request { owner: self.owner, deletes: vec![delete], ..Request::default() }
    }

    /// As [`Store::renew`].
    pub fn renew(self, lease: Duration) -> Request {
        let available = Some(When::After(millis(lease)));
        self.change(Update { verb: Verb::Renew, available, ..Update::default() })
    }

    /// As [`Store::release`].
    pub fn release(self, delay: Duration) -> Request {
        let available = Some(When::After(millis(delay)));
        self.change(Update { verb: Verb::Release, available, ..Update::default() })
    }

    /// As [`Store::finish`].
    pub fn finish(self) -> Request {
        self.end(Reason::Finished, false)
    }

    /// As [`Store::fail`].
    pub fn fail(self, error: &str, delay: Duration) -> Request {
        let available = Some(When::After(millis(delay)));
        self.change(Update { verb: Verb::Fail, available, error: Some(error.into()), ..Update::default() })
    }

    /// As [`Store::cancel`].
    pub fn cancel(self, force: bool) -> Request {
        // A name that came from a task carries its holder; who cancels is this handle.
        let owner = if force { OwnerId(0) } else { self.owner };
        Self { owner, ..self }.end(Reason::Cancelled, force)
    }

    /// As [`Store::move_to`].
    pub fn move_to(self, group: &str) -> Request {
        self.change(Update { verb: Verb::Release, group: Some(group.into()), ..Update::default() })
    }

    /// As [`Store::requeue`].
    pub fn requeue(self, group: Option<&str>, delay: Duration) -> Request {
        let available = Some(When::After(millis(delay)));
        self.change(Update { verb: Verb::Requeue, available, group: group.map(Into::into), ..Update::default() })
    }
}

/// A span in milliseconds, as far as one fits.
pub(crate) fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

/// The update that gives a task back.
pub(crate) fn release(task: &Task, available: When) -> Update {
    Update { id: task.id, origin: known(task), verb: Verb::Release, available: Some(available), ..Update::default() }
}

pub(crate) fn only(committed: Committed) -> Result<Task> {
    committed.into_task().ok_or_else(|| Error::new(Code::Internal, "a change of one task answered with none"))
}

impl Store {
    /// Adds a task that anyone may claim at once.
    pub fn add(&self, group: &str, data: impl Into<Data>) -> Result<Task> {
        self.add_task(Add { group: group.into(), data: data.into(), ..Add::default() })
    }

    /// Adds a task; with `if_exists` keep, the task that is there.
    pub fn add_task(&self, add: Add) -> Result<Task> {
        only(self.update(Request { adds: vec![add], ..Request::default() })?)
    }

    /// Adds tasks of one group, all or none.
    pub fn add_many<D: Into<Data>>(&self, group: &str, items: impl IntoIterator<Item = D>) -> Result<Vec<Task>> {
        let add = |data: D| Add { group: group.into(), data: data.into(), ..Add::default() };
        let adds: Vec<Add> = items.into_iter().map(add).collect();
        if adds.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.update(Request { adds, ..Request::default() })?.tasks)
    }

    /// Claims one task of these groups, an earlier group before a later one; `None` where none is available.
    pub fn claim(&self, groups: &[&str], lease: Duration) -> Result<Option<Task>> {
        Ok(self.claim_many(groups, lease, 1)?.pop())
    }

    /// Claims up to `limit` tasks of these groups.
    pub fn claim_many(&self, groups: &[&str], lease: Duration, limit: usize) -> Result<Vec<Task>> {
        let groups = groups.iter().map(ToString::to_string).collect();
        Ok(self.claim_now(Claim { groups, lease: millis(lease), limit, ..Claim::default() })?.tasks)
    }

    /// Claims one task of these groups; where none is available, waits for one at most that long.
    pub fn claim_wait(&self, groups: &[&str], lease: Duration, wait: Duration) -> Result<Option<Task>> {
        let groups = groups.iter().map(ToString::to_string).collect();
        let claim = Claim { groups, lease: millis(lease), ..Claim::default() };
        let until = self.now().saturating_add(millis(wait));
        Ok(self.claim_until(&claim, Some(until), None)?.into_task())
    }

    fn change(&self, request: Request) -> Result<Task> {
        only(self.update(request)?)
    }

    fn end(&self, request: Request) -> Result<()> {
        self.update(request).map(|_| ())
    }

    /// A new lease for a task that its owner claimed.
    pub fn renew(&self, task: impl Into<TaskName>, lease: Duration) -> Result<Task> {
        self.change(task.into().renew(lease))
    }

    /// Gives a task back, to be claimed after `delay`.
    pub fn release(&self, task: impl Into<TaskName>, delay: Duration) -> Result<Task> {
        self.change(task.into().release(delay))
    }

    /// Ends a task whose work is done.
    pub fn finish(&self, task: impl Into<TaskName>) -> Result<()> {
        self.end(task.into().finish())
    }

    /// Gives a task back with one more failure and its text, to be claimed after `delay`.
    pub fn fail(&self, task: impl Into<TaskName>, error: &str, delay: Duration) -> Result<Task> {
        self.change(task.into().fail(error, delay))
    }

    /// Ends a task that nobody wants any more; `force` even where another holds it.
    pub fn cancel(&self, task: impl Into<TaskName>, force: bool) -> Result<()> {
        self.end(task.into().cancel(force))
    }

    /// Puts a task into another group, to be claimed there at once.
    pub fn move_to(&self, task: impl Into<TaskName>, group: &str) -> Result<Task> {
        self.change(task.into().move_to(group))
    }

    /// Makes a task as if it had never been claimed, in its group or in another, to be claimed after `delay`.
    pub fn requeue(&self, task: impl Into<TaskName>, group: Option<&str>, delay: Duration) -> Result<Task> {
        self.change(task.into().requeue(group, delay))
    }

    /// Writes a record and answers with the revision that wrote it.
    pub fn put(&self, table: &str, key: &str, value: impl Into<Data>) -> Result<Revision> {
        self.put_record(Put { table: table.into(), key: key.into(), value: value.into(), ..Put::default() })
    }

    /// Writes a record, on the conditions that `put` names.
    pub fn put_record(&self, put: Put) -> Result<Revision> {
        Ok(self.update(Request { puts: vec![put], ..Request::default() })?.revision)
    }

    /// Removes a record; where it is not there, nothing happens.
    pub fn remove(&self, table: &str, key: &str, expect: Option<Revision>) -> Result<Revision> {
        let remove = Remove { table: table.into(), key: key.into(), expect };
        Ok(self.update(Request { removes: vec![remove], ..Request::default() })?.revision)
    }

    /// Adds to a number and answers with the sum; it must stay within the bounds that are given.
    pub fn increment(&self, table: &str, key: &str, by: i64, min: Option<i64>, max: Option<i64>) -> Result<i64> {
        let increment = Increment { table: table.into(), key: key.into(), by, min, max };
        let committed = self.update(Request { increments: vec![increment], ..Request::default() })?;
        let sum = committed.counts.first().copied();
        sum.ok_or_else(|| Error::new(Code::Internal, "an increment answered with no number"))
    }

    /// Whether claims skip a group from now on; its other settings stay.
    ///
    /// # Errors
    /// `Invalid` where the group's settings are no JSON object.
    pub fn pause(&self, group: &str, paused: bool) -> Result<Revision> {
        #[cfg(feature = "client")]
        if let Place::Remote(remote) = &self.place {
            return remote.write(remote.client().pause(group, paused));
        }
        let ((), committed) = self.transact_with(None, RUNS, |tx| tx.pause(group, paused))?;
        Ok(committed.revision)
    }

    /// Waits until none of these groups has a task left, at most until the clock shows `until` (`None`: for ever);
    /// says whether that came true.
    pub fn wait_empty(&self, groups: &[&str], until: Option<Millis>) -> Result<bool> {
        self.wait_empty_unless(groups, until, None)
    }

    /// As [`wait_empty`](Store::wait_empty); `Timeout` with code `cancelled` after [`Cancel::cancel`].
    pub fn wait_empty_unless(&self, groups: &[&str], until: Option<Millis>, cancel: Option<&Cancel>) -> Result<bool> {
        at!(
            self,
            |shared| {
                let mut watch = self.watch()?;
                loop {
                    if shared.left_in(groups, !self.weak_reads)? == 0 {
                        return Ok(true);
                    }
                    if until.is_some_and(|until| until <= self.now()) {
                        return Ok(false);
                    }
                    watch.drain(until, cancel)?;
                }
            },
            |remote| remote.read_unless(remote.client().wait_empty(groups, until), cancel)
        )
    }
}
