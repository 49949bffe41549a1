//! What a store takes on disk over millions of claims.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use tenure::{Code, Delete, Durability, Error, Options, Reason, Request, SnapshotPolicy, Store, Task};

const TASKS: usize = 10_000;
const BATCH: usize = 1_000;
const SEGMENT: u64 = 16 << 20;
const MIB: u64 = 1 << 20;

/// Claim and finish cycles: ten million, unless `TENURE_CYCLES` says otherwise.
fn cycles() -> usize {
    std::env::var("TENURE_CYCLES").map_or(10_000_000, |text| text.parse().unwrap())
}

/// Bytes of all files, and of the largest snapshot.
fn used(place: &Path) -> (u64, u64) {
    let (mut all, mut snapshot) = (0, 0);
    for entry in fs::read_dir(place).unwrap() {
        let entry = entry.unwrap();
        // It may have been let go of just now.
        let Ok(found) = entry.metadata() else { continue };
        all += found.len();
        if entry.path().extension().is_some_and(|ending| ending == "snap") {
            snapshot = snapshot.max(found.len());
        }
    }
    (all, snapshot)
}

/// Finishes tasks and adds as many anew, in one transaction.
fn cycle(store: &Store, tasks: &[Task]) {
    let delete = |task: &Task| Delete { id: task.id, reason: Reason::Finished, ..Delete::default() };
    let add = |task: &Task| tenure::Add { group: "map".into(), data: task.data.clone(), ..tenure::Add::default() };
    let request = Request {
        owner: tasks[0].owner,
        deletes: tasks.iter().map(delete).collect(),
        adds: tasks.iter().map(add).collect(),
        ..Request::default()
    };
    store.update(request).unwrap();
}

#[test]
fn disk_use_stays_within_two_snapshots_the_live_journal_and_a_segment() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Options::new().durability(Durability::Opportunistic).segment_bytes(SEGMENT).open(&place).unwrap();
    for first in (0..TASKS).step_by(BATCH) {
        store.add_many("map", (first..first + BATCH).map(|i| format!("{i:032}"))).unwrap();
    }
    let (most, over, end) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    thread::scope(|scope| {
        // Looked at all the time, while snapshots are written too.
        scope.spawn(|| {
            while !end.load(Ordering::Acquire) {
                let (all, snapshot) = used(&place);
                let allowed = 2 * snapshot + (64 * MIB).max(snapshot) + SEGMENT;
                most.fetch_max(all, Ordering::AcqRel);
                over.fetch_max(all.saturating_sub(allowed), Ordering::AcqRel);
                thread::sleep(Duration::from_millis(5));
            }
        });
        for _ in 0..cycles() / BATCH {
            let tasks = store.claim_many(&["map"], Duration::from_mins(1), BATCH).unwrap();
            assert_eq!(tasks.len(), BATCH);
            cycle(&store, &tasks);
        }
        end.store(true, Ordering::Release);
    });
    let stats = store.stats().unwrap();
    let written = stats.journal.floor.0 + stats.journal.journal_bytes;
    let (most, over) = (most.into_inner(), over.into_inner());
    eprintln!(
        "{} cycles in {:?}: {} MiB of journal written, at most {} MiB on disk, {} snapshots of {} KiB",
        cycles(),
        began.elapsed(),
        written / MIB,
        most / MIB,
        stats.snapshots_taken,
        used(&place).1 >> 10
    );
    assert_eq!(stats.snapshot_error.map(|error| error.to_string()), None);
    assert_eq!(over, 0, "bytes beyond what is allowed, of {most} at most");
    assert!(stats.snapshots_taken >= 2 && written > most, "the journal was let go of: {written} written, {most} used");
    let digest = store.digest().unwrap();
    store.close().unwrap();
    assert_eq!(Store::open(&place).unwrap().digest().unwrap(), digest);
}

/// Adds tasks and finishes them, so that snapshots fall due.
fn fill(store: &Store, rounds: usize) {
    for round in 0..rounds {
        let tasks = store.add_many("map", (0..20).map(|i| format!("{round:0100}-{i}"))).unwrap();
        let delete = |task: &Task| Delete { id: task.id, reason: Reason::Finished, ..Delete::default() };
        let deletes = tasks.iter().map(delete).collect();
        store.update(Request { deletes, ..Request::default() }).unwrap();
    }
}

#[test]
fn c14_s1_of_several_handles_each_snapshot_is_taken_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let policy = SnapshotPolicy { bytes: MIB, ..SnapshotPolicy::default() };
    let open = || {
        let options = Options::new().durability(Durability::Opportunistic).snapshots(policy);
        options.segment_bytes(256 << 10).open(&place).unwrap()
    };
    let stores = [open(), open(), open(), open()];
    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || fill(store, 400));
        }
    });
    let taken: u64 = stores.iter().map(|store| store.stats().unwrap().snapshots_taken).sum();
    let journal = stores[0].stats().unwrap().journal;
    let due = (journal.floor.0 + journal.journal_bytes) / MIB;
    assert!(taken >= 2 && taken <= due + due / 2 + 1, "{taken} snapshots where {due} were due");
}

/// What whoever only looks may be told of a store that changes all the time, for want of anything better.
fn looked<T>(what: &str, seen: Result<T, Error>) {
    if let Err(error) = seen {
        assert!(matches!(error.code(), Code::Unavailable | Code::Truncated), "{what}: {error}");
    }
}

#[test]
fn c14_s2_whoever_looks_while_snapshots_and_segments_come_and_go_calls_nothing_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let policy = SnapshotPolicy { bytes: 64 << 10, ..SnapshotPolicy::default() };
    let options = Options::new().durability(Durability::Opportunistic).snapshots(policy).segment_bytes(8 << 10);
    let open = || options.clone().open(&place).unwrap();
    let stores = [open(), open(), open()];
    let (seldom, reads) = (open(), Options::new().read_only(true).open(&place).unwrap());
    let writing = AtomicU64::new(stores.len() as u64);
    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| {
                fill(store, 400);
                writing.fetch_sub(1, Ordering::AcqRel);
            });
        }
        let mut looks = 0;
        while writing.load(Ordering::Acquire) > 0 {
            looked("stats", reads.stats());
            looked("open", Options::new().read_only(true).open(&place).and_then(|store| store.stats()));
            looked("open to write", options.clone().open(&place).and_then(|store| store.close()));
            looked("verify", tenure::verify::verify(&place));
            let read = |mut history: tenure::history::History| history.read(&mut |_| Ok(()));
            looked("history", tenure::history::History::open(&place).and_then(read));
            let backup = folder.path().join(format!("{looks}"));
            looked("backup", tenure::backup::Backup::take(&place, &backup, 0));
            looked("stats of one that slept", if looks % 8 == 0 { seldom.stats().map(drop) } else { Ok(()) });
            looks += 1;
        }
        assert!(looks > 10, "{looks}");
    });
    for store in &stores {
        let stats = store.stats().unwrap();
        assert!(stats.snapshots_taken > 2, "{}", stats.snapshots_taken);
        assert_eq!(stats.snapshot_error.map(|error| error.to_string()), None);
    }
    assert_eq!(open().digest().unwrap(), stores[0].digest().unwrap());
    tenure::verify::verify(&place).unwrap();
}
