//! What the journal over rows makes of rows that fail, vanish or change, and of many threads at once.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tenure_core::{
    Author, Code, Error, Result, Revision, StoreId, TaskId,
    entry::EntryKind,
    port::{
        AppendError, Draft, Journal, SnapshotName, Tail,
        conformance::{self, Ground},
    },
    rows::{MemoryRows, RowLog, RowSync, Rows},
};

/// Rows that a test can meddle with, over rows in memory.
struct Meddled {
    rows: MemoryRows,
    /// What a read makes of each row: `None` leaves it out.
    change: fn(u64, &[u8]) -> Option<Vec<u8>>,
    /// Syncs are asked for, and fail while this is set.
    failing: Option<Arc<AtomicBool>>,
    syncs: Arc<AtomicU32>,
}

impl Meddled {
    fn new(rows: MemoryRows) -> Self {
        Self { rows, change: |_, row| Some(row.into()), failing: None, syncs: Arc::default() }
    }
}

impl Rows for Meddled {
    fn identity(&self) -> StoreId {
        self.rows.identity()
    }
    fn floor(&mut self) -> Result<(u64, Vec<u8>)> {
        self.rows.floor()
    }
    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let change = self.change;
        self.rows.read(from, &mut |n, row| change(n, row).map_or(Ok(()), |row| visit(n, &row)))
    }
    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        self.rows.append(at, rows)
    }
    fn section(&mut self, _wait: u64, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        body(self)
    }
    fn syncer(&mut self) -> Option<RowSync> {
        let (failing, syncs) = (self.failing.clone()?, self.syncs.clone());
        Some(Box::new(move || {
            syncs.fetch_add(1, Ordering::Relaxed);
            if failing.load(Ordering::Relaxed) { Err(Error::new(Code::Unavailable, "no disk")) } else { Ok(()) }
        }))
    }
    fn truncate(&mut self, floor: u64, mark: &[u8]) -> Result<()> {
        self.rows.truncate(floor, mark)
    }
    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> Result<()> {
        self.rows.publish_snapshot(name, bytes)
    }
    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        self.rows.snapshots()
    }
    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>> {
        self.rows.read_snapshot(name)
    }
    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.rows.remove_snapshot(name)
    }
    fn sizes(&mut self) -> Result<(u64, u64, u64)> {
        self.rows.sizes()
    }
    fn reopen(&self) -> Result<Box<Self>> {
        let rows = *self.rows.reopen()?;
        Ok(Box::new(Self { rows, change: self.change, failing: self.failing.clone(), syncs: self.syncs.clone() }))
    }
}

fn draft(tail: &Tail, payload: &[u8]) -> Draft {
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(tail.revision.0 + 1),
        next_id: TaskId(tail.next_id.0 + 1),
        author: Author(7),
        payload: payload.into(),
    }
}

/// Rows with five entries, and the tails before each of them and behind all.
fn five() -> (MemoryRows, Vec<Tail>) {
    let rows = MemoryRows::new(StoreId([3; 16]));
    let mut journal = RowLog::new(rows.clone());
    let mut tails = vec![journal.floor().unwrap()];
    for i in 0..5 {
        let tail = tails[i];
        tails.push(journal.append(&tail, &[draft(&tail, &[i as u8; 40])]).unwrap());
    }
    (rows, tails)
}

fn read(journal: &mut dyn Journal, from: &Tail) -> Result<Tail> {
    journal.read(from, &mut |_| Ok(()))
}

#[test]
fn every_changed_byte_of_a_row_is_corrupt_with_the_row_named() {
    let (rows, tails) = five();
    let len = 56 + 40;
    for at in 0..len {
        // A function can't carry `at`, so the row is written anew with the byte changed.
        let changed = MemoryRows::new(StoreId([3; 16]));
        let mut all: Vec<Vec<u8>> = Vec::new();
        rows.clone()
            .read(1, &mut |_, row| {
                all.push(row.into());
                Ok(())
            })
            .unwrap();
        all[2][at] ^= 0x40;
        changed.clone().append(1, &all).unwrap();
        let error = read(&mut RowLog::new(changed), &tails[0]).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "byte {at}: {error}");
        assert!(error.message().starts_with("row 3: "), "{error}");
    }
}

