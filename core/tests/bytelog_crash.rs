//! A scripted life of a byte log — appends, switches of segments, syncs, a snapshot, a truncation — cut off at every
//! single call of its disk. Whatever the machine kept of what no sync covered: what a sync covered is there, and
//! what is there is a prefix of what was appended.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Author, Position, Result, Revision, StoreId, TaskId,
    bytelog::{ByteLog, Options},
    entry::EntryKind,
    port::{Draft, Journal, SnapshotName, Tail, under_name},
    testing::{Lost, SimDisk, Survive},
};

const STORE: StoreId = StoreId([9; 16]);
const SNAPSHOT: SnapshotName = SnapshotName { end: Revision(20), author: Author(1) };

fn options(author: u64) -> Options {
    Options { segment_bytes: 3000, max_frame: 700, ..Options::new(Author(author)) }
}

/// The payload of a revision: some are larger than a page, some larger than a frame, some empty.
fn payload(revision: u64) -> Vec<u8> {
    let len = match revision % 7 {
        0 => 0,
        3 => 5000,
        5 => 900,
        small => small as usize * 10,
    };
    (0..len).map(|i| (i as u64 * 31 + revision) as u8).collect()
}

fn draft(revision: u64, author: u64) -> Draft {
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(revision),
        next_id: TaskId(revision + 1),
        author: Author(author),
        payload: payload(revision),
    }
}

/// What is known to whoever used the log.
#[derive(Default, Debug)]
struct Known {
    /// The last revision that went into an append, answered or not.
    tried: u64,
    /// The last revision that a sync covered.
    synced: u64,
    /// Whether the snapshot's publication was answered.
    published: bool,
}

fn append(log: &mut dyn Journal, known: &mut Known, author: u64, count: u64) -> Result<Tail> {
    let mut behind = Tail::default();
    log.section(1000, &mut |log| {
        let floor = log.floor()?;
        let tail = log.read(&floor, &mut |_| Ok(()))?;
        let drafts: Vec<Draft> = (1..=count).map(|i| draft(tail.revision.0 + i, author)).collect();
        known.tried = known.tried.max(tail.revision.0 + count);
        behind = log
            .append(&tail, &drafts)
            .map_err(|error| tenure_core::Error::new(tenure_core::Code::Unavailable, format!("{error:?}")))?;
        Ok(())
    })?;
    Ok(behind)
}

fn sync(log: &mut dyn Journal, known: &mut Known, tail: &Tail) -> Result<()> {
    let synced = if let Ok(synced) = log.syncer().sync() {
        synced
    } else {
        log.heal(1000)?;
        log.syncer().sync()?
    };
    log.note_synced(&synced);
    assert!(synced.position >= tail.position, "a sync covers what was appended before it");
    known.synced = tail.revision.0;
    Ok(())
}

fn live(disk: SimDisk, known: &mut Known) -> Result<()> {
    let mut log = ByteLog::create(disk, options(1), STORE)?;
    for round in 0..16 {
        let tail = append(&mut log, known, 1, 1 + round % 3)?;
        if round % 2 == 1 {
            sync(&mut log, known, &tail)?;
        }
        if round == 11 {
            let mut pieces = vec![b"the second".to_vec(), b"the first, ".to_vec()];
            log.publish_snapshot(&mut under_name(SNAPSHOT, || Ok(pieces.pop())))?;
            known.published = true;
            let mut floor = log.floor()?;
            let from = floor;
            log.read(&from, &mut |stored| {
                if stored.tail.revision == SNAPSHOT.end {
                    floor = stored.tail;
                }
                Ok(())
            })?;
            log.truncate_before(floor.position)?;
        }
    }
    log.close()?;
    known.synced = known.tried;
    Ok(())
}

/// Opens what is left, and checks it against what is known.
fn check(disk: SimDisk, known: &Known, what: &str) {
    let other = disk.process();
    let mut log = match ByteLog::create(disk, options(2), STORE) {
        Ok(log) => log,
        Err(error) => panic!("{what}: {error:?}"),
    };
    let (last, snapshots) = contents(&mut log, what);
    assert!(last >= known.synced && last <= known.tried, "{what}: {last} of {known:?}");
    assert!(!known.published || snapshots == [SNAPSHOT], "{what}: {snapshots:?}");

    // It goes on from there, with a sync that counts, and another handle sees the same.
    let mut next = Known { tried: last, ..Known::default() };
    let tail = append(&mut log, &mut next, 2, 2).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    sync(&mut log, &mut next, &tail).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let again = other.after_crash(Survive::Dropped);
    let mut log = ByteLog::open(again, options(3)).unwrap_or_else(|error| panic!("{what}, again: {error:?}"));
    assert_eq!(contents(&mut log, what).0, last + 2, "{what}, again");
}

