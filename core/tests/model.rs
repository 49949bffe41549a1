//! Random programs on three handles of one store, held against a naive model after every step: restarts, snapshots in
//! slices, truncation, appends that fail, conflicts, repeated requests, clocks that disagree.
//!
//! `PROPTEST_CASES` says how many programs. What it found stands as named tests in `batch.rs`, `keys.rs`, `snapshot.rs`.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

#[path = "support/model.rs"]
mod model;
#[path = "support/program.rs"]
mod program;

use model::{Answer, Model, reason};
use program::{Part, Step, Target, Wish, groups, keys, records, step};
use proptest::prelude::*;
use support::{Handle, START};
use tenure_core::{
    Add, Author, Claim, Code, Committed, Delete, Depend, Guard, Increment, Kind, Limits, Millis, Order, Outcome,
    OwnerId, Put, Remove, Request, Result, Revision, StoreId, Task, TaskId, Update,
    driver::{Driver, Prepared},
    entry::Reason,
    port::{SnapshotName, under_name},
    rows::{MemoryRows, RowLog},
    snapshot::{ChunkKind, pack},
    testing::{Fault, Faults, Faulty},
    txn::Ask,
};

const WINDOW: u64 = 8;
const HANDLES: usize = 3;

/// A snapshot on its way.
struct Snapping {
    handle: usize,
    loads: u64,
    prepared: Prepared,
    chunks: Vec<(ChunkKind, Vec<u8>)>,
}

struct World {
    faults: Faults,
    rows: MemoryRows,
    handles: Vec<Handle>,
    /// It only reads, at every step.
    observer: Handle,
    model: Model,
    snapping: Option<Snapping>,
}

fn limits() -> Limits {
    Limits { request_window: WINDOW, ..Limits::DEFAULT }
}

fn open(rows: &MemoryRows, faults: &Faults, number: u64, now: Millis) -> Handle {
    let inner = Box::new(RowLog::new(rows.clone()));
    let journal = Box::new(Faulty::new(inner, faults.clone()));
    let setup = support::setup(number, limits());
    Handle::of(Driver::open(journal, setup.clone(), 1_000, &|| now).unwrap(), rows, setup, now)
}

impl World {
    fn new() -> Self {
        let rows = MemoryRows::new(StoreId([7; 16]));
        let faults = Faults::new(1);
        let handles = (1..=HANDLES as u64).map(|number| open(&rows, &faults, number, START)).collect();
        let observer = support::open(&rows, support::setup(99, limits())).unwrap();
        let model = Model::new(WINDOW);
        Self { faults, rows, handles, observer, model, snapping: None }
    }

    fn id(&self, target: Target) -> TaskId {
        let last = self.model.last_id;
        match target {
            Target::Live(at) if !self.model.tasks.is_empty() => {
                let at = usize::from(at) % self.model.tasks.len();
                TaskId(*self.model.tasks.keys().nth(at).unwrap())
            }
            Target::Live(at) | Target::Any(at) => TaskId(1 + u64::from(at) % (last + 2)),
        }
    }

    fn expected(&self, key: u8, expect: u8) -> Revision {
        let found = self.model.records.get(&("t".to_string(), records(key).to_string()));
        let found = found.map_or(0, |value| value.revision);
        Revision(if expect == 0 { 0 } else { found + u64::from(expect / 3) })
    }

