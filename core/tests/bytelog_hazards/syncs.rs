//! Syncs that fail, and syncs beside appends.

use super::{
    Code, Journal, Lost, Outcome, SEGMENT, SEGMENT_HEADER, SimDisk, Survive, add, drafts, end_of, open, payloads, sync,
};

#[test]
fn a3_a_handle_whose_sync_failed_acknowledges_nothing_until_all_was_written_elsewhere() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, 1, &[b"durable"]);
    let durable = sync(&mut log).unwrap();
    let tail = add(&mut log, 1, &[b"at stake"]);
    disk.fail_syncs(1, Lost::Medium);
    let error = sync(&mut log).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Suspect, Outcome::Unknown));
    // The next sync of the file would succeed, and mean nothing.
    assert_eq!(sync(&mut log).unwrap_err().code(), Code::Suspect);
    assert_eq!(log.durable(), durable);

    log.heal(0).unwrap();
    assert_eq!(sync(&mut log).unwrap(), tail.position);
    assert!(disk.files().contains(&"0000000002.seg".to_owned()), "it was written elsewhere: {:?}", disk.files());
    let mut after = open(disk.after_crash(Survive::Dropped), 2);
    assert_eq!(payloads(&mut after), [&b"durable"[..], b"at stake"]);
    assert_eq!(end_of(&mut after), tail);
}

#[test]
fn b8_s3_appends_go_on_while_a_sync_runs_which_covers_what_stood_before_it() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let before = add(&mut log, 1, &[b"before"]);
    let mut running = log.syncer();
    let meanwhile = add(&mut log, 1, &[b"meanwhile"]);
    let synced = running.sync().unwrap();
    log.note_synced(&synced);
    assert_eq!((synced.position, log.durable()), (before.position, before.position));
    assert_eq!(sync(&mut log).unwrap(), meanwhile.position);
}

#[test]
fn a3_a_handle_that_did_not_see_the_sync_fail_finds_the_old_segment_ended() {
    let disk = SimDisk::new();
    let mut failed = open(disk.process(), 1);
    let mut other = open(disk.process(), 2);
    add(&mut failed, 1, &[b"durable"]);
    sync(&mut failed).unwrap();
    add(&mut failed, 1, &[b"at stake"]);
    assert_eq!(payloads(&mut other).len(), 2);
    disk.fail_syncs(1, Lost::Medium);
    sync(&mut failed).unwrap_err();
    failed.heal(0).unwrap();
    // It looks at nothing but the file it knows.
    let tail = end_of(&mut failed);
    other.append(&tail, &drafts(&tail, 2, &[b"behind it"])).unwrap();
    sync(&mut other).unwrap();
    let expected = [&b"durable"[..], b"at stake", b"behind it"];
    assert_eq!(payloads(&mut failed), expected);
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 3)), expected);
}

#[test]
fn a3_a_handle_that_opens_the_store_after_the_failure_writes_it_again_before_it_acknowledges() {
    let disk = SimDisk::new();
    let mut failed = open(disk.process(), 1);
    add(&mut failed, 1, &[b"durable"]);
    sync(&mut failed).unwrap();
    add(&mut failed, 1, &[b"at stake"]);
    disk.fail_syncs(1, Lost::Medium);
    sync(&mut failed).unwrap_err();
    // The failure was told to the one handle; who opens the file now is told of none.
    let mut opened = open(disk.process(), 2);
    assert_eq!(payloads(&mut opened).len(), 2);
    assert_eq!(sync(&mut opened).unwrap(), end_of(&mut opened).position);
    let mut after = open(disk.after_crash(Survive::Dropped), 3);
    assert_eq!(payloads(&mut after), [&b"durable"[..], b"at stake"]);
}

#[test]
fn a3_a_handle_that_was_open_is_told_of_the_failure_and_heals_too() {
    let disk = SimDisk::new();
    let mut failed = open(disk.process(), 1);
    let mut other = open(disk.process(), 2);
    add(&mut failed, 1, &[b"durable"]);
    sync(&mut failed).unwrap();
    let tail = add(&mut failed, 1, &[b"at stake"]);
    end_of(&mut other);
    disk.fail_syncs(1, Lost::Medium);
    sync(&mut failed).unwrap_err();
    assert_eq!(sync(&mut other).unwrap_err().code(), Code::Suspect);
    other.heal(0).unwrap();
    assert_eq!(sync(&mut other).unwrap(), tail.position);
    // The one that failed first finds the work done.
    failed.heal(0).unwrap();
    assert_eq!(sync(&mut failed).unwrap(), tail.position);
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 3)).len(), 2);
}

