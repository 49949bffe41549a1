//! Reads. A consistent one catches up with the journal's end as of its start and, on a strict store, waits until what
//! it saw is on stable storage; a weak one sees what this handle has seen, and never waits.

use tenure_core::{
    Committed, Error, GroupStats, Guard, Millis, Record, Refusal, Result, Revision, Task, TaskId, TaskState,
    engine::Engine,
};

use super::{Shared, Store, at};

/// Which tasks a list holds.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only those of this group.
    pub group: Option<String>,
    /// Only those in this state.
    pub state: Option<TaskState>,
    /// Only those with a higher id: the cursor of the next page.
    pub after: TaskId,
    /// At most that many.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { group: None, state: None, after: TaskId(0), limit: 1000 }
    }
}

impl Store {
    /// The task with this id, while it is the present one.
    pub fn task(&self, id: impl Into<TaskId>) -> Result<Option<Task>> {
        let id = id.into();
        at!(self, |shared| shared.look(!self.weak_reads, |engine, _| engine.state().task(id)), |remote| remote
            .read(remote.client().task(id)))
    }

    /// The tasks with these ids, in that order, `None` for those that are not there.
    pub fn tasks_by_id(&self, ids: &[TaskId]) -> Result<Vec<Option<Task>>> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, _| ids.iter().map(|id| engine.state().task(*id)).collect()),
            |remote| remote.read(remote.client().tasks_by_id(ids))
        )
    }

    /// Tasks in the order of their ids.
    pub fn tasks(&self, filter: &Filter) -> Result<Vec<Task>> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, now| {
                let keep = |state| filter.state.is_none_or(|wanted| wanted == state);
                engine.state().list(filter.group.as_deref(), filter.after, filter.limit, now, keep)
            }),
            |remote| remote.read(remote.client().tasks(filter))
        )
    }

    /// The live task that an add began, under whatever id it has by now.
    pub fn find(&self, origin: impl Into<TaskId>) -> Result<Option<Task>> {
        let origin = origin.into();
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, _| engine
                .state()
                .by_origin(origin)
                .and_then(|id| engine.state().task(id))),
            |remote| remote.read(remote.client().find(origin))
        )
    }

    /// The live task of a group that has this key.
    pub fn by_key(&self, group: &str, key: &str) -> Result<Option<Task>> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, _| engine
                .state()
                .by_key(group, key)
                .and_then(|id| engine.state().task(id))),
            |remote| remote.read(remote.client().by_key(group, key))
        )
    }

    /// Every group that has tasks, in the order of their names.
    pub fn groups(&self) -> Result<Vec<GroupStats>> {
        at!(self, |shared| shared.look(!self.weak_reads, |engine, now| engine.state().groups(now)), |remote| remote
            .read(remote.client().groups()))
    }

    /// One group; zeros where it has no tasks.
    pub fn group(&self, name: &str) -> Result<GroupStats> {
        at!(self, |shared| shared.look(!self.weak_reads, |engine, now| engine.state().group(name, now)), |remote| {
            remote.read(remote.client().group(name))
        })
    }

    /// A record, unless it is absent or expired.
    pub fn get(&self, table: &str, key: &str) -> Result<Option<Record>> {
        at!(self, |shared| shared.look(!self.weak_reads, |engine, now| record(engine, now, table, key)), |remote| {
            remote.read(remote.client().get(table, key))
        })
    }

    /// Records of a table whose keys begin with `prefix` and come after `after`, in the order of their keys.
    pub fn scan(&self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, now| engine
                .state()
                .tables()
                .scan(table, prefix, after, now)
                .take(limit)
                .collect()),
            |remote| remote.read(remote.client().scan(table, prefix, after, limit))
        )
    }

    /// The names of the tables that have records.
    pub fn tables(&self) -> Result<Vec<String>> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, _| engine
                .state()
                .tables()
                .names()
                .map(ToString::to_string)
                .collect()),
            |remote| remote.read(remote.client().tables())
        )
    }

    /// The revision that a read would see.
    pub fn revision(&self) -> Result<Revision> {
        at!(self, |shared| shared.look(!self.weak_reads, |engine, _| engine.state().revision()), |remote| remote
            .read(remote.client().revision()))
    }

    /// The digest over all tasks and records, with the revision that it is of: two handles at one revision have
    /// the same.
    pub fn digest(&self) -> Result<(Revision, u64)> {
        at!(
            self,
            |shared| shared.look(!self.weak_reads, |engine, _| (engine.state().revision(), engine.state().digest())),
            |remote| remote.read(remote.client().digest())
        )
    }
}

