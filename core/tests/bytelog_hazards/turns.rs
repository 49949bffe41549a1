//! Handles that take turns for the sync.

use std::sync::Arc;

use super::{
    AppendError, Code, FRAME_HEADER, Journal, Lost, SEGMENT, SEGMENT_HEADER, SimDisk, Survive, add, drafts, end_of,
    open, payloads, sync,
};
use tenure_core::{
    bytelog::{Disk as _, DiskFile as _, Turn},
    testing::SimFile,
};

/// The turn, taken by a process of its own.
fn taken(disk: &SimDisk) -> Arc<SimFile> {
    let file = disk.process().open(SEGMENT).unwrap();
    assert_eq!(file.take_turn(&mut || panic!("nobody else has it")), Turn::Taken);
    file
}

#[test]
fn who_waits_for_its_turn_skips_its_sync_once_another_covers_it() {
    let disk = SimDisk::new();
    let waiting = disk.process();
    let (mut a, mut b) = (open(disk.process(), 1), open(waiting.handle(), 2));
    sync(&mut a).unwrap();
    sync(&mut b).unwrap();
    let turn = taken(&disk);
    let seen_by_a = add(&mut a, 1, &[b"of a"]);
    let tail = add(&mut b, 2, &[b"of b"]);
    let (synced, mut b_syncs) = (disk.count("sync"), b.syncer());
    // It asks for the turn in vain; before it looks at the watermark, another ends its turn and `a` has one.
    waiting.before_call(2, move || {
        turn.end_turn();
        assert!(sync(&mut a).unwrap() > seen_by_a.position, "what the others wait for goes along");
    });
    assert_eq!(b_syncs.sync().unwrap().position, tail.position);
    assert_eq!(disk.count("sync"), synced + 1, "one sync served both");
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 3)), [&b"of a"[..], b"of b"]);
}

#[test]
fn who_has_the_turn_takes_along_whole_entries_and_nothing_else() {
    let disk = SimDisk::new();
    let dying = disk.process();
    let (mut a, mut b, mut c) = (open(disk.process(), 1), open(disk.process(), 2), open(dying.handle(), 3));
    add(&mut a, 1, &[b"of a"]);
    sync(&mut a).unwrap();
    let mut ready = a.syncer();
    assert_eq!(ready.sync().unwrap(), a.syncer().sync().unwrap(), "nothing came in: nothing is to be done");
    add(&mut a, 1, &[b"more of a"]);
    let mut ready = a.syncer();
    let tail = add(&mut b, 2, &[b"of b", &[2; 500]]);
    end_of(&mut c);
    dying.die_at(3);
    c.append(&tail, &drafts(&tail, 3, &[&[3; 500]])).unwrap_err();
    let half = SEGMENT_HEADER + tail.position.0 as usize + FRAME_HEADER;
    assert!(disk.bytes(SEGMENT).len() > half, "it died in the middle of its entry");
    assert_eq!(ready.sync().unwrap().position, tail.position);
    let expected = [&b"of a"[..], b"more of a", b"of b", &[2; 500]];
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 4)), expected);
}

#[test]
fn a_turn_that_is_not_ended_keeps_nobody_from_syncing() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let stopped = taken(&disk);
    for round in 0..3 {
        let synced = disk.count("sync");
        let tail = add(&mut log, 1, &[b"strict"]);
        assert_eq!(sync(&mut log).unwrap(), tail.position);
        assert!(disk.count("sync") > synced);
        assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 2)).len(), round + 1);
    }
    stopped.end_turn();
}

#[test]
fn a3_a_turn_whose_sync_failed_serves_nobody() {
    let disk = SimDisk::new();
    let waiting = disk.process();
    let (mut a, mut b) = (open(disk.process(), 1), open(waiting.handle(), 2));
    add(&mut a, 1, &[b"durable"]);
    let durable = sync(&mut a).unwrap();
    end_of(&mut b);
    sync(&mut b).unwrap();
    let turn = taken(&disk);
    let tail = add(&mut b, 2, &[b"at stake"]);
    end_of(&mut a);
    let mut ready = b.syncer();
    let failing = disk.process();
    waiting.before_call(2, move || {
        turn.end_turn();
        failing.fail_syncs(1, Lost::Medium);
        assert_eq!(sync(&mut a).unwrap_err().code(), Code::Suspect);
        assert_eq!(a.durable(), durable);
    });
    assert_eq!(ready.sync().unwrap_err().code(), Code::Suspect, "it is told too, and is covered by nothing");
    b.heal(0).unwrap();
    assert_eq!(sync(&mut b).unwrap(), tail.position);
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 3)), [&b"durable"[..], b"at stake"]);
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
fn a18_a_batch_that_fails_leaves_the_whole_entries_that_another_may_have_made_durable() {
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
