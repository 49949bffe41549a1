//! What the byte log does with its disk: calls, files, marks and snapshots.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Author, Code, Error, Position, Result, Revision, StoreId, TaskId,
    bytelog::{ByteLog, Disk, Options},
    entry::EntryKind,
    frame,
    port::{Draft, Journal, Piece, SnapshotName, Synced, Tail, under_name},
    testing::{SimDisk, Survive},
};

const STORE: StoreId = StoreId([9; 16]);

fn open(disk: SimDisk, author: u64) -> ByteLog<SimDisk> {
    ByteLog::create(disk, Options { segment_bytes: 4000, ..Options::new(Author(author)) }, STORE).unwrap()
}

fn draft(at: &Tail, payload: &[u8]) -> Draft {
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(at.revision.0 + 1),
        next_id: TaskId(at.next_id.0 + 1),
        author: Author(1),
        payload: payload.to_vec(),
    }
}

fn read_all(log: &mut dyn Journal) -> (Vec<Vec<u8>>, Tail) {
    let floor = log.floor().unwrap();
    let mut payloads = Vec::new();
    let tail = log
        .read(&floor, &mut |stored| {
            payloads.push(stored.payload.to_vec());
            Ok(())
        })
        .unwrap();
    (payloads, tail)
}

fn add(log: &mut ByteLog<SimDisk>, payload: &[u8]) -> Tail {
    let at = read_all(log).1;
    log.append(&at, &[draft(&at, payload)]).unwrap()
}

fn sync(log: &mut ByteLog<SimDisk>) -> Result<Synced> {
    let synced = log.syncer().sync()?;
    log.note_synced(&synced);
    Ok(synced)
}

#[test]
fn a_section_with_an_append_is_a_lock_a_length_a_write_and_an_unlock() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let mut tail = add(&mut log, b"first");
    disk.keep_log();
    log.section(0, &mut |log| {
        tail = log.read(&tail, &mut |_| Ok(()))?;
        tail = log.append(&tail, &[draft(&tail, b"second")]).unwrap();
        Ok(())
    })
    .unwrap();
    let calls = disk.log();
    let kinds: Vec<&str> = calls.iter().map(|call| call.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["lock", "len", "write_at", "unlock"]);

    // What another handle appended costs one read more, also for the section's own reading.
    let mut other = open(disk.process(), 2);
    add(&mut other, b"third");
    let before = (disk.calls(), disk.count("read_at"));
    let mut seen = 0;
    log.section(0, &mut |log| {
        tail = log.read(&tail, &mut |_| {
            seen += 1;
            Ok(())
        })?;
        Ok(())
    })
    .unwrap();
    assert_eq!((seen, disk.count("read_at") - before.1), (1, 1));
    assert!(disk.calls() - before.0 <= 6, "{} calls", disk.calls() - before.0);
}

#[test]
fn a_section_always_gives_the_lock_back() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let mut other = open(disk.process(), 2);
    let error = log.section(0, &mut |_| Err(Error::new(Code::Cancelled, "no"))).unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    other.section(0, &mut |_| Ok(())).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        log.section(0, &mut |_| panic!("a caller's fault")).unwrap();
    }));
    assert!(panicked.is_err());
    other.section(0, &mut |_| Ok(())).unwrap();
    log.section(0, &mut |log| {
        assert_eq!(other.section(0, &mut |_| Ok(())).unwrap_err().code(), Code::LockTimeout);
        log.section(0, &mut |_| Ok(()))
    })
    .unwrap();
    other.section(0, &mut |_| Ok(())).unwrap();
}

#[test]
fn a_handle_that_only_reads_changes_nothing_and_takes_no_lock() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, &[1; 5000]);
    let tail = add(&mut log, b"in the second segment");
    sync(&mut log).unwrap();
    disk.keep_log();
    let options = Options { read_only: true, ..Options::new(Author(2)) };
    let mut reader = ByteLog::open(disk.process(), options).unwrap();
    assert_eq!(read_all(&mut reader).1, tail);
    assert_eq!(sync(&mut reader).unwrap().position, tail.position);
    let name = SnapshotName { end: tail.revision, author: Author(2) };
    let refused = [
        reader.section(0, &mut |_| Ok(())).unwrap_err(),
        reader.publish_snapshot(&mut under_name(name, || Ok(None))).unwrap_err(),
        reader.truncate_before(tail.position).unwrap_err(),
        reader.remove_snapshot(name).unwrap_err(),
        reader.heal(0).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| error.code() == Code::ReadOnly), "{refused:?}");
    reader.close().unwrap();
    let harmless = ["names", "open", "len", "read_at", "read_shared"];
    for call in disk.log() {
        assert!(harmless.iter().any(|kind| call.starts_with(kind)), "{call}");
    }
}

