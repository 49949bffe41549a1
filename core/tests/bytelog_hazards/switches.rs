//! Handles that lag behind: truncations, other stores, switches of segments.

use super::{
    AppendError, Author, ByteLog, Code, Journal, Lost, Options, SEGMENT_HEADER, SimDisk, SnapshotName, StoreId,
    Survive, Tail, add, drafts, end_of, fill, open, payloads, read_only, sync,
};

#[test]
fn a1_a_handle_that_slept_through_a_truncation_does_not_win_the_append() {
    let disk = SimDisk::new();
    let mut slept = open(disk.process(), 1);
    let old = add(&mut slept, 1, &[b"seen"]);

    let mut awake = open(disk.process(), 2);
    let end = fill(&mut awake, 2, 4);
    sync(&mut awake).unwrap();
    awake.truncate_before(end.position).unwrap();

    let refused = slept.append(&old, &drafts(&old, 1, &[b"lost"])).unwrap_err();
    assert!(matches!(&refused, AppendError::Refused(error) if error.code() == Code::Truncated), "{refused:?}");
    let error = slept.read(&old, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.code(), Code::Truncated, "a read below the floor is no empty list");
    // Behind a snapshot, which holds what was let go, the same handle goes on.
    let floor = slept.floor().unwrap();
    let tail = slept.read(&floor, &mut |_| Ok(())).unwrap();
    assert_eq!(tail, end);
    slept.append(&tail, &drafts(&tail, 1, &[b"kept"])).unwrap();
    assert_eq!(payloads(&mut awake).last().unwrap(), b"kept");
}

#[test]
fn a1_a_handle_that_slept_goes_on_from_a_tail_that_a_snapshot_gave_it() {
    let disk = SimDisk::new();
    let mut slept = open(disk.process(), 1);
    add(&mut slept, 1, &[b"seen"]);
    let mut awake = open(disk.process(), 2);
    let end = fill(&mut awake, 2, 4);
    awake.truncate_before(end.position).unwrap();
    add(&mut awake, 2, &[b"new"]);
    let mut read = Vec::new();
    slept
        .read(&end, &mut |stored| {
            read.push(stored.payload.to_vec());
            Ok(())
        })
        .unwrap();
    assert_eq!(read, [b"new"]);
}

#[test]
fn a1_a_folder_that_was_emptied_and_made_anew_is_another_store() {
    let disk = SimDisk::new();
    let mut old = open(disk.process(), 1);
    let tail = add(&mut old, 1, &[b"mine"]);
    disk.clear();
    let gone = old.append(&tail, &drafts(&tail, 1, &[b"lost"])).unwrap_err();
    assert!(matches!(&gone, AppendError::Refused(error) if error.code() == Code::Replaced), "{gone:?}");

    let mut other = ByteLog::create(disk.process(), Options::new(Author(2)), StoreId([1; 16])).unwrap();
    let same_length = add(&mut other, 2, &[b"your"]);
    assert_eq!(same_length.position, tail.position);
    let replaced = old.append(&tail, &drafts(&tail, 1, &[b"lost"])).unwrap_err();
    assert!(matches!(&replaced, AppendError::Refused(error) if error.code() == Code::Replaced), "{replaced:?}");
    let error = old.section(0, &mut |_| panic!("a section of another store")).unwrap_err();
    assert_eq!(error.code(), Code::Replaced);
    assert_eq!(old.read(&tail, &mut |_| Ok(())).unwrap_err().code(), Code::Replaced);
    assert_eq!(payloads(&mut other), [b"your"]);
}

#[test]
fn a6_s1_a_handle_that_stands_in_an_ended_segment_does_not_append_to_it() {
    let disk = SimDisk::new();
    let mut stays = open(disk.process(), 1);
    let old = add(&mut stays, 1, &[&[1; 5000]]);
    let mut moves = open(disk.process(), 2);
    let end = add(&mut moves, 2, &[b"in the next segment"]);
    assert!(disk.files().contains(&"0000000002.seg".to_owned()));
    let refused = stays.append(&old, &drafts(&old, 1, &[b"forked"])).unwrap_err();
    assert!(matches!(refused, AppendError::Conflict), "{refused:?}");
    let tail = stays.read(&old, &mut |_| Ok(())).unwrap();
    assert_eq!(tail, end);
    stays.append(&tail, &drafts(&tail, 1, &[b"joined"])).unwrap();
    assert_eq!(payloads(&mut moves)[1..], [&b"in the next segment"[..], b"joined"]);
}