/// Checks all entries and snapshots for themselves; answers with the last revision.
fn contents(log: &mut ByteLog<SimDisk>, what: &str) -> (u64, Vec<SnapshotName>) {
    let floor = log.floor().unwrap();
    let mut last = floor.revision.0;
    let snapshots = log.snapshots().unwrap();
    assert!(last == 0 || snapshots == [SNAPSHOT] && last <= SNAPSHOT.end.0, "{what}: floor {floor:?}, {snapshots:?}");
    let tail = log
        .read(&floor, &mut |stored| {
            last += 1;
            assert_eq!(stored.tail.revision.0, last, "{what}");
            assert!(stored.payload == payload(last), "{what}: payload of {last}");
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(tail.revision.0, last, "{what}");
    for &snapshot in &snapshots {
        let mut bytes = Vec::new();
        log.read_snapshot(snapshot, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(bytes, b"the first, the second", "{what}");
    }
    (last, snapshots)
}

fn fates() -> impl Iterator<Item = Survive> {
    [Survive::Kept, Survive::Dropped, Survive::Torn].into_iter().chain((0..6).map(Survive::Seed))
}

fn calls_of_a_whole_life() -> u64 {
    let disk = SimDisk::new();
    let watch = disk.process();
    let mut known = Known::default();
    live(disk, &mut known).unwrap();
    assert!(known.tried > SNAPSHOT.end.0);
    assert!(watch.files().contains(&"0000000005.seg".to_owned()), "too few segments: {:?}", watch.files());
    watch.calls()
}

#[test]
fn a_power_cut_at_any_call_loses_nothing_that_a_sync_covered() {
    for n in 1..=calls_of_a_whole_life() {
        let disk = SimDisk::new();
        let watch = disk.process();
        watch.crash_at(n);
        let mut known = Known::default();
        let lived = live(disk, &mut known);
        assert!(watch.is_off(), "call {n} was made: {lived:?}");
        for survive in fates() {
            check(watch.after_crash(survive), &known, &format!("power cut at call {n}, {survive:?}"));
        }
    }
}

#[test]
fn a_process_that_dies_at_any_call_leaves_a_log_that_another_goes_on_with() {
    for n in 1..=calls_of_a_whole_life() {
        let disk = SimDisk::new();
        let other = disk.process();
        disk.die_at(n);
        let mut known = Known::default();
        let _ = live(disk, &mut known);
        check(other, &known, &format!("death at call {n}"));
    }
}

#[test]
fn a_process_that_dies_at_any_call_is_outlived_by_a_handle_that_was_open_before() {
    for n in 12..=calls_of_a_whole_life() {
        let disk = SimDisk::new();
        let other = disk.process();
        let what = format!("death at call {n}, seen by a live handle");
        ByteLog::create(disk.process(), options(4), STORE).unwrap().close().unwrap();
        let mut log = ByteLog::open(other.process(), options(5)).unwrap();
        disk.die_at(n);
        let mut known = Known::default();
        let _ = live(disk, &mut known);
        let mut next = Known { tried: known.tried, ..Known::default() };
        // A handle that stood before what was let go has to load the snapshot; here it reads from the floor.
        let tail = append(&mut log, &mut next, 5, 1).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        sync(&mut log, &mut next, &tail).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(tail.revision.0 > known.synced, "{what}: {tail:?} {known:?}");
        let known = Known { tried: tail.revision.0, synced: tail.revision.0, ..known };
        check(other.after_crash(Survive::Dropped), &known, &what);
    }
}

#[test]
fn a_failure_of_any_call_is_answered_and_loses_nothing_that_a_sync_covered() {
    let calls = calls_of_a_whole_life();
    for n in 1..=calls {
        let disk = SimDisk::new();
        let watch = disk.process();
        disk.fail_at(n);
        let mut known = Known::default();
        let lived = live(disk, &mut known);
        let what = format!("failure of call {n} ({:?})", lived.map(|()| "ended well"));
        for survive in fates() {
            check(watch.after_crash(survive), &known, &format!("{what}, {survive:?}"));
        }
        check(watch, &known, &what);
    }
}

#[test]
fn a_sync_that_fails_once_and_then_succeeds_with_the_data_gone_loses_nothing_acknowledged() {
    for lost in [Lost::Medium, Lost::MediumAndCache] {
        for n in 0..30 {
            let disk = SimDisk::new();
            let watch = disk.process();
            let mut known = Known::default();
            // The life up to the n-th sync is undisturbed; then one fails.
            let mut log = ByteLog::create(disk, options(1), STORE).unwrap();
            for round in 0..n {
                let tail = append(&mut log, &mut known, 1, 1 + round % 3).unwrap();
                sync(&mut log, &mut known, &tail).unwrap();
            }
            append(&mut log, &mut known, 1, 2).unwrap();
            let tail = append(&mut log, &mut known, 1, 1).unwrap();
            watch.fail_syncs(1, lost);
            let answered = sync(&mut log, &mut known, &tail);
            assert_eq!(answered.is_ok(), lost == Lost::Medium, "{answered:?}");
            let what = format!("sync {n} failed, {lost:?}");
            for survive in fates() {
                check(watch.after_crash(survive), &known, &format!("{what}, {survive:?}"));
            }
        }
    }
}

#[test]
fn a_position_is_counted_in_bytes_and_begins_at_nothing() {
    let mut log = ByteLog::create(SimDisk::new(), options(1), STORE).unwrap();
    assert_eq!(log.floor().unwrap(), Tail::empty(Position(0)));
}