#[test]
fn b8_s4_a_sync_that_another_handle_did_already_is_free() {
    let disk = SimDisk::new();
    let mut one = open(disk.process(), 1);
    let mut two = open(disk.process(), 2);
    let tail = add(&mut one, b"of one");
    read_all(&mut two);
    assert_eq!(sync(&mut two).unwrap().position, tail.position);
    let syncs = disk.count("sync");
    assert_eq!(sync(&mut one).unwrap().position, tail.position);
    assert_eq!(disk.count("sync"), syncs);
    assert_eq!(one.durable(), tail.position);
}

#[test]
fn a_torn_or_foreign_watermark_is_ignored() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, b"one");
    sync(&mut log).unwrap();
    let mut mark = disk.shared();
    mark[24] ^= 1;
    disk.set_shared(mark);
    let mut opened = open(disk.process(), 2);
    assert_eq!(opened.durable(), Position(0), "nothing else says more");
    assert_eq!(read_all(&mut opened).1, tail);

    let other = SimDisk::new();
    let mut foreign = ByteLog::create(other.process(), Options::new(Author(3)), StoreId([1; 16])).unwrap();
    add(&mut foreign, &[0; 3000]);
    sync(&mut foreign).unwrap();
    disk.set_shared(other.shared());
    assert_eq!(read_all(&mut open(disk.process(), 4)).1, tail);
}

#[test]
fn an_entry_longer_than_a_frame_and_than_a_segment_comes_back_whole() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let large: Vec<u8> = (0..3_500_000_u32).map(|i| (i * 7) as u8).collect();
    add(&mut log, b"a");
    add(&mut log, &large);
    add(&mut log, b"z");
    let (payloads, tail) = read_all(&mut open(disk.process(), 2));
    assert_eq!(payloads.len(), 3);
    assert!(payloads[1] == large);
    assert_eq!(read_all(&mut log).1, tail);
}

#[test]
fn opening_tells_no_store_from_another_folder_and_from_a_store_that_lost_its_segments() {
    let options = Options::new(Author(1));
    let code = |disk: SimDisk| ByteLog::create(disk, options, STORE).unwrap_err().code();
    assert_eq!(ByteLog::open(SimDisk::new(), options).unwrap_err().code(), Code::NoStore);

    let disk = SimDisk::new();
    disk.edit("photo.jpg", |bytes| bytes.push(1));
    assert_eq!(code(disk.process()), Code::NotAStore);

    // What a power cut may leave of a store that was just being made.
    for left in ["reserve", "guard", "0000000001.seg.0000000000000001-0.tmp"] {
        let disk = SimDisk::new();
        disk.edit(left, |bytes| bytes.push(0));
        assert!(ByteLog::create(disk.process(), options, STORE).is_ok(), "{left}");
    }

    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, b"one");
    sync(&mut log).unwrap();
    let mark = disk.shared();
    disk.clear();
    disk.set_shared(mark);
    assert_eq!(code(disk.process()), Code::Corrupt);

    for (at, expected) in [(0, Code::Corrupt), (50, Code::Corrupt)] {
        let disk = SimDisk::new();
        open(disk.process(), 1);
        disk.edit("0000000001.seg", |bytes| bytes[at] ^= 1);
        assert_eq!(code(disk.process()), expected);
    }
}

#[test]
fn a_segment_that_is_missing_in_the_middle_is_damage() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    for _ in 0..4 {
        add(&mut log, &[1; 5000]);
    }
    sync(&mut log).unwrap();
    disk.process().remove("0000000002.seg").unwrap();
    let mut opened = open(disk.process(), 2);
    let floor = opened.floor().unwrap();
    let error = opened.read(&floor, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.code(), Code::Corrupt, "{error}");
}