#[test]
fn a6_s2_nothing_in_a_new_segment_is_acknowledged_before_the_one_before_it_is_durable() {
    let disk = SimDisk::new();
    let mut first = open(disk.process(), 1);
    let mut second = open(disk.process(), 2);
    add(&mut first, 1, &[&[1; 5000]]);
    add(&mut second, 2, &[b"y"]);
    sync(&mut second).unwrap();
    assert!(disk.files().contains(&"0000000002.seg".to_owned()));
    for survive in [Survive::Dropped, Survive::Torn, Survive::Seed(1), Survive::Seed(2)] {
        assert_eq!(payloads(&mut open(disk.after_crash(survive), 3)), [&[1; 5000][..], b"y"], "{survive:?}");
    }
}

/// Lets a handle die in its `n`th call of the append that switches segments.
fn dies_in_the_switch(n: u64) -> Option<(SimDisk, ByteLog<SimDisk>, Tail)> {
    let disk = SimDisk::new();
    let dying = disk.process();
    let mut witness = open(disk.process(), 2);
    let mut log = open(dying.handle(), 1);
    let old = add(&mut log, 1, &[&[1; 5000]]);
    end_of(&mut witness);
    dying.die_at(n);
    let _ = log.append(&old, &drafts(&old, 1, &[b"behind the switch"]));
    dying.is_off().then_some((disk, witness, old))
}

#[test]
fn a6_a_death_between_any_two_steps_of_a_switch_leaves_a_switch_that_another_finishes() {
    let steps = (1..).map_while(dies_in_the_switch).count();
    assert!(steps > 8, "lock, seal, sync, create, write, sync, rename, sync names, append: {steps}");
    for n in 1..=steps as u64 {
        let (disk, mut witness, old) = dies_in_the_switch(n).unwrap();
        // One that was open before goes on, with what it adds made durable.
        let tail = add(&mut witness, 2, &[b"of another"]);
        sync(&mut witness).unwrap();
        assert!(tail.revision > old.revision, "step {n}");
        let live = payloads(&mut witness);
        assert_eq!(live[0], [1; 5000], "step {n}");
        assert_eq!(live.last().unwrap(), b"of another", "step {n}");
        assert!(live.len() <= 3, "step {n}");
        for survive in [Survive::Dropped, Survive::Torn, Survive::Kept, Survive::Seed(n)] {
            assert_eq!(payloads(&mut open(disk.after_crash(survive), 3)), live, "step {n}, {survive:?}");
        }
        // One that opens the folder sees the same.
        assert_eq!(payloads(&mut open(disk.process(), 4)), live, "step {n}");
        assert!(!disk.files().iter().any(|name| name.contains(".tmp")), "step {n}: {:?}", disk.files());
        assert_eq!(payloads(&mut read_only(disk.process()).unwrap()), live, "step {n}");
    }
}

#[test]
fn a6_a_reader_without_the_lock_waits_at_a_seal_behind_which_nothing_is_yet() {
    for n in (1..).take_while(|n| dies_in_the_switch(*n).is_some()) {
        let (disk, mut witness, old) = dies_in_the_switch(n).unwrap();
        let before = disk.files();
        let tail = end_of(&mut witness);
        assert!(tail.revision.0 - old.revision.0 <= 1, "step {n}");
        let mut reader = read_only(disk.process()).unwrap();
        assert_eq!(end_of(&mut reader), tail, "step {n}");
        assert_eq!(disk.files(), before, "step {n}: a reader changes nothing");
    }
}

