//! The shared vectors' runner on a [`Store`], wherever that is.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{any::Any, time::Duration};

use tenure::{
    Claim, Committed, Filter, GroupStats, Limits, Millis, Options, Record, Request, Result, Store, Task, TaskId,
    TaskState, clock::Clock,
};

#[path = "../../../core/tests/vectors/script.rs"]
pub mod script;

use script::{ACTOR, Handle, SEED, Verb, owner};

/// A store, its clock, and what it needs to live.
pub struct Opened {
    pub store: Store,
    pub clock: Clock,
    pub keep: Box<dyn Any>,
}

pub fn options(limits: Limits, clock: &Clock) -> Options {
    Options::new().limits(limits).clock(clock.clone()).owner(owner()).actor(ACTOR).seed(SEED)
}

fn span(millis: Millis) -> Duration {
    Duration::from_millis(millis)
}

impl Handle for Opened {
    fn set_clock(&mut self, now: Millis) {
        self.clock.advance(span(now - self.clock.now()));
    }

    fn update(&mut self, request: Request) -> Result<Committed> {
        self.store.update(request)
    }

    fn claim(&mut self, claim: Claim) -> Result<Committed> {
        self.store.claim_now(claim)
    }

    fn verb(&mut self, verb: &Verb) -> Result<Option<Task>> {
        let store = &self.store;
        match verb {
            Verb::Renew { id, lease } => store.renew(*id, span(*lease)).map(Some),
            Verb::Release { id, delay } => store.release(*id, span(*delay)).map(Some),
            Verb::Finish { id } => store.finish(*id).map(|()| None),
            Verb::Fail { id, error, delay } => store.fail(*id, error, span(*delay)).map(Some),
            Verb::Cancel { id, force } => store.cancel(*id, *force).map(|()| None),
            Verb::Move { id, group } => store.move_to(*id, group).map(Some),
            Verb::Requeue { id, group, delay } => store.requeue(*id, group.as_deref(), span(*delay)).map(Some),
        }
    }

    fn task(&mut self, id: TaskId) -> Result<Option<Task>> {
        self.store.task(id)
    }

    fn find(&mut self, origin: TaskId) -> Result<Option<Task>> {
        self.store.find(origin)
    }

    fn by_key(&mut self, group: &str, key: &str) -> Result<Option<Task>> {
        self.store.by_key(group, key)
    }

    fn tasks(
        &mut self,
        group: Option<&str>,
        state: Option<TaskState>,
        after: TaskId,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.store.tasks(&Filter { group: group.map(Into::into), state, after, limit })
    }

    fn groups(&mut self) -> Result<Vec<GroupStats>> {
        self.store.groups()
    }

    fn get(&mut self, table: &str, key: &str) -> Result<Option<Record>> {
        self.store.get(table, key)
    }

    fn scan(&mut self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>> {
        self.store.scan(table, prefix, after, limit)
    }
}
