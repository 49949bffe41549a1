//! Four processes claim, finish and count on one directory while they are killed at random, with snapshots and without:
//! every task is finished exactly once.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod other;

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use other::Other;
use tenure::{
    Code, Options, Reason, Result, SnapshotPolicy, Store, Task, TaskId,
    core::engine::{ChangeKind, Event},
};

const WORKERS: usize = 4;
const TASKS: u64 = 2_000 * WORKERS as u64;
/// Short, so that the tasks of a killed worker come back soon; a worker that is slower than that loses some.
const LEASE: Duration = Duration::from_millis(300);

fn open(place: &Path) -> Store {
    Options::new().segment_bytes(256 << 10).open(place).unwrap()
}

/// The same, with a snapshot every other moment.
fn open_brisk(place: &Path) -> Store {
    let policy = SnapshotPolicy { bytes: 64 << 10, ..SnapshotPolicy::default() };
    Options::new().segment_bytes(16 << 10).snapshots(policy).open(place).unwrap()
}

/// Not a test of its own: a worker of the tests below.
#[test]
#[ignore = "the other process of the tests in this file"]
fn the_other_process() {
    let (role, place) = other::role();
    let store = if role == "brisk" { open_brisk(&place) } else { open(&place) };
    loop {
        match store.claim_wait(&["work"], LEASE, LEASE).unwrap() {
            Some(task) => match finish(&store, &task) {
                Err(error) if error.code() != Code::LeaseLost => panic!("{error:?}"),
                // Lost: another has it now.
                _ => {}
            },
            None if store.group("work").unwrap().tasks == 0 => return,
            None => {}
        }
    }
}

/// Finishes, and counts, in one transaction: by a sum, and by a record that must not be there yet.
fn finish(store: &Store, task: &Task) -> Result<()> {
    store.transact(|tx| {
        tx.finish(task);
        tx.increment("sum", "done", 1);
        let origin = task.origin.to_string();
        tx.put_record(tenure::Put {
            table: "done".into(),
            key: origin,
            value: store.actor().into(),
            expect: Some(tenure::Revision(0)),
            ..tenure::Put::default()
        });
        Ok(())
    })
}

/// What the journal says became of each task.
#[derive(Default)]
struct Audit {
    origins: HashMap<TaskId, TaskId>,
    finished: HashMap<TaskId, u32>,
    last_id: u64,
    claimed_again: u64,
}

impl Audit {
    fn take(&mut self, event: &Event) {
        for change in &event.changes {
            match change.kind {
                ChangeKind::Added => drop(self.origins.insert(change.id, change.id)),
                ChangeKind::Changed | ChangeKind::Replaced => {
                    let origin = self.origins.remove(&change.old).expect("a change of the present id");
                    self.claimed_again += u64::from(change.old != origin);
                    self.origins.insert(change.id, origin);
                }
                ChangeKind::Removed => {
                    let origin = self.origins.remove(&change.old).expect("the end of the present id");
                    assert_eq!(change.reason, Some(Reason::Finished));
                    *self.finished.entry(origin).or_default() += 1;
                }
                ChangeKind::Put | ChangeKind::RecordRemoved => {}
            }
            if change.id.0 != 0 {
                assert!(change.id.0 > self.last_id, "ids only grow: {change:?} after {}", self.last_id);
                self.last_id = change.id.0;
            }
        }
    }
}

fn add_all(store: &Store) {
    for _ in 0..WORKERS {
        let adds = (0..TASKS / WORKERS as u64).map(|i| i.to_string());
        store.add_many("work", adds).unwrap();
    }
}

/// What was counted by the transactions that finished the tasks; and whoever opens the store then sees the same.
fn all_done_once(store: &Store, place: &Path) {
    assert_eq!(store.get("sum", "done").unwrap().unwrap().value.text(), Some(&*TASKS.to_string()));
    assert_eq!(store.scan("done", "", None, usize::MAX).unwrap().len() as u64, TASKS);
    assert_eq!(store.stats().unwrap().tasks, 0);
    let digest = store.digest().unwrap();
    store.close().unwrap();
    assert_eq!(open(place).digest().unwrap(), digest);
    assert_eq!(tenure::verify::verify(place).unwrap().digest, digest.1);
}

/// Workers that are killed at moments that nobody chose.
struct Workers<'a> {
    role: &'a str,
    place: &'a Path,
    all: Vec<Other>,
    dice: u64,
    kills: u32,
    seen: u64,
}

impl<'a> Workers<'a> {
    fn spawn(role: &'a str, place: &'a Path) -> Self {
        let all = (0..WORKERS).map(|_| Other::spawn(role, place)).collect();
        Self { role, place, all, dice: 0x9e37_79b9, kills: 0, seen: 0 }
    }

    /// An entry was seen: once in 400 a worker is killed.
    fn see(&mut self) {
        self.seen += 1;
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if self.seen > 100 && (self.dice >> 33).is_multiple_of(400) {
            let worker = &mut self.all[(self.dice >> 50) as usize % WORKERS];
            worker.0.kill().unwrap();
            *worker = Other::spawn(self.role, self.place);
            self.kills += 1;
        }
    }

    fn end(self) -> u32 {
        self.all.into_iter().for_each(Other::end);
        assert!(self.kills >= 10, "{} kills", self.kills);
        self.kills
    }
}

#[test]
fn processes_that_are_killed_at_random_while_snapshots_are_taken_finish_every_task_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = open_brisk(&place);
    let mut watch = store.watch().unwrap();
    add_all(&store);
    let mut workers = Workers::spawn("brisk", &place);
    let began = Instant::now();
    while store.group("work").unwrap().tasks > 0 {
        assert!(began.elapsed() < Duration::from_mins(5), "{:?}", store.group("work"));
        match watch.next(Duration::from_secs(1)) {
            Ok(Some(_)) => workers.see(),
            Ok(None) => {}
            Err(error) => assert_eq!(error.code(), Code::Truncated, "{error}"),
        }
    }
    workers.end();
    let stats = store.stats().unwrap();
    assert!(stats.journal.floor.0 > 512 << 10, "snapshots let the journal go: {:?}", stats.journal);
    all_done_once(&store, &place);
}

#[test]
fn four_processes_that_are_killed_at_random_finish_every_task_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = open(&place);
    let mut watch = store.watch().unwrap();
    let mut audit = Audit::default();
    add_all(&store);
    let mut workers = Workers::spawn("work", &place);
    let began = Instant::now();
    while audit.finished.len() < TASKS as usize {
        assert!(began.elapsed() < Duration::from_mins(5), "{} of {TASKS} are finished", audit.finished.len());
        let Some(event) = watch.next(Duration::from_secs(1)).unwrap() else { continue };
        audit.take(&event);
        workers.see();
    }
    let kills = workers.end();
    assert!(audit.finished.values().all(|times| *times == 1));
    all_done_once(&store, &place);
    eprintln!("{kills} kills, {} changes of tasks claimed before, {:?}", audit.claimed_again, began.elapsed());
}