#[test]
fn a_row_that_is_missing_between_others_is_corrupt() {
    let (rows, tails) = five();
    let change = |n, row: &[u8]| (n != 3).then(|| row.into());
    let mut journal = RowLog::new(Meddled { change, ..Meddled::new(rows) });
    let error = read(&mut journal, &tails[0]).unwrap_err();
    assert_eq!(error.code(), Code::Corrupt);
    assert_eq!(error.message(), "row 3 is missing, the next one is row 4: restore the store from a backup");
}

#[test]
fn rows_that_were_set_back_behind_a_handle_are_noticed_and_not_waited_for() {
    let (rows, tails) = five();
    let mut journal = RowLog::new(rows.clone());
    assert_eq!(read(&mut journal, &tails[0]).unwrap(), tails[5]);
    // The same store from an older copy: same identity, two rows only.
    let mut older = Vec::new();
    rows.clone()
        .read(1, &mut |n, row| {
            if n < 3 {
                older.push(row.to_vec());
            }
            Ok(())
        })
        .unwrap();
    rows.recreate(StoreId([3; 16])).append(1, &older).unwrap();

    assert!(matches!(journal.append(&tails[5], &[draft(&tails[5], b"x")]), Err(AppendError::Conflict)));
    let error = read(&mut journal, &tails[5]).unwrap_err();
    assert_eq!(error.code(), Code::Corrupt);
    assert_eq!(
        error.message(),
        "the journal has no entry of revision 5 before row 6, which this handle has seen there: entries were lost or \
         exchanged; restore the store from a backup"
    );
}

