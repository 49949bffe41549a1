//! Folders of files as vectors: what stands in them, line by line.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tenure_core::{
    Author, Position, Revision, StoreId, TaskId,
    bytelog::{ByteLog, Options},
    entry::{EntryHead, EntryKind, Image, Op, Reason, write_head, write_op},
    frame::{HEADER, Salt, encode, encode_seal},
    port::{Draft, Journal, SnapshotName, Tail, under_name},
    snapshot::{ChunkKind, End, FORMAT, Head, Piece, pack},
    testing::SimDisk,
};

/// The files of folders.
pub const FILES: [&str; 2] = ["frames", "snapshots"];

const STORE: StoreId = StoreId([7; 16]);
const SEGMENT: &str = "0000000001.seg";

/// What a file of folders is about.
pub fn about(name: &str) -> &'static str {
    if name == "frames" { "Segments, and how their frames are read." } else { "Snapshots, and what is in them." }
}

/// A folder as a simulated disk.
pub fn read(folder: &Value) -> SimDisk {
    let disk = SimDisk::new();
    // A log over a simulated disk has its shared bytes elsewhere than in a lock file.
    for (name, hex) in folder["files"].as_object().unwrap().iter().filter(|(name, _)| *name != "lock") {
        let hex = hex.as_str().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        disk.edit(name, |file| *file = bytes.collect());
    }
    disk
}

/// A folder's files, by name.
pub fn spell(disk: &SimDisk) -> Value {
    // A folder without a lock file is not taken for a store; an empty one will do.
    let mut files = Map::from_iter([("lock".into(), Value::String(String::new()))]);
    for name in disk.files() {
        let hex = disk.bytes(&name).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        files.insert(name, Value::String(hex));
    }
    Value::Object(files)
}

/// The folders of a file.
pub fn make(name: &str) -> Vec<(&'static str, SimDisk)> {
    if name == "frames" { frames() } else { snapshots() }
}

fn disk_of(frames: &[u8]) -> SimDisk {
    let disk = SimDisk::new();
    drop(ByteLog::create(disk.process(), Options::new(Author(1)), STORE).unwrap());
    disk.edit(SEGMENT, |segment| segment.extend_from_slice(frames));
    disk
}

fn image(id: u64) -> Image<'static> {
    Image {
        id: TaskId(id),
        origin: TaskId(0),
        group: "g".into(),
        key: None,
        available_at: 1_000_000,
        added_at: 1_000_000,
        owner: 0.into(),
        attempt: 0,
        failures: 0,
        error: None,
        data: b"data".as_slice().into(),
    }
}

fn draft(after: &Tail, ops: &[Op<'_>]) -> Draft {
    let head =
        EntryHead { now: 1_000_000, owner: 7.into(), actor: "vectors".into(), request: None, ops: ops.len() as u32 };
    let mut payload = Vec::new();
    write_head(&mut payload, &head);
    for op in ops {
        write_op(&mut payload, op);
    }
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(after.revision.0 + 1),
        next_id: TaskId(after.next_id.0 + 1),
        author: Author(1),
        payload,
    }
}

/// Entries that add one task each, in frames of that size: bytes, and the tail behind each.
fn adds(count: u64, max_frame: usize) -> (Vec<u8>, Vec<Tail>) {
    let (mut bytes, mut tails) = (Vec::new(), vec![Tail::empty(Position(0))]);
    for id in 1..=count {
        let at = tails[tails.len() - 1];
        let draft = draft(&at, &[Op::Save { replaces: TaskId(0), task: image(id) }]);
        tails.push(encode(Salt::of(STORE), &at, Position(0), max_frame, &draft, &mut bytes).unwrap());
    }
    (bytes, tails)
}