#[test]
fn a3_what_the_cache_lost_too_is_never_acknowledged_and_the_store_opens_without_it() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, 1, &[b"durable"]);
    sync(&mut log).unwrap();
    add(&mut log, 1, &[&[7; 9000]]);
    disk.fail_syncs(1, Lost::MediumAndCache);
    sync(&mut log).unwrap_err();
    assert_eq!(log.heal(0).unwrap_err().code(), Code::Suspect);
    assert_eq!(sync(&mut log).unwrap_err().code(), Code::Suspect);
    for survive in [Survive::Kept, Survive::Dropped] {
        assert_eq!(payloads(&mut open(disk.after_crash(survive), 2)), [b"durable"]);
    }
}

#[test]
fn a3_while_the_rewriting_fails_nobody_acknowledges() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let mut other = open(disk.process(), 2);
    add(&mut log, 1, &[b"durable"]);
    let durable = sync(&mut log).unwrap();
    add(&mut log, 1, &[b"at stake"]);
    end_of(&mut other);
    disk.fail_syncs(u64::MAX, Lost::Medium);
    sync(&mut log).unwrap_err();
    for _ in 0..3 {
        assert_eq!(log.heal(0).unwrap_err().code(), Code::Suspect);
        sync(&mut log).unwrap_err();
        sync(&mut other).unwrap_err();
        other.heal(0).unwrap_err();
    }
    assert_eq!((log.durable(), other.durable()), (durable, durable));
    disk.fail_syncs(0, Lost::Medium);
    other.heal(0).unwrap();
    log.heal(0).unwrap();
    assert_eq!(sync(&mut log).unwrap(), sync(&mut other).unwrap());
    assert_eq!(payloads(&mut open(disk.after_crash(Survive::Dropped), 3)).len(), 2);
}

#[test]
fn a3_of_two_syncs_that_were_ready_the_one_that_is_told_nothing_proves_nothing() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, 1, &[b"at stake"]);
    let (mut told, mut not_told) = (log.syncer(), log.syncer());
    disk.fail_syncs(1, Lost::Medium);
    assert_eq!(told.sync().unwrap_err().code(), Code::Suspect);
    assert_eq!(not_told.sync().unwrap_err().code(), Code::Suspect);
}

#[test]
fn a3_a_seal_whose_sync_failed_is_written_again_by_who_finishes_the_switch() {
    for n in 1..20 {
        let disk = SimDisk::new();
        let dying = disk.process();
        let mut log = open(dying.handle(), 1);
        let tail = add(&mut log, 1, &[&[1; 5000]]);
        sync(&mut log).unwrap();
        disk.fail_syncs(1, Lost::Medium);
        dying.die_at(n);
        let _ = log.append(&tail, &drafts(&tail, 1, &[b"behind the switch"]));
        disk.fail_syncs(0, Lost::Medium);
        let mut opened = open(disk.process(), 2);
        add(&mut opened, 2, &[b"next"]);
        sync(&mut opened).unwrap();
        let live = payloads(&mut opened);
        for survive in [Survive::Dropped, Survive::Torn] {
            assert_eq!(payloads(&mut open(disk.after_crash(survive), 3)), live, "death at call {n}, {survive:?}");
        }
    }
}

#[test]
fn a3_who_failed_behind_a_durable_seal_follows_one_who_wrote_the_segment_again_without_it() {
    let mut failures = 0;
    for n in 1..20 {
        let disk = SimDisk::new();
        let first = disk.process();
        let (mut fails, mut heals) = (open(first.handle(), 1), open(disk.process(), 2));
        let old = add(&mut fails, 1, &[&[1; 5000]]);
        sync(&mut fails).unwrap();
        end_of(&mut heals);
        first.fail_at(n);
        if fails.append(&old, &drafts(&old, 1, &[b"behind the switch"])).is_ok() {
            continue;
        }
        failures += 1;
        disk.fail_syncs(1, Lost::Medium);
        heals.section(0, &mut |_| Ok(())).unwrap();
        for _ in 0..2 {
            let live = payloads(&mut heals);
            assert_eq!(payloads(&mut fails), live, "call {n}");
            assert_eq!(payloads(&mut open(disk.process(), 3)), live, "call {n}");
            add(&mut heals, 2, &[b"of another"]);
        }
    }
    assert!(failures > 6, "{failures}");
}

#[test]
fn a3_what_a_handle_had_read_and_the_cache_lost_is_lost_and_no_damage() {
    let disk = SimDisk::new();
    let (mut log, mut other) = (open(disk.process(), 1), open(disk.process(), 2));
    let durable = add(&mut log, 1, &[b"durable"]);
    sync(&mut log).unwrap();
    add(&mut log, 1, &[b"at stake"]);
    let floor = other.floor().unwrap();
    end_of(&mut other);
    // Without what is in this handle's memory.
    let mut other = other.reopen().unwrap();
    let kept = SEGMENT_HEADER + durable.position.0 as usize;
    disk.edit(SEGMENT, |bytes| bytes[kept..].fill(0));
    assert_eq!(other.read(&floor, &mut |_| Ok(())).unwrap_err().code(), Code::Closed);
    assert_eq!(payloads(&mut open(disk.process(), 3)), [b"durable"]);
}
