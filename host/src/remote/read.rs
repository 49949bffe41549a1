//! Reads of the async client. The service answers each from its newest state; a long list comes page by page, each of
//! its own moment.

use std::{fmt::Write as _, time::Duration};

use tenure_core::{
    Code, Error, GroupStats, Millis, Record, Result, Revision, Task, TaskId, engine::Event, inspect::read_events, json,
};

use super::{
    call::Call,
    client::{Client, missing, object},
    stats,
    url::part,
};
use crate::store::{Filter, Stats};

/// Tasks or records that one call asks for at most.
const PAGE: usize = 10_000;

/// Ids that fit the head of one request.
const IDS: usize = 1_000;

/// `None` where there is no such thing.
fn found<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(error) if error.code() == Code::NotFound => Ok(None),
        read => read.map(Some),
    }
}

impl Client {
    /// The task with this id, while it is the present one.
    pub async fn task(&self, id: impl Into<TaskId>) -> Result<Option<Task>> {
        let id = id.into();
        Ok(self.tasks_by_id(&[id]).await?.pop().flatten())
    }

    /// The tasks with these ids, in that order, `None` for those that are not there.
    pub async fn tasks_by_id(&self, ids: &[TaskId]) -> Result<Vec<Option<Task>>> {
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS) {
            let mut path = String::from("/v1/tasks?ids=");
            for (at, id) in ids.iter().enumerate() {
                let _ = write!(path, "{}{id}", if at == 0 { "" } else { "," });
            }
            let tasks = self.call(&Call::get(path), json::read_task_list).await?;
            if tasks.len() != ids.len() {
                return Err(Error::new(Code::Unsupported, "the service answered for other tasks than were asked for"));
            }
            all.extend(tasks);
        }
        Ok(all)
    }

    /// Tasks in the order of their ids.
    pub async fn tasks(&self, filter: &Filter) -> Result<Vec<Task>> {
        let mut all = Vec::new();
        let mut after = filter.after;
        while all.len() < filter.limit {
            let limit = PAGE.min(filter.limit - all.len());
            let mut path = format!("/v1/tasks?after={after}&limit={limit}");
            if let Some(group) = &filter.group {
                let _ = write!(path, "&group={}", part(group));
            }
            if let Some(state) = filter.state {
                let _ = write!(path, "&state={}", state.slug());
            }
            let page = self.call(&Call::get(path), json::read_tasks).await?;
            all.extend(page.tasks);
            let Some(next) = page.next else { break };
            after = next;
        }
        Ok(all)
    }

    /// The live task that an add began, under whatever id it has by now.
    pub async fn find(&self, origin: impl Into<TaskId>) -> Result<Option<Task>> {
        found(self.call(&Call::get(format!("/v1/origins/{}", origin.into())), json::read_task).await)
    }

    /// The live task of a group that has this key.
    pub async fn by_key(&self, group: &str, key: &str) -> Result<Option<Task>> {
        // No task has an empty one, and no path holds it.
        if group.is_empty() || key.is_empty() {
            return Ok(None);
        }
        let path = format!("/v1/groups/{}/keys/{}", part(group), part(key));
        found(self.call(&Call::get(path), json::read_task).await)
    }

    /// Every group that has tasks, in the order of their names.
    pub async fn groups(&self) -> Result<Vec<GroupStats>> {
        self.call(&Call::get("/v1/groups"), json::read_groups).await
    }

    /// One group; zeros where it has no tasks.
    pub async fn group(&self, name: &str) -> Result<GroupStats> {
        self.group_within(name, 0).await
    }

    /// One group, once it is empty, or after `wait` milliseconds.
    async fn group_within(&self, name: &str, wait: Millis) -> Result<GroupStats> {
        if name.is_empty() {
            return Ok(GroupStats::default());
        }
        let mut path = format!("/v1/groups/{}", part(name));
        if wait > 0 {
            let _ = write!(path, "?empty_within={wait}");
        }
        self.call(&Call { wait: Duration::from_millis(wait), ..Call::get(path) }, json::read_group).await
    }

    /// Waits until none of these groups has a task left, at most until the clock shows `until` (`None`: for ever); says
    /// whether that came true.
    pub async fn wait_empty(&self, groups: &[&str], until: Option<Millis>) -> Result<bool> {
        loop {
            let mut left = 0;
            for group in groups {
                let wait = until.map_or(self.longest_wait(), |until| until.saturating_sub(self.now()));
                left += self.group_within(group, wait.min(self.longest_wait())).await?.tasks;
            }
            // Where one was waited for, an earlier one may have tasks again.
            if left == 0 && groups.len() > 1 {
                for group in groups {
                    left += self.group(group).await?.tasks;
                }
            }
            if left == 0 {
                return Ok(true);
            }
            if until.is_some_and(|until| until <= self.now()) {
                return Ok(false);
            }
        }
    }

    /// A record, unless it is absent or expired.
    pub async fn get(&self, table: &str, key: &str) -> Result<Option<Record>> {
        if table.is_empty() || key.is_empty() {
            return Ok(None);
        }
        let path = format!("/v1/tables/{}/records/{}", part(table), part(key));
        found(self.call(&Call::get(path), json::read_record).await)
    }

    /// Records of a table whose keys begin with `prefix` and come after `after`, in the order of their keys.
    pub async fn scan(&self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>> {
        let mut all: Vec<Record> = Vec::new();
        if table.is_empty() {
            return Ok(all);
        }
        while all.len() < limit {
            let page = PAGE.min(limit - all.len());
            let mut path = format!("/v1/tables/{}/records?limit={page}&prefix={}", part(table), part(prefix));
            if let Some(after) = all.last().map(|record| &*record.key).or(after) {
                let _ = write!(path, "&after={}", part(after));
            }
            let records = self.call(&Call::get(path), json::read_records).await?;
            let last = records.len() < page;
            all.extend(records);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// The names of the tables that have records.
    pub async fn tables(&self) -> Result<Vec<String>> {
        let read = |bytes: &[u8]| {
            let value = object(bytes)?;
            let names = value["tables"].as_array().ok_or_else(|| missing("tables"))?;
            names.iter().map(|name| name.as_str().map(ToOwned::to_owned).ok_or_else(|| missing("tables"))).collect()
        };
        self.call(&Call::get("/v1/tables"), read).await
    }

    /// The revision that a read would see.
    pub async fn revision(&self) -> Result<Revision> {
        Ok(self.stats().await?.revision)
    }

    /// The digest over all tasks and records, with the revision that it is of.
    pub async fn digest(&self) -> Result<(Revision, u64)> {
        let stats = self.stats().await?;
        Ok((stats.revision, stats.digest))
    }

    /// The entries that follow a revision, the oldest first, at most `limit` of them and at most 10,000, as far as the
    /// journal still holds them.
    pub async fn log(&self, after: Revision, limit: usize) -> Result<Vec<Event>> {
        let path = format!("/v1/log?after={after}&limit={}", limit.clamp(1, PAGE));
        self.call(&Call::get(path), read_events).await
    }

    /// Numbers about the store and the service's handle on it.
    pub async fn stats(&self) -> Result<Stats> {
        self.call(&Call::get("/v1/stats"), stats::read).await
    }
}
