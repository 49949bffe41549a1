//! Appends that end half way.

use super::{
    AppendError, ByteLog, Code, FRAME_HEADER, Journal, Lost, Outcome, SEGMENT, SEGMENT_HEADER, SimDisk, Survive, add,
    drafts, end_of, open, payloads, read_only, sync,
};

#[test]
fn a7_s3_a_batch_that_was_cut_off_keeps_a_prefix_of_whole_entries() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, 1, &[b"before"]);
    let batch: [&[u8]; 5] = [b"T1", b"T2", b"T3", &[4; 300], b"T5"];
    log.append(&tail, &drafts(&tail, 1, &batch)).unwrap();
    let len = disk.bytes(SEGMENT).len();
    let begin = SEGMENT_HEADER + tail.position.0 as usize;
    let mut seen = Vec::new();
    for cut in begin..=len {
        let killed = disk.after_crash(Survive::Kept);
        killed.edit(SEGMENT, |bytes| bytes.truncate(cut));
        let found = payloads(&mut open(killed, 2));
        assert_eq!(found[0], b"before");
        assert!(found[1..].iter().eq(batch[..found.len() - 1].iter()), "cut at {cut}");
        seen.push(found.len() - 1);
    }
    seen.dedup();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a7_s3_a_batch_that_fails_in_the_middle_leaves_whole_entries_or_nothing() {
    let disk = SimDisk::new();
    let mine = disk.process();
    let mut log = open(mine.handle(), 1);
    let tail = add(&mut log, 1, &[b"before"]);
    mine.fail_at(3);
    let failed = log.append(&tail, &drafts(&tail, 1, &[&[1; 50], &[2; 50], &[3; 50]])).unwrap_err();
    assert!(matches!(&failed, AppendError::Refused(error) if error.outcome() == Outcome::Refused), "{failed:?}");
    assert_eq!(payloads(&mut open(disk.process(), 2)), [&b"before"[..], &[1; 50]]);
    assert!(matches!(log.append(&tail, &drafts(&tail, 1, &[b"again"])), Err(AppendError::Conflict)));
    add(&mut log, 1, &[b"again"]);
}

#[test]
fn d18_a_full_disk_refuses_an_append_and_leaves_nothing_of_it() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, 1, &[b"fits"]);
    let used = disk.used();
    for room in 0..FRAME_HEADER + 100 {
        disk.set_capacity(Some(used + room));
        let full = log.append(&tail, &drafts(&tail, 1, &[&[1; 100]])).unwrap_err();
        let AppendError::Refused(error) = full else { panic!("{full:?}") };
        assert_eq!((error.code(), error.outcome()), (Code::NoSpace, Outcome::Refused));
        assert_eq!(disk.used(), used, "room for {room}");
    }
    disk.set_capacity(None);
    log.append(&tail, &drafts(&tail, 1, &[&[1; 100]])).unwrap();
}

#[test]
fn d18_a_switch_that_a_full_disk_stopped_behind_the_seal_goes_on_from_that_very_seal() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, 1, &[b"durable"]);
    sync(&mut log).unwrap();
    let tail = add(&mut log, 1, &[&[1; 5000]]);
    log.section(0, &mut |log| {
        // Enough for the seal, and not for the next segment.
        disk.set_capacity(Some(disk.used() + FRAME_HEADER));
        let next = drafts(&tail, 1, &[b"next"]);
        let full = log.append(&tail, &next).unwrap_err();
        assert!(matches!(&full, AppendError::Refused(error) if error.code() == Code::NoSpace), "{full:?}");
        disk.set_capacity(None);
        log.append(&tail, &next).unwrap();
        Ok(())
    })
    .unwrap();
    let live = payloads(&mut log);
    for survive in [Survive::Kept, Survive::Dropped, Survive::Torn] {
        let left = payloads(&mut open(disk.after_crash(survive), 2));
        assert!(left.len() > 1 && live.starts_with(&left), "{survive:?}: {} of {}", left.len(), live.len());
    }
}

#[test]
fn d18_an_append_whose_rest_cannot_be_removed_is_unknown_and_settled_by_the_next_section() {
    for whole in [false, true] {
        let disk = SimDisk::new();
        let mine = disk.process();
        let mut log = open(mine.handle(), 1);
        let mut other = open(disk.process(), 2);
        let tail = add(&mut log, 1, &[b"before"]);
        // The write fails half done, and so does what should remove it.
        mine.fail_at(3);
        mine.fail_at(4);
        let unknown = log.append(&tail, &drafts(&tail, 1, &[b"half"])).unwrap_err();
        let AppendError::Unknown(error) = unknown else { panic!("{unknown:?}") };
        assert_eq!(error.outcome(), Outcome::Unknown);
        if whole {
            // The kernel wrote it all the same.
            let full = {
                let copy = SimDisk::new();
                let mut log = open(copy.process(), 1);
                let tail = add(&mut log, 1, &[b"before"]);
                log.append(&tail, &drafts(&tail, 1, &[b"half"])).unwrap();
                copy.bytes(SEGMENT)
            };
            disk.edit(SEGMENT, |bytes| *bytes = full);
        }
        assert_eq!(end_of(&mut other).revision.0, tail.revision.0 + u64::from(whole));
        let end = add(&mut log, 1, &[b"next"]);
        assert_eq!(end.revision.0, tail.revision.0 + 1 + u64::from(whole));
        assert_eq!(payloads(&mut other), payloads(&mut log));
    }
}