fn frames() -> Vec<(&'static str, SimDisk)> {
    let (three, tails) = adds(3, 1 << 20);
    let end = |entry: usize| usize::try_from(tails[entry].position.0).unwrap();
    let changed = |at: usize| {
        let mut bytes = three.clone();
        bytes[at] ^= 1;
        disk_of(&bytes)
    };
    let sealed = [&three[..], &encode_seal(Salt::of(STORE), &tails[3], Position(0), Author(1)).0].concat();
    let (parts, _) = adds(2, 10);
    let foreign = {
        let mut bytes = three[..end(1)].to_vec();
        let draft = draft(&tails[1], &[Op::Remove { id: TaskId(1), reason: Reason::Finished }]);
        encode(Salt::of(StoreId([8; 16])), &tails[1], Position(0), 1 << 20, &draft, &mut bytes).unwrap();
        bytes
    };
    vec![
        ("nothing", disk_of(&[])),
        ("one entry", disk_of(&three[..end(1)])),
        ("three entries", disk_of(&three)),
        ("three entries and a seal", disk_of(&sealed)),
        ("two entries in parts of ten bytes", disk_of(&parts)),
        ("the last part is missing", disk_of(&parts[..parts.len() - HEADER - 8])),
        ("the last frame is cut", disk_of(&three[..three.len() - 1])),
        ("the last header is cut", disk_of(&three[..end(2) + 20])),
        ("a flip in the last header", changed(end(2) + 9)),
        ("a flip in the last payload", changed(end(2) + HEADER + 3)),
        ("a frame of another store", disk_of(&foreign)),
        ("the second entry is left out", disk_of(&[&three[..end(1)], &three[end(2)..]].concat())),
        ("the first entry twice", disk_of(&[&three[..end(1)], &three[..end(1)]].concat())),
    ]
}

fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap()
}

/// A store of three entries with a snapshot that begins behind one of them and ends behind another.
fn with_snapshot(begin: usize, end: usize, pieces: &[Piece<'_>], digest: u64) -> SimDisk {
    let (bytes, tails) = adds(3, 1 << 20);
    let disk = disk_of(&bytes);
    let head = Head {
        format: FORMAT,
        store: STORE,
        begin: tails[begin].revision,
        position: tails[begin].position.0,
        link: tails[begin].link,
        next_id: tails[begin].next_id,
        level: 1,
        exclusive: Author(0),
        tasks: pieces.len() as u64,
    };
    let tail = End {
        end: tails[end].revision,
        position: tails[end].position.0,
        link: tails[end].link,
        next_id: tails[end].next_id,
        digest,
        pieces: pieces.len() as u64,
    };
    let items: Vec<u8> = pieces.iter().flat_map(encoded).collect();
    let chunks =
        [pack(ChunkKind::Head, &encoded(&head)), pack(ChunkKind::Items, &items), pack(ChunkKind::End, &encoded(&tail))];
    let mut journal = ByteLog::open(disk.process(), Options::new(Author(2))).unwrap();
    let mut chunks = chunks.into_iter();
    let name = SnapshotName { end: tails[end].revision, author: Author(2) };
    journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
    disk
}

/// The digest of a store of that many added tasks.
fn digest(tasks: u64) -> u64 {
    (1..=tasks).fold(0, |sum: u64, id| {
        let digest = tenure_core::state::digest::item([
            id,
            id,
            1_000_000,
            1_000_000,
            0,
            0,
            tenure_core::state::digest::text("g"),
            0,
            0,
            u64::from(crc32fast::hash(b"data")) << 32 | 4,
        ]);
        sum.wrapping_add(digest)
    })
}

fn snapshots() -> Vec<(&'static str, SimDisk)> {
    let task = |id| Piece::Task(image(id));
    let many: Vec<Piece<'_>> = vec![
        task(1),
        task(2),
        Piece::Request {
            owner: 7,
            id: "r".into(),
            revision: Revision(2),
            fingerprint: 99,
            ids: vec![(2, 1)],
            counts: vec![-3],
        },
    ];
    let cut = with_snapshot(2, 2, &many, digest(2));
    let name = cut.files().into_iter().find(|name| name.contains(".snap")).unwrap();
    cut.edit(&name, |bytes| bytes.truncate(bytes.len() - 1));
    vec![
        ("behind two entries, with a request", with_snapshot(2, 2, &many, digest(2))),
        ("a walk that began before the entry it saw", with_snapshot(1, 2, &many, digest(2))),
        ("a walk that did not see the entry that came", with_snapshot(1, 3, &[task(1)], digest(3))),
        ("a digest that is not that of the state", with_snapshot(2, 2, &many, digest(3))),
        ("a snapshot that was cut", cut),
    ]
}