#[test]
fn every_flipped_bit_before_the_durable_mark_is_refused() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    for payload in [&[1; 50][..], b"", &[2; 4100], b"in the second segment", &[3; 80]] {
        add(&mut log, payload);
    }
    let durable = sync(&mut log).unwrap().position;
    let tail = add(&mut log, b"behind the mark");
    let (payloads, _) = read_all(&mut log);
    let image = disk.after_crash(Survive::Kept);
    let second = 96 + (durable.0 as usize - (disk.bytes("0000000001.seg").len() - 96));
    for name in ["0000000001.seg", "0000000002.seg"] {
        for at in 0..disk.bytes(name).len() {
            let flipped = image.after_crash(Survive::Kept);
            flipped.edit(name, |bytes| bytes[at] ^= 1 << (at % 8));
            let behind = name == "0000000002.seg" && at >= second;
            let opened = ByteLog::open(flipped, Options::new(Author(2)));
            let read = opened.and_then(|mut log| {
                let floor = log.floor()?;
                let mut found = Vec::new();
                let end = log.read(&floor, &mut |stored| {
                    found.push(stored.payload.to_vec());
                    Ok(())
                })?;
                Ok((found, end))
            });
            match read {
                Ok((found, end)) => {
                    assert!(behind, "byte {at} of {name} was taken");
                    assert_eq!(found, payloads[..5]);
                    assert!(end.position == durable && end.position < tail.position);
                }
                Err(error) => {
                    assert!(!behind, "byte {at} of {name}: {error}");
                    assert_eq!(error.code(), Code::Corrupt, "byte {at} of {name}");
                }
            }
        }
    }
}

#[test]
fn a_torn_snapshot_is_never_taken() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, b"one");
    sync(&mut log).unwrap();
    let name = SnapshotName { end: tail.revision, author: Author(1) };
    let mut pieces = vec![vec![3; 100], vec![], vec![2; 10]];
    log.publish_snapshot(&mut under_name(name, || Ok(pieces.pop()))).unwrap();
    let file = disk.files().into_iter().find(|name| name.contains(".snap")).unwrap();
    let whole = disk.bytes(&file);
    let read = |log: &mut ByteLog<SimDisk>| {
        let mut bytes = Vec::new();
        log.read_snapshot(name, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .map(|()| bytes)
    };
    assert_eq!(read(&mut log).unwrap(), [&[2; 10][..], &[3; 100]].concat());
    for cut in 0..whole.len() {
        disk.edit(&file, |bytes| *bytes = whole[..cut].to_vec());
        assert_eq!(log.snapshots().unwrap(), [name], "cut at {cut}: it is listed, so that somebody is told");
        assert_eq!(read(&mut log).unwrap_err().code(), Code::Corrupt, "cut at {cut}");
        disk.edit(&file, |bytes| {
            bytes.clone_from(&whole);
            bytes[cut] ^= 0x10;
        });
        assert_eq!(read(&mut log).unwrap_err().code(), Code::Corrupt, "flip at {cut}");
    }
    disk.edit(&file, |bytes| *bytes = [&whole[..], b"x"].concat());
    assert_eq!(read(&mut log).unwrap_err().code(), Code::Corrupt);
    disk.edit(&file, |bytes| bytes.clone_from(&whole));
    assert_eq!(log.snapshots().unwrap(), [name]);

    // A whole one of another store is none of this one's.
    disk.edit(&file, |bytes| {
        bytes[8..24].fill(1);
        let sum = crc32fast::hash(&bytes[..40]).to_le_bytes();
        bytes[40..44].copy_from_slice(&sum);
    });
    assert_eq!(log.snapshots().unwrap(), []);
    assert_eq!(read(&mut log).unwrap_err().code(), Code::Corrupt);
    disk.edit(&file, |bytes| bytes.clone_from(&whole));

    // One that fails on its way leaves nothing.
    let next = SnapshotName { end: Revision(9), author: Author(1) };
    let failed = log.publish_snapshot(&mut under_name(next, || Err(Error::new(Code::Cancelled, "no")))).unwrap_err();
    assert_eq!(failed.code(), Code::Cancelled);
    assert_eq!(log.snapshots().unwrap(), [name]);
    assert!(!disk.files().iter().any(|name| name.contains(".tmp")));
}

#[test]
fn a_second_handle_of_a_process_sees_and_excludes() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    add(&mut log, b"one");
    let mut second = log.reopen().unwrap();
    let tail = add(&mut log, b"two");
    assert_eq!(read_all(&mut *second).1, tail);
    log.section(0, &mut |_| {
        assert_eq!(second.section(0, &mut |_| Ok(())).unwrap_err().code(), Code::LockTimeout);
        Ok(())
    })
    .unwrap();
    let end = second.append(&tail, &[draft(&tail, b"three")]).unwrap();
    assert_eq!(read_all(&mut log), (vec![b"one".to_vec(), b"two".to_vec(), b"three".to_vec()], end));
}

