//! Arbitrary bytes as a segment, and entries of arbitrary payloads in frames that are whole: looked at, opened, read
//! and written to, with an answer or an error each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::{
    Add, Author, Limits, OwnerId, Position, Request, Revision, StoreId, TaskId,
    bytelog::{ByteLog, Options},
    driver::Driver,
    engine::Setup,
    entry::EntryKind,
    frame::{Salt, encode},
    inspect::{Show, inspect},
    port::{Draft, Tail},
    testing::SimDisk,
    txn::Ask,
};

const STORE: StoreId = StoreId(*b"tenure golden v1");
const SEGMENT: &str = "0000000001.seg";

fn setup() -> Setup {
    Setup { limits: Limits::DEFAULT, owner: OwnerId(5), actor: "fuzz".into(), author: Author(5), seed: 1 }
}

fn use_store(disk: &SimDisk) {
    let lines = inspect(disk.process(), Show::ALL, &mut |line| {
        assert!(line.starts_with('{'), "{line}");
        Ok(())
    });
    lines.expect("a folder that can be read can be looked at");

    let Ok(log) = ByteLog::open(disk.process(), Options::new(Author(5))) else { return };
    let Ok(mut driver) = Driver::open(Box::new(log), setup(), 0, &|| 1_000) else { return };
    let add = Add { group: "g".into(), ..Add::default() };
    let done = driver.ask(Ask::Update(&Request { adds: vec![add], ..Request::default() }), &|| 1_000);
    let (tail, digest) = (*driver.engine().tail(), driver.engine().state().digest());
    drop(driver);
    if done.is_ok() {
        let log = ByteLog::open(disk.process(), Options::new(Author(6))).expect("what was written to opens again");
        let again = Driver::open(Box::new(log), setup(), 0, &|| 1_000).expect("what was applied applies again");
        assert_eq!((*again.engine().tail(), again.engine().state().digest()), (tail, digest));
    }
}

/// Entries, each with a kind and a length in front, behind the header of an empty segment.
fn entries(mut bytes: &[u8]) -> SimDisk {
    let disk = SimDisk::new();
    drop(ByteLog::create(disk.process(), Options::new(Author(1)), STORE).expect("an empty disk takes a store"));
    let (mut tail, mut written) = (Tail::empty(Position(0)), Vec::new());
    while let Some((&[kind, low, high], rest)) = bytes.split_first_chunk::<3>() {
        let payload = &rest[..usize::from(u16::from_le_bytes([low, high])).min(rest.len())];
        bytes = &rest[payload.len()..];
        let draft = Draft {
            kind: EntryKind::from_number(kind & 7).unwrap_or(EntryKind::Transaction),
            revision: Revision(tail.revision.0 + 1),
            next_id: TaskId(tail.next_id.0 + u64::from(kind >> 4)),
            author: Author(1 + u64::from(kind >> 3 & 1)),
            payload: payload.to_vec(),
        };
        tail =
            encode(Salt::of(STORE), &tail, Position(0), 1 << 10, &draft, &mut written).expect("an entry that follows");
    }
    disk.edit(SEGMENT, |segment| segment.extend_from_slice(&written));
    disk
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&made, bytes)) = bytes.split_first() else { return };
    if made == 0 {
        let disk = SimDisk::new();
        disk.edit(SEGMENT, |segment| *segment = bytes.to_vec());
        use_store(&disk);
    } else {
        use_store(&entries(bytes));
    }
});
