//! The verbs of the async client, each one update, and the service's upkeep.

use std::time::Duration;

use tenure_core::{
    Add, Claim, Code, Data, Error, Increment, Put, Request, Result, Revision, Task, record::GROUPS_TABLE,
};

use super::{
    call::Call,
    client::{Client, object, read_revision},
    url::part,
};
use crate::store::{TaskName, millis, only};

impl Client {
    /// Adds a task that anyone may claim at once.
    pub async fn add(&self, group: &str, data: impl Into<Data>) -> Result<Task> {
        self.add_task(Add { group: group.into(), data: data.into(), ..Add::default() }).await
    }

    /// Adds a task; with `if_exists` keep, the task that is there.
    pub async fn add_task(&self, add: Add) -> Result<Task> {
        only(self.update(Request { adds: vec![add], ..Request::default() }).await?)
    }

    /// Claims one task of these groups, an earlier group before a later one; where none is available, waits for one at
    /// most that long.
    pub async fn claim(&self, groups: &[&str], lease: Duration, wait: Duration) -> Result<Option<Task>> {
        let groups = groups.iter().map(ToString::to_string).collect();
        let claim = Claim { groups, lease: millis(lease), ..Claim::default() };
        let until = self.now().saturating_add(millis(wait));
        Ok(self.claim_until(&claim, Some(until)).await?.into_task())
    }

    /// A new lease for a task that its owner claimed.
    pub async fn renew(&self, task: impl Into<TaskName>, lease: Duration) -> Result<Task> {
        only(self.update(task.into().renew(lease)).await?)
    }

    /// Gives a task back, to be claimed after `delay`.
    pub async fn release(&self, task: impl Into<TaskName>, delay: Duration) -> Result<Task> {
        only(self.update(task.into().release(delay)).await?)
    }

    /// Ends a task whose work is done.
    pub async fn finish(&self, task: impl Into<TaskName>) -> Result<()> {
        self.update(task.into().finish()).await.map(|_| ())
    }

    /// Gives a task back with one more failure and its text, to be claimed after `delay`.
    pub async fn fail(&self, task: impl Into<TaskName>, error: &str, delay: Duration) -> Result<Task> {
        only(self.update(task.into().fail(error, delay)).await?)
    }

    /// Ends a task that nobody wants any more; `force` even where another holds it.
    pub async fn cancel(&self, task: impl Into<TaskName>, force: bool) -> Result<()> {
        self.update(task.into().cancel(force)).await.map(|_| ())
    }

    /// Puts a task into another group, to be claimed there at once.
    pub async fn move_to(&self, task: impl Into<TaskName>, group: &str) -> Result<Task> {
        only(self.update(task.into().move_to(group)).await?)
    }

    /// Makes a task as if it had never been claimed, in its group or in another, to be claimed after `delay`.
    pub async fn requeue(&self, task: impl Into<TaskName>, group: Option<&str>, delay: Duration) -> Result<Task> {
        only(self.update(task.into().requeue(group, delay)).await?)
    }

    /// Writes a record, on the conditions that `put` names, and answers with the revision that wrote it.
    pub async fn put(&self, put: Put) -> Result<Revision> {
        Ok(self.update(Request { puts: vec![put], ..Request::default() }).await?.revision)
    }

    /// Adds to a number, within the bounds that are given, and answers with the sum.
    pub async fn increment(&self, increment: Increment) -> Result<i64> {
        let committed = self.update(Request { increments: vec![increment], ..Request::default() }).await?;
        let sum = committed.counts.first().copied();
        sum.ok_or_else(|| Error::new(Code::Internal, "an increment answered with no number"))
    }

    /// Whether claims skip a group from now on; its other settings stay.
    pub async fn pause(&self, group: &str, paused: bool) -> Result<Revision> {
        if group.is_empty() {
            return Err(Error::new(Code::Invalid, format!("{GROUPS_TABLE}: a group's name is not empty")));
        }
        let body = format!("{{\"paused\":{paused}}}");
        let call = Call::post(format!("/v1/groups/{}/paused", part(group)), body);
        self.call(&Call { method: hyper::Method::PUT, ..call }, read_revision).await
    }

    /// Waits until everything that was answered is on stable storage.
    pub async fn flush(&self) -> Result<()> {
        let post = Call { writes: false, ..Call::post("/v1/flush", "{}") };
        self.call(&post, |bytes| object(bytes).map(|_| ())).await
    }

    /// Has the service take a snapshot, and answers with the revision that it holds.
    pub async fn snapshot(&self) -> Result<Revision> {
        let wait = Duration::from_mins(5);
        let post = Call { writes: false, wait, ..Call::post("/v1/snapshot", "{}") };
        self.call(&post, read_revision).await
    }
}
