//! A store in memory with a clock that a test sets, for the tests of one rule each.

// Each test program uses its part of this.
#![allow(dead_code, unreachable_pub)]

use std::cell::Cell;

use tenure_core::{
    Add, Author, Claim, Committed, Delete, Error, IfExists, Increment, Limits, Millis, Order, OwnerId, Put, Refusal,
    Remove, Request, Result, Revision, StoreId, Task, TaskId, Update, Verb, When,
    driver::{Done, Driver},
    engine::{Engine, Setup},
    entry::Reason,
    port::{Journal, SnapshotName, under_name},
    rows::{MemoryRows, RowLog},
    snapshot::pack,
    state::State,
    txn::Ask,
};

pub const START: Millis = 1_000_000_000_000;
/// The owner of the first handle.
pub const ME: OwnerId = OwnerId(7);
/// Somebody else.
pub const OTHER: OwnerId = OwnerId(9);

/// One handle on a store in memory.
pub struct Handle {
    pub driver: Driver,
    pub rows: MemoryRows,
    pub now: Cell<Millis>,
    setup: Setup,
}

pub fn setup(number: u64, limits: Limits) -> Setup {
    Setup {
        limits,
        owner: OwnerId(number),
        actor: format!("test:{number}").into(),
        author: Author(number),
        seed: number.wrapping_mul(0x9E37_79B9),
    }
}

/// A new store.
pub fn store() -> Handle {
    store_with(Limits::DEFAULT)
}

pub fn store_with(limits: Limits) -> Handle {
    open(&MemoryRows::new(StoreId([1; 16])), setup(ME.0, limits)).unwrap()
}

pub fn open(rows: &MemoryRows, setup: Setup) -> Result<Handle> {
    open_at(rows, setup, START)
}

pub fn open_at(rows: &MemoryRows, setup: Setup, now: Millis) -> Result<Handle> {
    let driver = Driver::open(Box::new(RowLog::new(rows.clone())), setup.clone(), 1_000, &|| now)?;
    Ok(Handle { driver, rows: rows.clone(), now: Cell::new(now), setup })
}

pub fn journal(rows: &MemoryRows) -> Box<dyn Journal> {
    Box::new(RowLog::new(rows.clone()))
}

impl Handle {
    pub fn of(driver: Driver, rows: &MemoryRows, setup: Setup, now: Millis) -> Self {
        Self { driver, rows: rows.clone(), now: Cell::new(now), setup }
    }

    /// A second handle on the same store, with this number as owner and author.
    pub fn second(&self, number: OwnerId) -> Self {
        open_at(&self.rows, setup(number.0, self.setup.limits), self.now.get()).unwrap()
    }

    /// The same handle after a restart.
    pub fn restarted(self) -> Self {
        open_at(&self.rows, self.setup, self.now.get()).unwrap()
    }

    pub fn pass(&self, time: Millis) {
        self.now.set(self.now.get() + time);
    }

    pub fn state(&self) -> &State {
        self.driver.engine().state()
    }

    pub fn engine(&self) -> &Engine {
        self.driver.engine()
    }

    pub fn catch_up(&mut self) -> &State {
        let now = self.now.get();
        self.driver.catch_up(&|| now).unwrap();
        self.driver.engine().state()
    }