#[test]
fn d18_a_reader_without_the_lock_takes_a_half_written_tail_for_not_yet() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, 1, &[b"before"]);
    let mut reader = open(disk.process(), 2);
    assert_eq!(end_of(&mut reader), tail);
    log.append(&tail, &drafts(&tail, 1, &[&[1; 500]])).unwrap();
    let whole = disk.bytes(SEGMENT);
    let begin = SEGMENT_HEADER + tail.position.0 as usize;
    for cut in begin..whole.len() {
        // Half of it is there; or its length is, and its bytes are not.
        for fill in [false, true] {
            disk.edit(SEGMENT, |bytes| {
                bytes.clone_from(&whole);
                bytes[cut..].fill(0);
                if !fill {
                    bytes.truncate(cut);
                }
            });
            let mut fresh = read_only(disk.process()).unwrap();
            assert_eq!(fresh.read(&tail, &mut |_| panic!("no entry is there yet")).unwrap(), tail, "cut at {cut}");
            assert_eq!(reader.read(&tail, &mut |_| panic!("no entry is there yet")).unwrap(), tail, "cut at {cut}");
        }
    }
    disk.edit(SEGMENT, |bytes| bytes.clone_from(&whole));
    assert_eq!(end_of(&mut reader).revision.0, tail.revision.0 + 1);
}

#[test]
fn d18_whoever_takes_the_lock_removes_what_a_dead_writer_left() {
    let disk = SimDisk::new();
    let dying = disk.process();
    let mut log = open(dying.handle(), 1);
    let mut other = open(disk.process(), 2);
    let tail = add(&mut log, 1, &[b"before"]);
    end_of(&mut other);
    dying.die_at(3);
    log.append(&tail, &drafts(&tail, 1, &[&[1; 500]])).unwrap_err();
    assert!(disk.bytes(SEGMENT).len() > SEGMENT_HEADER + tail.position.0 as usize);
    add(&mut other, 2, &[b"after"]);
    assert_eq!(payloads(&mut other), [&b"before"[..], b"after"]);
}

#[test]
fn d18_a_reader_that_opens_while_the_tail_is_written_and_made_durable_does_not_call_it_damage() {
    for n in 1..30 {
        let disk = SimDisk::new();
        let mut log = open(disk.process(), 1);
        let tail = add(&mut log, 1, &[b"before"]);
        log.append(&tail, &drafts(&tail, 1, &[&[1; 500]])).unwrap();
        let whole = disk.bytes(SEGMENT);
        let cut = SEGMENT_HEADER + tail.position.0 as usize + FRAME_HEADER + 10;
        disk.edit(SEGMENT, |bytes| bytes[cut..].fill(0));
        let (reader, writer) = (disk.process(), disk.process());
        reader.before_call(n, move || {
            writer.edit(SEGMENT, |bytes| bytes.clone_from(&whole));
            log.syncer().sync().unwrap();
        });
        let mut reader = read_only(reader).unwrap();
        let end = end_of(&mut reader).revision.0;
        assert!(end == tail.revision.0 || end == tail.revision.0 + 1, "call {n}");
    }
}

/// Lets a writer make one more entry durable before each call of a process, from the `n`th on.
fn write_before_each_call(of: &SimDisk, n: u64, mut log: ByteLog<SimDisk>) {
    let again = of.handle();
    of.before_call(n, move || {
        add(&mut log, 1, &[b"more"]);
        sync(&mut log).unwrap();
        // The call before which this runs is not counted yet.
        write_before_each_call(&again, 2, log);
    });
}

#[test]
fn d18_a_reader_that_opens_beside_a_writer_who_never_rests_does_not_call_it_damage() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, 1, &[b"before"]);
    sync(&mut log).unwrap();
    let reader = disk.process();
    write_before_each_call(&reader.handle(), 1, log);
    let mut reader = read_only(reader).unwrap();
    assert!(end_of(&mut reader).revision > tail.revision);
}

#[test]
fn a3_who_opened_late_writes_again_what_it_takes_along_before_it_relies_on_its_sync() {
    let disk = SimDisk::new();
    let mut failed = open(disk.process(), 1);
    add(&mut failed, 1, &[b"at stake"]);
    disk.fail_syncs(1, Lost::Medium);
    sync(&mut failed).unwrap_err();
    // Nobody told it.
    let mut late = open(disk.process(), 2);
    let mut other = open(disk.process(), 3);
    let tail = add(&mut other, 3, &[b"later"]);
    assert_eq!(sync(&mut late).unwrap(), tail.position);
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 4)), [&b"at stake"[..], b"later"]);
}

#[test]
fn d18_a_batch_that_fails_leaves_the_whole_entries_that_another_may_have_made_durable() {
    let disk = SimDisk::new();
    let failing = disk.process();
    let (mut a, mut b) = (open(failing.handle(), 1), open(disk.process(), 2));
    let tail = add(&mut b, 2, &[b"before"]);
    sync(&mut b).unwrap();
    end_of(&mut a);
    // The write fails half done; before that is cleaned up, a reader without the lock comes by.
    failing.fail_at(3);
    failing.before_call(4, move || {
        let seen = end_of(&mut b);
        assert_eq!(seen.revision.0, tail.revision.0 + 1);
        assert_eq!(sync(&mut b).unwrap(), seen.position);
    });
    let refused = a.append(&tail, &drafts(&tail, 1, &[&[1; 50], &[2; 50], &[3; 50]])).unwrap_err();
    assert!(matches!(refused, AppendError::Refused(_)), "{refused:?}");
    add(&mut a, 1, &[b"next"]);
    let expected = [&b"before"[..], &[1; 50], b"next"];
    assert_eq!(payloads(&mut a), expected);
    assert_eq!(payloads(&mut open(disk.process(), 3)), expected);
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 4))[..2], expected[..2]);
}
