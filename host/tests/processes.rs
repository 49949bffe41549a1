//! Four processes claim, finish and count on one directory while they are killed at random: every task is finished
//! exactly once.
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
    Code, Options, Reason, Result, Store, Task, TaskId,
    core::engine::{ChangeKind, Event},
};

const WORKERS: usize = 4;
const TASKS: u64 = 2_000 * WORKERS as u64;
/// Short, so that the tasks of a killed worker come back soon; a worker that is slower than that loses some.
const LEASE: Duration = Duration::from_millis(300);

fn open(place: &Path) -> Store {
    Options::new().segment_bytes(256 << 10).open(place).unwrap()
}

/// Not a test of its own: a worker of the test below.
#[test]
#[ignore = "the other process of the test in this file"]
fn the_other_process() {
    let (_, place) = other::role();
    let store = open(&place);
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

#[test]
fn four_processes_that_are_killed_at_random_finish_every_task_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = open(&place);
    let mut watch = store.watch().unwrap();
    let mut audit = Audit::default();
    for _ in 0..WORKERS {
        let adds = (0..TASKS / WORKERS as u64).map(|i| i.to_string());
        store.add_many("work", adds).unwrap();
    }
    let mut workers: Vec<Other> = (0..WORKERS).map(|_| Other::spawn("work", &place)).collect();
    let (mut dice, mut kills, mut seen) = (0x9e37_79b9_u64, 0, 0_u64);
    let began = Instant::now();
    while audit.finished.len() < TASKS as usize {
        assert!(began.elapsed() < Duration::from_mins(5), "{} of {TASKS} are finished", audit.finished.len());
        let Some(event) = watch.next(Duration::from_secs(1)).unwrap() else { continue };
        audit.take(&event);
        seen += 1;
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Once in 400 entries, at a moment that nobody chose.
        if seen > 100 && (dice >> 33).is_multiple_of(400) {
            let worker = &mut workers[(dice >> 50) as usize % WORKERS];
            worker.0.kill().unwrap();
            *worker = Other::spawn("work", &place);
            kills += 1;
        }
    }
    workers.into_iter().for_each(Other::end);
    assert!(audit.finished.values().all(|times| *times == 1));
    assert!(kills >= 10, "{kills} kills");
    assert_eq!(store.get("sum", "done").unwrap().unwrap().value.text(), Some(&*TASKS.to_string()));
    assert_eq!(store.scan("done", "", None, usize::MAX).unwrap().len() as u64, TASKS);
    assert_eq!(store.stats().unwrap().tasks, 0);
    let digest = store.digest().unwrap();
    store.close().unwrap();
    assert_eq!(open(&place).digest().unwrap(), digest);
    eprintln!("{kills} kills, {} changes of tasks claimed before, {:?}", audit.claimed_again, began.elapsed());
}