    fn request(&self, parts: &[Part], id: Option<u8>, now: Millis) -> Request {
        let mut request = Request { request_id: id.map(|id| format!("r{id}")), ..Request::default() };
        for part in parts {
            match part {
                Part::Add { group, key, if_exists, available } => request.adds.push(Add {
                    group: groups(*group).into(),
                    data: format!("{}", self.model.last_id).into(),
                    available: *available,
                    key: key.map(|key| keys(key).to_string()),
                    if_exists: *if_exists,
                }),
                Part::Change(change) => request.updates.push(Update {
                    id: self.id(change.target),
                    origin: None,
                    verb: change.verb,
                    data: change.data.then(|| "changed".into()),
                    group: change.group.map(|group| groups(group).to_string()),
                    available: change.available,
                    error: change.error.map(Into::into),
                    force: change.force,
                }),
                Part::End { target, force } => request.deletes.push(Delete {
                    id: self.id(*target),
                    origin: None,
                    reason: Reason::Finished,
                    force: *force,
                }),
                Part::Depend(target, origin) => {
                    request.depends_only = true;
                    let id = self.id(*target);
                    request.depends.push(if *origin { Depend::Origin(id) } else { Depend::Id(id) });
                }
                Part::Put { key, value, expect, expires } => request.puts.push(Put {
                    table: "t".into(),
                    key: records(*key).into(),
                    value: ["1", "5", "word"][usize::from(value % 3)].into(),
                    expect: expect.map(|expect| self.expected(*key, expect)),
                    expires_at: expires.map(|after| now - 5_000 + u64::from(after)),
                }),
                Part::Remove { key, expect } => request.removes.push(Remove {
                    table: "t".into(),
                    key: records(*key).into(),
                    expect: expect.map(|expect| self.expected(*key, expect)),
                }),
                Part::Increment { key, by, min } => request.increments.push(Increment {
                    table: "t".into(),
                    key: records(*key).into(),
                    by: *by,
                    min: *min,
                    max: Some(8),
                }),
                Part::Guard { key, expect } => request.guards.push(Guard {
                    table: "t".into(),
                    key: records(*key).into(),
                    expect: self.expected(*key, *expect),
                }),
                Part::Pause { group, paused } => request.puts.push(Put {
                    table: "_groups".into(),
                    key: groups(*group).into(),
                    value: if *paused { r#"{"paused":true}"# } else { r#"{"paused":false}"# }.into(),
                    ..Put::default()
                }),
            }
        }
        if request.adds.is_empty() && request.updates.is_empty() && request.deletes.is_empty() {
            // Something must be asked for; guards alone are refused before anything else is looked at.
            let changes = request.puts.len() + request.removes.len() + request.increments.len();
            if changes == 0 && request.depends.is_empty() {
                request.adds.push(Add { group: "a".into(), ..Add::default() });
            }
        }
        request
    }

    fn claim(&self, wish: &Wish) -> Claim {
        let Wish::Claim { groups: names, limit, oldest, lease, depend, id } = wish else { unreachable!() };
        Claim {
            owner: OwnerId(0),
            actor: None,
            request_id: id.map(|id| format!("r{id}")),
            groups: names.iter().map(|group| groups(*group).to_string()).collect(),
            lease: *lease,
            limit: *limit,
            order: if *oldest { Order::Oldest } else { Order::Random },
            depends: depend.iter().map(|target| Depend::Id(self.id(*target))).collect(),
        }
    }

    /// What the model says of a request, and whether the store said the same.
    fn judge(&mut self, asked: &Asked, owner: OwnerId, now: Millis, head: &mut u64, answer: Result<Committed>) {
        let none: &[Task] = &[];
        let took = answer.as_ref().map_or(none, |committed| &committed.tasks);
        let (expected, mut after) = match asked {
            Asked::Update(request) => self.model.update(request, owner, now, *head),
            Asked::Claim(claim) => {
                let took: Vec<Task> =
                    if answer.as_ref().is_ok_and(|done| done.repeated) { vec![] } else { took.to_vec() };
                if answer.is_err() {
                    let (expected, _) = self.model.claim_or_refusal(claim, owner, now, *head);
                    if let Some(expected) = expected {
                        (expected, self.model.clone())
                    } else {
                        return Self::not_done(answer);
                    }
                } else {
                    self.model.claim(claim, owner, now, *head, &took)
                }
            }
        };
        match (&answer, &expected) {
            (Ok(done), Answer::Done { ids, counts, wrote }) => {
                assert!(!done.repeated);
                assert_eq!(support::ids(&done.tasks), *ids, "ids of {asked:?}");
                assert_eq!(done.counts, *counts);
                if *wrote {
                    assert!(done.revision.0 > *head, "a commit at an old revision");
                    after.stamp(&self.model, done.revision.0);
                    *head = done.revision.0;
                } else {
                    assert!(done.revision.0 <= *head);
                }
                for task in &done.tasks {
                    assert_eq!(after.tasks.get(&task.id.0), Some(task));
                }
                self.model = after;
            }
            (Ok(done), Answer::Repeated { revision, ids, counts }) => {
                assert!(done.repeated, "{asked:?} was done twice");
                assert_eq!(
                    (done.revision.0, support::ids(&done.tasks), &done.counts),
                    (*revision, ids.clone(), counts)
                );
            }
            (Err(error), Answer::Refused(reasons))
                if error.kind() == Kind::Rejected || error.kind() == Kind::Invalid =>
            {
                let mut found: Vec<String> = error.refusals().iter().map(reason).collect();
                found.sort();
                assert_eq!(found, *reasons, "{asked:?}");
            }
            (Err(error), Answer::Reused) => assert_eq!(error.code(), Code::RequestReused),
            (Err(_), Answer::Done { wrote: true, .. }) => Self::not_done(answer),
            other => panic!("{asked:?}: the store and the model disagree: {other:?}"),
        }
    }

    /// A request that the journal did not take: it says so, and nothing is there of it.
    fn not_done(answer: Result<Committed>) {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (Kind::Unavailable, Outcome::Refused), "{error:?}");
    }