#[test]
fn c14_s2_a_segment_or_snapshot_that_vanishes_while_it_is_looked_for_is_no_damage() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let end = fill(&mut log, 1, 5);
    sync(&mut log).unwrap();
    let name = |n| SnapshotName { end: end.revision, author: Author(n) };
    for n in 1..3 {
        let mut pieces = vec![b"state".to_vec()];
        log.publish_snapshot(&mut tenure_core::port::under_name(name(n), || Ok(pieces.pop()))).unwrap();
    }
    let listed = log.snapshots().unwrap();
    assert_eq!(listed, [name(2), name(1)]);
    let mut slow = open(disk.process(), 2);
    let from = slow.floor().unwrap();
    assert_eq!(slow.snapshots().unwrap(), listed);

    // Between the list and the reading another handle lets go of the snapshot and of segments.
    log.remove_snapshot(name(1)).unwrap();
    let mut entries = 0;
    let error = slow
        .read(&from, &mut |_| {
            entries += 1;
            if entries == 1 {
                log.truncate_before(end.position)?;
            }
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.code(), Code::Truncated, "{error}");
    assert_eq!(slow.read_snapshot(name(1), &mut |_| Ok(())).unwrap_err().code(), Code::NotFound);
    assert_eq!(slow.snapshots().unwrap(), [name(2)]);
    assert_eq!(end_of(&mut slow), end);

    // The same while a handle is being opened, at each of its calls.
    for n in 1..30 {
        let disk = SimDisk::new();
        let mut log = open(disk.process(), 1);
        let end = fill(&mut log, 1, 5);
        let arriving = disk.process();
        arriving.before_call(n, move || log.truncate_before(end.position).unwrap());
        let mut opened = read_only(arriving).unwrap();
        // A floor that rises between asking for it and reading from it is told, and asked for again.
        let found = (0..2).find_map(|_| {
            let floor = opened.floor().unwrap();
            opened.read(&floor, &mut |_| Ok(())).map_err(|error| assert_eq!(error.code(), Code::Truncated)).ok()
        });
        assert_eq!(found, Some(end), "call {n}");
    }
}

/// Has `log` go on and let go of all but its last segment before the `n`th call of a reader that stands at the end of the
/// segment before them. Gives back whether it was told so.
fn reads_while_segments_go(n: u64, disk: &SimDisk, slow: &SimDisk, mut reader: ByteLog<SimDisk>, from: &Tail) -> bool {
    let mut log = open(disk.process(), 3);
    slow.before_call(n, move || {
        let end = fill(&mut log, 3, 6);
        log.truncate_before(end.position).unwrap();
    });
    let told = match reader.read(from, &mut |_| Ok(())) {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.code(), Code::Truncated, "call {n}: {error}");
            true
        }
    };
    assert_eq!(end_of(&mut reader), end_of(&mut open(disk.process(), 4)), "call {n}");
    told
}

#[test]
fn c14_s2_segments_that_go_while_a_reader_stands_at_the_end_of_the_one_before_are_no_damage() {
    let told = (1..12).filter(|&n| {
        let (disk, slow) = twice();
        let mut log = open(disk.process(), 1);
        let mut reader = read_only(slow.handle()).unwrap();
        let from = reader.floor().unwrap();
        // The segment that it knows is ended; of those behind it, it has not heard.
        fill(&mut log, 1, 2);
        reads_while_segments_go(n, &disk, &slow, reader, &from)
    });
    assert!(told.count() > 2);
    let told = (1..12).filter(|&n| {
        let (disk, slow) = twice();
        let mut log = open(disk.process(), 1);
        add(&mut log, 1, &[b"at stake"]);
        let mut reader = read_only(slow.handle()).unwrap();
        let from = end_of(&mut reader);
        // The one behind it begins before its end, as its sync failed.
        disk.fail_syncs(1, Lost::Medium);
        sync(&mut log).unwrap_err();
        log.heal(0).unwrap();
        reads_while_segments_go(n, &disk, &slow, reader, &from)
    });
    assert!(told.count() > 2);
}

/// A disk, and a process on it.
fn twice() -> (SimDisk, SimDisk) {
    let disk = SimDisk::new();
    let slow = disk.process();
    (disk, slow)
}

#[test]
fn a6_a_segment_of_a_history_that_forked_is_not_taken_for_the_next_one() {
    let forked = |payload: &[u8]| {
        let disk = SimDisk::new();
        let mut log = open(disk.process(), 1);
        add(&mut log, 1, &[payload]);
        add(&mut log, 1, &[b"in the next segment"]);
        sync(&mut log).unwrap();
        disk
    };
    let (mine, other) = (forked(&[1; 5000]), forked(&[2; 5000]));
    let next = "0000000002.seg";
    // Also where nothing stands in it yet, so that no frame tells.
    for len in [other.bytes(next).len(), SEGMENT_HEADER] {
        mine.edit(next, |bytes| *bytes = other.bytes(next)[..len].to_vec());
        mine.set_shared([0; 64]);
        let mut log = open(mine.process(), 2);
        let floor = log.floor().unwrap();
        let error = log.read(&floor, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "{error}");
    }
}