#[test]
fn rows_of_another_store_are_none_of_this_one() {
    let (rows, tails) = five();
    let other = MemoryRows::new(StoreId([4; 16]));
    let mut all = Vec::new();
    rows.clone()
        .read(1, &mut |_, row| {
            all.push(row.to_vec());
            Ok(())
        })
        .unwrap();
    other.clone().append(1, &all).unwrap();
    assert_eq!(read(&mut RowLog::new(other), &tails[0]).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn after_a_failed_sync_none_answers_until_the_journal_was_healed() {
    let (rows, tails) = five();
    let failing = Arc::new(AtomicBool::new(true));
    let mut journal = RowLog::new(Meddled { failing: Some(failing.clone()), ..Meddled::new(rows) });
    let tail = read(&mut journal, &tails[0]).unwrap();
    assert_eq!(journal.durable(), tails[4].position, "what the last entry's author knew, and no more");
    assert_eq!(journal.syncer().sync().unwrap_err().message(), "no disk");

    failing.store(false, Ordering::Relaxed);
    let calls = journal.rows().syncs.load(Ordering::Relaxed);
    assert_eq!(journal.syncer().sync().unwrap_err().code(), Code::Suspect);
    assert_eq!(journal.rows().syncs.load(Ordering::Relaxed), calls, "a sync was asked for although it proves nothing");
    assert_eq!(journal.close().unwrap_err().code(), Code::Suspect);

    journal.heal(0).unwrap();
    assert_eq!(journal.durable(), tail.position);
    assert_eq!(journal.syncer().sync().unwrap().position, tail.position);
    journal.close().unwrap();
}

#[test]
fn a_heal_that_fails_leaves_the_journal_suspect() {
    let failing = Arc::new(AtomicBool::new(true));
    let mut journal = RowLog::new(Meddled { failing: Some(failing), ..Meddled::new(five().0) });
    assert!(journal.syncer().sync().is_err());
    assert!(journal.heal(0).is_err());
    assert_eq!(journal.syncer().sync().unwrap_err().code(), Code::Suspect);
}

#[test]
fn a_damaged_mark_of_the_floor_is_corrupt() {
    let (rows, tails) = five();
    rows.clone().truncate(4, b"no mark").unwrap();
    let error = RowLog::new(rows).floor().unwrap_err();
    assert_eq!(error.code(), Code::Corrupt);
    assert!(tails.len() == 6 && error.message().contains("row 4"), "{error}");
}

#[test]
fn truncation_keeps_what_the_memory_holds_in_step() {
    let (rows, tails) = five();
    let mut journal = RowLog::new(rows);
    let before = journal.stats().unwrap();
    assert_eq!((before.segments, before.journal_bytes), (5, 5 * 96));
    journal.truncate_before(tails[3].position).unwrap();
    let after = journal.stats().unwrap();
    assert_eq!((after.segments, after.journal_bytes, after.floor), (2, 2 * 96, tails[3].position));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test stands outside, and drives handles from threads")]
fn threads_that_append_in_sections_lose_nothing_and_never_conflict() {
    const THREADS: u64 = 4;
    const EACH: u64 = 300;
    let rows = MemoryRows::new(StoreId([3; 16]));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let mut journal = RowLog::new(rows.clone());
            scope.spawn(move || {
                let mut tail = journal.floor().unwrap();
                for i in 0..EACH {
                    journal
                        .section(0, &mut |journal| {
                            tail = read(journal, &tail)?;
                            let draft = draft(&tail, &(thread * EACH + i).to_le_bytes());
                            tail = journal.append(&tail, &[draft]).expect("no other section runs");
                            Ok(())
                        })
                        .unwrap();
                }
            });
        }
    });
    let mut journal = RowLog::new(rows);
    let mut payloads = Vec::new();
    let floor = journal.floor().unwrap();
    journal
        .read(&floor, &mut |stored| {
            payloads.push(u64::from_le_bytes(stored.payload.try_into().unwrap()));
            Ok(())
        })
        .unwrap();
    payloads.sort_unstable();
    assert_eq!(payloads, (0..THREADS * EACH).collect::<Vec<_>>());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test stands outside, and drives handles from threads")]
fn threads_that_append_without_sections_commit_each_entry_once() {
    const EACH: u64 = 300;
    let rows = MemoryRows::new(StoreId([3; 16]));
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let mut journal = RowLog::new(rows.clone());
            scope.spawn(move || {
                let mut tail = journal.floor().unwrap();
                let mut left = EACH;
                while left > 0 {
                    tail = read(&mut journal, &tail).unwrap();
                    match journal.append(&tail, &[draft(&tail, &[thread])]) {
                        Ok(behind) => (tail, left) = (behind, left - 1),
                        Err(AppendError::Conflict) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let mut journal = RowLog::new(rows);
    let floor = journal.floor().unwrap();
    assert_eq!(read(&mut journal, &floor).unwrap().revision, Revision(3 * EACH));
}

/// Rows in memory that ask for syncs.
#[derive(Default)]
struct Syncing {
    made: u8,
    last: Option<MemoryRows>,
}

impl Syncing {
    fn over(&mut self, rows: MemoryRows) -> Box<dyn Journal> {
        self.last = Some(rows.clone());
        Box::new(RowLog::new(Meddled { failing: Some(Arc::default()), ..Meddled::new(rows) }))
    }
}

impl Ground for Syncing {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        self.made += 1;
        let rows = MemoryRows::new(StoreId([self.made; 16]));
        Ok(self.over(rows))
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        self.made += 1;
        let rows = self.last.as_ref()?.recreate(StoreId([self.made; 16]));
        Some(Ok(self.over(rows)))
    }
}

#[test]
fn rows_with_a_sync_of_their_own_keep_every_contract() {
    conformance::assert_kept(&conformance::run(&mut Syncing::default()), &[]);
}

#[test]
fn of_the_handles_on_rows_each_learns_what_another_has_synced_and_need_not_do_it_again() {
    let (rows, tails) = five();
    let mut one = RowLog::new(Meddled { failing: Some(Arc::default()), ..Meddled::new(rows.clone()) });
    let mut two = one.reopen().unwrap();
    let end = read(&mut one, &tails[0]).unwrap();
    read(&mut *two, &tails[0]).unwrap();
    let synced = one.syncer().sync().unwrap();
    one.note_synced(&synced);
    assert_eq!(two.durable(), end.position);
    let calls = one.rows().syncs.load(Ordering::Relaxed);
    assert_eq!(two.syncer().sync().unwrap().position, end.position);
    assert_eq!(one.rows().syncs.load(Ordering::Relaxed), calls, "what is durable was synced again");
    // One of another process learns it from the next entry.
    one.append(&end, &[draft(&end, b"next")]).unwrap();
    let mut other = RowLog::new(Meddled { failing: Some(Arc::default()), ..Meddled::new(rows) });
    read(&mut other, &tails[0]).unwrap();
    assert_eq!(other.durable(), end.position);
}