    fn ask(&mut self, handle: usize, wishes: &[Wish], fault: Option<Fault>) {
        let now = self.handles[handle].now.get();
        let mut head = self.observer.catch_up().revision().0;
        let asked: Vec<Asked> = wishes
            .iter()
            .map(|wish| match wish {
                Wish::Update { parts, id } => Asked::Update(self.request(parts, *id, now)),
                wish @ Wish::Claim { .. } => Asked::Claim(self.claim(wish)),
            })
            .collect();
        let asks: Vec<Ask<'_>> = asked
            .iter()
            .map(|asked| match asked {
                Asked::Update(request) => Ask::Update(request),
                Asked::Claim(claim) => Ask::Claim(claim),
            })
            .collect();
        if let Some(fault) = fault {
            self.faults.fail_append(1, fault);
        }
        let answers = self.handles[handle].run(&asks);
        self.faults.calm();
        let owner = OwnerId(handle as u64 + 1);
        assert_eq!(answers.len(), asked.len());
        for (asked, answer) in asked.iter().zip(answers) {
            if fault.is_none()
                && let Err(error) = &answer
            {
                assert!(matches!(error.kind(), Kind::Rejected | Kind::Invalid), "{asked:?}: {error:?}");
            }
            self.judge(asked, owner, now, &mut head, answer.map(|done| done.committed));
        }
        self.same_as_observer(handle);
    }

    fn same_as_observer(&mut self, handle: usize) {
        let observed = self.observer.catch_up();
        let acted = self.handles[handle].state();
        assert_eq!(acted.revision(), observed.revision());
        assert_eq!((acted.digest(), acted.next_id()), (observed.digest(), observed.next_id()));
        acted.check().unwrap();
    }

    fn slice(&mut self, items: usize) {
        let Some(mut snapping) = self.snapping.take() else { return };
        let handle = &self.handles[snapping.handle];
        if handle.engine().loads() != snapping.loads {
            return;
        }
        if let Some(slice) = handle.driver.slice(&mut snapping.prepared.walk, items) {
            snapping.chunks.push(slice);
            self.snapping = Some(snapping);
            return;
        }
        let walk = &snapping.prepared.walk;
        let name = SnapshotName { end: walk.end().revision, author: Author(snapping.handle as u64 + 1) };
        let mut chunks = snapping.chunks.iter().map(|(kind, raw)| pack(*kind, raw));
        let journal = &mut *snapping.prepared.journal;
        journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
        tenure_core::driver::prune(journal).unwrap();
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ask { handle, wish, fault } => self.ask(*handle, std::slice::from_ref(wish), *fault),
            Step::Batch { handle, wishes } => self.ask(*handle, wishes, None),
            Step::Restart(handle) => {
                if self.snapping.as_ref().is_some_and(|snapping| snapping.handle == *handle) {
                    self.snapping = None;
                }
                let now = self.handles[*handle].now.get();
                self.handles[*handle] = open(&self.rows, &self.faults, *handle as u64 + 1, now);
                support::alike(self.observer.catch_up(), self.handles[*handle].state());
            }
            Step::CatchUp(handle) => {
                self.handles[*handle].catch_up();
                self.same_as_observer(*handle);
            }
            Step::Snapshot(handle) => self.handles[*handle].snapshot(),
            Step::Begin(handle) => {
                if self.snapping.is_none() {
                    let now = self.handles[*handle].now.get();
                    let prepared = self.handles[*handle].driver.begin_snapshot(&|| now).unwrap();
                    let loads = self.handles[*handle].engine().loads();
                    self.snapping = Some(Snapping { handle: *handle, loads, prepared, chunks: Vec::new() });
                }
            }
            Step::Slice(items) => self.slice(*items),
            Step::Clock { handle, by } => {
                let now = self.handles[*handle].now.get();
                self.handles[*handle].now.set(now.saturating_add_signed(i64::from(*by)));
            }
        }
    }

    /// The store has what the model has.
    fn check(&mut self) {
        let state = self.observer.catch_up();
        state.check().unwrap();
        assert_eq!(state.next_id().0, self.model.last_id + 1);
        let tasks: Vec<Task> = self.model.tasks.values().cloned().collect();
        assert_eq!(state.list(None, TaskId(0), usize::MAX, 0, |_| true), tasks);
        let records: Vec<_> = state
            .tables()
            .walk(None)
            .map(|(table, key, value)| {
                (table.to_string(), key.to_string(), value.revision.0, value.expires_at, value.data.clone())
            })
            .collect();
        let expected: Vec<_> = self
            .model
            .records
            .iter()
            .map(|((table, key), value)| {
                (table.clone(), key.clone(), value.revision, value.expires_at, value.data.clone())
            })
            .collect();
        assert_eq!(records, expected);
    }
}

#[derive(Debug)]
enum Asked {
    Update(Request),
    Claim(Claim),
}

fn run(program: &[Step]) {
    let mut world = World::new();
    for step in program {
        world.step(step);
        world.check();
    }
    world.observer.opens_alike();
    let digest = world.observer.state().digest();
    for handle in &mut world.handles {
        assert_eq!(handle.catch_up().digest(), digest);
        handle.sound();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_the_models(program in prop::collection::vec(step(), 1..60)) {
        run(&program);
    }
}