#[test]
fn an_append_that_somebody_aborted_in_the_middle_is_skipped_and_counted() {
    // Written by hand: no handle leaves one behind.
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, b"before");
    let (salt, mut bytes) = (frame::Salt::of(STORE), Vec::new());
    frame::encode(salt, &tail, Position(0), 10, &draft(&tail, &[7; 30]), &mut bytes).unwrap();
    bytes.truncate(2 * (frame::HEADER + 10));
    let part = Position(tail.position.0 + (frame::HEADER + 10) as u64);
    let link = frame::Header::read(salt, part, &bytes[frame::HEADER + 10..]).unwrap().link;
    let at = Tail { position: Position(tail.position.0 + bytes.len() as u64), link, ..tail };
    let other = Draft { author: Author(2), ..draft(&tail, b"other") };
    frame::encode(salt, &at, Position(0), 10, &other, &mut bytes).unwrap();
    disk.edit("0000000001.seg", |file| file.extend_from_slice(&bytes));
    let mut opened = open(disk.process(), 3);
    assert_eq!(read_all(&mut opened).0, [&b"before"[..], b"other"]);
    assert_eq!(opened.stats().unwrap().aborted, 1);
    add(&mut opened, b"behind");
    assert_eq!(read_all(&mut log).0, [&b"before"[..], b"other", b"behind"]);
    assert_eq!(log.stats().unwrap().aborted, 1);
}

#[test]
fn a_closed_handle_made_everything_durable_and_answers_no_more() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let tail = add(&mut log, b"one");
    log.close().unwrap();
    log.close().unwrap();
    assert_eq!(log.read(&tail, &mut |_| Ok(())).unwrap_err().code(), Code::Closed);
    assert_eq!(log.section(0, &mut |_| Ok(())).unwrap_err().code(), Code::Closed);
    assert_eq!(log.syncer().sync().unwrap_err().code(), Code::Closed);
    assert_eq!(read_all(&mut open(disk.after_crash(Survive::Dropped), 2)).1, tail);
}

#[test]
fn b8_s3_a_snapshot_goes_to_the_disk_while_the_journal_goes_on_and_has_its_name_last() {
    let disk = SimDisk::new();
    let mut log = open(disk.process(), 1);
    let begin = add(&mut log, b"one");
    let (mut given, mut used) = (0, disk.used());
    let mut other = open(disk.process(), 2);
    log.publish_snapshot(&mut || {
        if given < 5 {
            assert!(given == 0 || disk.used() >= used + 1000, "it was not kept in memory");
            (given, used) = (given + 1, disk.used());
            return Ok(Piece::Bytes(vec![given; 1000]));
        }
        // The journal has gone on meanwhile.
        let end = add(&mut other, b"two");
        sync(&mut other).unwrap();
        assert!(end.revision > begin.revision);
        Ok(Piece::Name(SnapshotName { end: end.revision, author: Author(1) }))
    })
    .unwrap();
    let name = SnapshotName { end: Revision(begin.revision.0 + 1), author: Author(1) };
    let mut after = open(disk.after_crash(Survive::Dropped), 3);
    assert_eq!(after.snapshots().unwrap(), [name]);
    let mut len = 0;
    after
        .read_snapshot(name, &mut |piece| {
            len += piece.len();
            Ok(())
        })
        .unwrap();
    assert_eq!(len, 5000);
}

#[test]
fn what_a_dead_author_left_of_a_snapshot_goes_with_the_next_one_that_was_begun_later() {
    let disk = SimDisk::new();
    let (dying, mut log) = (disk.process(), open(disk.process(), 2));
    add(&mut log, b"one");
    let mut dead = open(dying.handle(), 1);
    add(&mut dead, b"two");
    let cut = dead.publish_snapshot(&mut || {
        dying.die();
        Ok(Piece::Bytes(vec![1; 100]))
    });
    assert!(cut.is_err() && disk.files().iter().any(|name| name.contains(".tmp")), "{:?}", disk.files());
    let end = add(&mut log, b"three");
    sync(&mut log).unwrap();
    let name = SnapshotName { end: end.revision, author: Author(2) };
    log.publish_snapshot(&mut under_name(name, || Ok(None))).unwrap();
    assert!(!disk.files().iter().any(|name| name.contains(".tmp")), "{:?}", disk.files());
}
