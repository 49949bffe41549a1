//! Damage and torn tails, told apart by the durable mark.

use super::{
    Author, ByteLog, Code, Journal, Options, SEGMENT, SEGMENT_HEADER, STORE, SimDisk, SnapshotName, Survive, Tail, add,
    end_of, open, payloads, read_only, sync, try_open,
};

/// 20 entries, of which the first `synced` are durable, with a hole in `hole` (counted from 1).
fn with_a_hole(synced: usize, hole: usize) -> (SimDisk, Vec<Tail>) {
    let disk = SimDisk::new();
    let mut log = ByteLog::create(disk.process(), Options::new(Author(1)), STORE).unwrap();
    let mut tails = vec![end_of(&mut log)];
    for n in 1..=20 {
        tails.push(add(&mut log, 1, &[&[n as u8; 100]]));
        if n == synced {
            sync(&mut log).unwrap();
        }
    }
    let crashed = disk.after_crash(Survive::Kept);
    crashed.edit(SEGMENT, |bytes| {
        let (begin, end) = (tails[hole - 1].position.0 as usize, tails[hole].position.0 as usize);
        bytes[SEGMENT_HEADER + begin..SEGMENT_HEADER + end].fill(0);
    });
    (crashed, tails)
}

#[test]
fn a2_s1_a_hole_behind_the_durable_mark_is_a_power_cut_and_all_behind_it_is_dropped() {
    for hole in 11..=20 {
        let (disk, tails) = with_a_hole(10, hole);
        let mut reader = read_only(disk.process()).unwrap();
        assert_eq!(end_of(&mut reader), tails[hole - 1], "without the lock it is not yet");
        assert!(disk.bytes(SEGMENT).len() > SEGMENT_HEADER + tails[hole - 1].position.0 as usize);

        let mut log = ByteLog::open(disk.process(), Options::new(Author(2))).unwrap();
        assert_eq!(end_of(&mut log), tails[hole - 1]);
        assert_eq!(disk.bytes(SEGMENT).len(), SEGMENT_HEADER + tails[hole - 1].position.0 as usize);
        add(&mut log, 2, &[b"goes on"]);
        assert_eq!(payloads(&mut log).len(), hole);
        assert_eq!(payloads(&mut reader).len(), hole);
    }
}

#[test]
fn a2_s1_a_hole_before_the_durable_mark_is_damage_and_nothing_is_touched() {
    for hole in 1..=10 {
        let (disk, tails) = with_a_hole(10, hole);
        let before = disk.bytes(SEGMENT);
        let error = try_open(disk.process(), 2).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "hole {hole}: {error}");
        assert!(error.message().contains(&format!("position {}", tails[hole - 1].position)), "{error}");
        assert!(error.message().contains("restore"), "{error}");
        assert_eq!(disk.bytes(SEGMENT), before);
        // Also where the watermark is gone: the frames behind the hole tell it too.
        let mark_gone = disk.after_crash(Survive::Dropped);
        mark_gone.set_shared([0; 64]);
        assert_eq!(try_open(mark_gone.process(), 2).unwrap_err().code(), Code::Corrupt, "hole {hole}");
        assert_eq!(read_only(mark_gone.process()).unwrap_err().code(), Code::Corrupt, "hole {hole}");
    }
}

#[test]
fn a2_s2_a_flip_in_a_length_early_in_the_file_is_damage_and_no_torn_tail() {
    let (disk, tails) = with_a_hole(10, 20);
    disk.set_shared([0; 64]);
    for bit in 0..32 {
        let flipped = disk.after_crash(Survive::Kept);
        flipped.edit(SEGMENT, |bytes| {
            bytes[SEGMENT_HEADER + tails[2].position.0 as usize + 8 + bit / 8] ^= 1 << (bit % 8);
        });
        let error = try_open(flipped, 2).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "bit {bit}");
    }
}

#[test]
fn a2_bytes_in_a_payload_that_look_like_frames_do_not_make_a_torn_tail_damage() {
    // A task holds a copy of a segment of this very store: whole frames, with durable marks.
    let (disk, _) = with_a_hole(10, 20);
    let copy = disk.bytes(SEGMENT);
    let fresh = SimDisk::new();
    let mut log = open(fresh.process(), 1);
    let tail = add(&mut log, 1, &[b"whole"]);
    add(&mut log, 1, &[&copy]);
    let crashed = fresh.after_crash(Survive::Kept);
    crashed.edit(SEGMENT, |bytes| bytes[SEGMENT_HEADER + tail.position.0 as usize] ^= 1);
    assert_eq!(end_of(&mut open(crashed, 2)), tail);
}

#[test]
fn a2_a_journal_that_ends_before_its_watermark_or_its_snapshot_is_damaged() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, 1, &[b"one"]);
    let two = add(&mut log, 1, &[b"two"]);
    sync(&mut log).unwrap();
    let mut pieces = vec![b"state".to_vec()];
    let name = SnapshotName { end: two.revision, author: Author(1) };
    log.publish_snapshot(&mut tenure_core::port::under_name(name, || Ok(pieces.pop()))).unwrap();
    for shared in [true, false] {
        let cut = disk.after_crash(Survive::Kept);
        cut.edit(SEGMENT, |bytes| bytes.truncate(SEGMENT_HEADER + two.position.0 as usize - 1));
        if !shared {
            cut.set_shared([0; 64]);
        }
        assert_eq!(try_open(cut.process(), 2).unwrap_err().code(), Code::Corrupt);
        assert_eq!(read_only(cut).unwrap_err().code(), Code::Corrupt);
    }
}