/// What a transaction reads. It only guards a commit, so it need not be durable yet: the commit will be, and it comes
/// behind it.
impl Store {
    pub(super) fn guarded_record(&self, table: &str, key: &str) -> Result<Option<Record>> {
        at!(self, |shared| shared.caught_up(|engine, now| record(engine, now, table, key)), |remote| remote
            .read(remote.client().get(table, key)))
    }

    pub(super) fn guarded_task(&self, id: TaskId) -> Result<Option<Task>> {
        at!(self, |shared| shared.caught_up(|engine, _| engine.state().task(id)), |remote| remote
            .read(remote.client().task(id)))
    }

    /// `Rejected` unless all of these records are as they were read, at one moment; answers with its revision.
    pub fn check(&self, guards: &[Guard]) -> Result<Committed> {
        at!(self, |shared| shared.check_guards(guards), |remote| remote.read(remote.client().check(guards)))
    }
}

/// A record, unless it is absent or expired.
fn record(engine: &Engine, now: Millis, table: &str, key: &str) -> Option<Record> {
    let value = engine.state().tables().get(table, key).filter(|value| value.visible(now))?;
    Some(value.record(table.into(), key.into()))
}

impl Shared {
    /// Looks at the state after catching up, without waiting for stable storage.
    fn caught_up<T>(&self, see: impl FnOnce(&Engine, Millis) -> T) -> Result<T> {
        let now = self.clock.now();
        let mut driver = self.driver()?;
        driver.catch_up(&|| now)?;
        self.after(&mut driver);
        driver.engine().may_read()?;
        Ok(see(driver.engine(), now))
    }

    fn check_guards(&self, guards: &[Guard]) -> Result<Committed> {
        self.look(true, |engine, now| {
            let found = |guard: &Guard| {
                let value = engine.state().tables().get(&guard.table, &guard.key).filter(|value| value.visible(now));
                value.map_or(Revision(0), |value| value.revision)
            };
            let stale: Vec<Refusal> = guards
                .iter()
                .filter(|guard| found(guard) != guard.expect)
                .map(|guard| Refusal::StaleRecord {
                    table: guard.table.clone(),
                    key: guard.key.clone(),
                    expected: guard.expect,
                    found: found(guard),
                })
                .collect();
            if stale.is_empty() {
                Ok(Committed { revision: engine.state().revision(), ..Committed::default() })
            } else {
                Err(Error::rejected(stale))
            }
        })?
    }

    /// How many tasks these groups have in all.
    pub(super) fn left_in(&self, groups: &[&str], consistent: bool) -> Result<u64> {
        self.look(consistent, |engine, _| groups.iter().map(|group| engine.state().group_len(group)).sum())
    }

    pub(super) fn look<T>(&self, consistent: bool, see: impl FnOnce(&Engine, Millis) -> T) -> Result<T> {
        let now = self.clock.now();
        let mut driver = self.driver()?;
        if !consistent {
            return Ok(see(driver.engine(), now));
        }
        driver.catch_up(&|| now)?;
        self.after(&mut driver);
        driver.engine().may_read()?;
        let until = driver.engine().tail().position;
        let seen = see(driver.engine(), now);
        drop(driver);
        if self.strict && !self.read_only {
            self.wait_durable(until)?;
        }
        Ok(seen)
    }
}
