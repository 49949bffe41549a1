//! The committed seeds of the fuzz targets still mean something: each is read, or refused, as its name says.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use tenure_core::{
    Author, Position, StoreId,
    bytelog::{ByteLog, Options},
    entry::Payload,
    frame::{HEADER, Reader, Salt, Step},
    port::Tail,
    snapshot::Loader,
    testing::SimDisk,
};

/// Asks `whole` of every seed of a target. Those that begin with `bad_` must not be.
fn check(target: &str, whole: impl Fn(&str, &[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let (mut good, mut bad) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let damaged = name.starts_with("bad_");
        *if damaged { &mut bad } else { &mut good } += 1;
        assert_eq!(whole(&name, &fs::read(&path).unwrap()), !damaged, "{target}/{name}");
    }
    assert!(good >= 3 && bad >= 3, "{target}: seeds are missing, there are {good} whole and {bad} damaged ones");
}

#[test]
fn entry_seeds_are_read_or_refused_as_their_names_say() {
    check("entry", |_, bytes| Payload::read(bytes).is_ok_and(|mut payload| payload.all(|op| op.is_ok())));
}

#[test]
fn frame_seeds_are_read_or_refused_as_their_names_say() {
    check("frame", |_, bytes| {
        let mut reader = Reader::new(Salt::of(StoreId([7; 16])), &Tail::empty(Position(0)));
        let mut at = 0;
        while at < bytes.len() {
            match reader.next(&bytes[at..]) {
                Step::Entry { used, .. } | Step::Part { used } => at += used,
                Step::Seal { behind } => {
                    at += HEADER;
                    reader.pass(&behind);
                }
                Step::More { .. } | Step::Bad(_) => return false,
            }
        }
        true
    });
}

const GOLDEN: StoreId = StoreId(*b"tenure golden v1");

#[test]
fn snapshot_seeds_are_read_or_refused_as_their_names_say() {
    check("snapshot", |_, bytes| {
        let mut loader = Loader::new(GOLDEN);
        let pieces = bytes[2..].chunks(usize::from(bytes[0]) + 1);
        pieces.into_iter().try_for_each(|piece| loader.feed(piece)).and_then(|()| loader.finish()).is_ok()
    });
}

#[test]
fn journal_seeds_are_opened_or_refused_as_their_names_say() {
    check("journal", |name, bytes| {
        let disk = SimDisk::new();
        // What begins with `made` holds payloads, which the target puts into frames.
        if name.starts_with("made") {
            return bytes[0] == 1;
        }
        disk.edit("0000000001.seg", |segment| *segment = bytes[1..].to_vec());
        ByteLog::open(disk, Options::new(Author(1))).is_ok()
    });
}

#[cfg(feature = "json")]
#[test]
fn request_seeds_are_read_or_refused_as_their_names_say() {
    use tenure_core::json::{read_claim, read_request, read_task_refs};
    check("request", |name, text| match name.split('_').next() {
        Some("claim") => read_claim(text).is_ok(),
        Some("tasks") => read_task_refs(text).is_ok(),
        _ => read_request(text).is_ok(),
    });
}