    pub fn run(&mut self, asks: &[Ask<'_>]) -> Vec<Result<Done>> {
        let now = self.now.get();
        self.driver.run(asks, &|| now)
    }

    pub fn update(&mut self, request: &Request) -> Result<Committed> {
        let now = self.now.get();
        self.driver.ask(Ask::Update(request), &|| now).map(|done| done.committed)
    }

    pub fn claims(&mut self, claim: &Claim) -> Result<Committed> {
        let now = self.now.get();
        self.driver.ask(Ask::Claim(claim), &|| now).map(|done| done.committed)
    }

    pub fn snapshot(&mut self) {
        let now = self.now.get();
        self.driver.snapshot(&|| now).unwrap();
    }

    /// A snapshot in slices of `items`, with `between` called before each slice but the first.
    pub fn fuzzy_snapshot(&mut self, items: usize, mut between: impl FnMut(&mut Self, usize)) -> SnapshotName {
        let now = self.now.get();
        let mut prepared = self.driver.begin_snapshot(&|| now).unwrap();
        let mut chunks = Vec::new();
        while let Some((kind, raw)) = self.driver.slice(&mut prepared.walk, items) {
            chunks.push(pack(kind, &raw));
            between(self, chunks.len());
        }
        let name = SnapshotName { end: prepared.walk.end().revision, author: self.engine().author() };
        let mut chunks = chunks.into_iter();
        prepared.journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
        name
    }

    /// A handle that is opened now has the state that this one has.
    pub fn opens_alike(&mut self) {
        self.catch_up();
        let fresh = self.second(OwnerId(1_000));
        alike(self.state(), fresh.state());
    }

    pub fn add(&mut self, group: &str, data: &str) -> Task {
        self.update(&adds(&[(group, data)])).unwrap().into_task().unwrap()
    }

    pub fn add_keyed(&mut self, group: &str, key: &str) -> Task {
        self.update(&keyed(group, key, IfExists::Refuse)).unwrap().into_task().unwrap()
    }

    /// Claims the oldest task of a group for a minute.
    pub fn claim(&mut self, group: &str) -> Option<Task> {
        self.claims(&oldest(&[group], 1)).unwrap().into_task()
    }

    pub fn change(&mut self, update: Update) -> Result<Task> {
        self.update(&Request { updates: vec![update], ..Request::default() }).map(|done| done.into_task().unwrap())
    }

    pub fn end(&mut self, id: TaskId, reason: Reason) -> Result<Committed> {
        self.update(&delete(id, reason))
    }

    pub fn put(&mut self, table: &str, key: &str, value: &str) -> Revision {
        self.update(&put(table, key, value)).unwrap().revision
    }

    /// The value of a record that can be seen now.
    pub fn get(&self, table: &str, key: &str) -> Option<String> {
        let value = self.state().tables().get(table, key)?;
        value.visible(self.now.get()).then(|| value.data.text().unwrap().into())
    }

    pub fn all(&self) -> Vec<Task> {
        self.state().list(None, TaskId(0), usize::MAX, self.now.get(), |_| true)
    }

    /// What must hold after anything.
    pub fn sound(&self) {
        self.state().check().unwrap();
    }
}

pub fn adds(tasks: &[(&str, &str)]) -> Request {
    let add = |(group, data): &(&str, &str)| Add { group: (*group).into(), data: (*data).into(), ..Add::default() };
    Request { adds: tasks.iter().map(add).collect(), ..Request::default() }
}

pub fn later(group: &str, available: When) -> Request {
    let add = Add { group: group.into(), available, ..Add::default() };
    Request { adds: vec![add], ..Request::default() }
}

pub fn keyed(group: &str, key: &str, if_exists: IfExists) -> Request {
    let add = Add { group: group.into(), key: Some(key.into()), if_exists, ..Add::default() };
    Request { adds: vec![add], ..Request::default() }
}

pub fn oldest(groups: &[&str], limit: usize) -> Claim {
    let groups = groups.iter().map(|group| (*group).to_string()).collect();
    Claim { groups, limit, order: Order::Oldest, ..Claim::default() }
}

pub fn verb(id: TaskId, verb: Verb) -> Update {
    Update { id, verb, ..Update::default() }
}

pub fn renew(id: TaskId, lease: Millis) -> Update {
    Update { id, verb: Verb::Renew, available: Some(When::After(lease)), ..Update::default() }
}

pub fn delete(id: TaskId, reason: Reason) -> Request {
    Request { deletes: vec![Delete { id, reason, ..Delete::default() }], ..Request::default() }
}

pub fn put(table: &str, key: &str, value: &str) -> Request {
    let put = Put { table: table.into(), key: key.into(), value: value.into(), ..Put::default() };
    Request { puts: vec![put], ..Request::default() }
}

pub fn remove(table: &str, key: &str) -> Request {
    let remove = Remove { table: table.into(), key: key.into(), expect: None };
    Request { removes: vec![remove], ..Request::default() }
}

pub fn increment(table: &str, key: &str, by: i64) -> Request {
    let increment = Increment { table: table.into(), key: key.into(), by, min: None, max: None };
    Request { increments: vec![increment], ..Request::default() }
}

pub fn from(mut request: Request, owner: OwnerId) -> Request {
    request.owner = owner;
    request
}

pub fn named(mut request: Request, id: &str) -> Request {
    request.request_id = Some(id.into());
    request
}

pub fn ids(tasks: &[Task]) -> Vec<u64> {
    tasks.iter().map(|task| task.id.0).collect()
}

/// The reasons of a refusal, worded.
pub fn reasons<T: std::fmt::Debug>(answer: Result<T>) -> Vec<String> {
    answer.unwrap_err().refusals().iter().map(Refusal::to_string).collect()
}

pub fn message<T: std::fmt::Debug>(answer: Result<T>) -> String {
    answer.map_err(|error| Error::message(&error).to_string()).unwrap_err()
}

/// Two states are the same, as far as anything can be told from them.
pub fn alike(a: &State, b: &State) {
    a.check().unwrap();
    b.check().unwrap();
    assert_eq!((a.revision(), a.next_id(), a.level()), (b.revision(), b.next_id(), b.level()));
    assert_eq!((a.tasks(), a.bytes(), a.exclusive()), (b.tasks(), b.bytes(), b.exclusive()));
    assert_eq!(a.list(None, TaskId(0), usize::MAX, 0, |_| true), b.list(None, TaskId(0), usize::MAX, 0, |_| true));
    assert_eq!(a.digest(), b.digest());
    let memo = |state: &State| {
        let all = state.memo().iter().map(|(owner, id, outcome)| (owner, id.to_string(), outcome.clone()));
        all.collect::<Vec<_>>()
    };
    assert_eq!(memo(a), memo(b));
}
