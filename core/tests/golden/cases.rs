//! What the golden stores hold, and how each is made: fixed ids, authors, clocks.

use tenure_core::{
    Author, Limits, OwnerId, Position, Result, Revision, StoreId,
    bytelog::{ByteLog, Options},
    driver::Driver,
    engine::Setup,
    entry::{EntryHead, EntryKind, Op, Reason, write_head, write_op},
    frame::{self, HEADER, Salt},
    json::{read_claim, read_request},
    port::{Draft, Journal, Tail, under_name},
    request::Committed,
    snapshot::pack,
    testing::{Lost, SimDisk},
    txn::Ask,
};

use crate::fixture::Case;

const STORE: StoreId = StoreId(*b"tenure golden v1");
const NOW: u64 = 1_700_000_000_000;

/// Segments and frames as small as the case needs.
#[derive(Clone, Copy)]
pub struct Sizes {
    segment: u64,
    frame: usize,
}

/// The sizes that users have.
const USUAL: Sizes = Sizes { segment: 16 << 20, frame: 1 << 20 };
/// Sizes by which a few entries make several segments and parts.
pub const SMALL: Sizes = Sizes { segment: 600, frame: 100 };

pub const CASES: &[Case] = &[
    Case { name: "plain", make: plain },
    Case { name: "all-ops", make: all_ops },
    Case { name: "split", make: split },
    Case { name: "segments", make: segments },
    Case { name: "snapshot", make: snapshot },
    Case { name: "exclusive", make: exclusive },
    Case { name: "torn", make: torn },
    Case { name: "healed", make: healed },
];

pub fn open(disk: &SimDisk, number: u64, sizes: Sizes) -> Driver {
    let options = Options { segment_bytes: sizes.segment, max_frame: sizes.frame, ..Options::new(Author(number)) };
    let journal = ByteLog::create(disk.process(), options, STORE).unwrap();
    let setup = Setup {
        limits: Limits::DEFAULT,
        owner: OwnerId(number % 1000),
        actor: format!("golden:{}", number % 1000).into(),
        author: Author(number),
        seed: number,
    };
    Driver::open(Box::new(journal), setup, 0, &|| NOW).unwrap()
}

pub fn update(driver: &mut Driver, request: &str) -> Result<Committed> {
    update_at(driver, NOW, request)
}

fn update_at(driver: &mut Driver, now: u64, request: &str) -> Result<Committed> {
    let request = read_request(request.as_bytes()).unwrap();
    driver.ask(Ask::Update(&request), &|| now).map(|done| done.committed)
}

fn claim(driver: &mut Driver, claim: &str) -> Vec<u64> {
    let claim = read_claim(claim.as_bytes()).unwrap().claim;
    let done = driver.ask(Ask::Claim(&claim), &|| NOW).unwrap();
    done.committed.tasks.iter().map(|task| task.id.0).collect()
}

fn all(driver: &mut Driver, requests: &[&str]) {
    for request in requests {
        update(driver, request).unwrap_or_else(|error| panic!("{request}: {error}"));
    }
}

fn sync(driver: &mut Driver) {
    let synced = driver.syncer().sync().unwrap();
    driver.note_synced(&synced);
}

/// Everything is durable, and the watermark says so.
fn closed(mut driver: Driver, disk: SimDisk) -> SimDisk {
    driver.journal().close().unwrap();
    disk
}

/// An entry that no driver would write now.
fn append(driver: &mut Driver, kind: EntryKind, author: u64, ops: &[Op<'_>]) {
    let at = *driver.engine().tail();
    let head =
        EntryHead { now: NOW, owner: OwnerId(9), actor: "golden:9".into(), request: None, ops: ops.len() as u32 };
    let mut payload = Vec::new();
    write_head(&mut payload, &head);
    for op in ops {
        write_op(&mut payload, op);
    }
    let draft =
        Draft { kind, revision: Revision(at.revision.0 + 1), next_id: at.next_id, author: Author(author), payload };
    driver
        .journal()
        .section(0, &mut |journal: &mut dyn Journal| {
            journal.append(&at, std::slice::from_ref(&draft)).unwrap();
            Ok(())
        })
        .unwrap();
    driver.catch_up(&|| NOW).unwrap();
}

/// Adds, a claim, a finish with its output, a record.
fn plain() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, USUAL);
    all(&mut driver, &[r#"{"adds":[{"group":"map","data":"part-1"},{"group":"map","data":"part-2","delay":5000}]}"#]);
    assert_eq!(claim(&mut driver, r#"{"groups":["map"],"lease":60000}"#), [3]);
    all(
        &mut driver,
        &[
            r#"{"deletes":[{"id":3,"reason":"finished"}],"adds":[{"group":"reduce","data":"7"}]}"#,
            r#"{"puts":[{"table":"out","key":"part-1","value":"7 words"}]}"#,
        ],
    );
    closed(driver, disk)
}

/// Every kind of entry, every op and reason, every optional field, texts that are no plain ASCII, and bytes that are
/// no text.
fn all_ops() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 0xFEDC_BA98_7654_3210, USUAL);
    let own = |driver: &mut Driver, requests: &[&str]| all(driver, requests);
    own(
        &mut driver,
        &[
            r#"{"owner":7,"request_id":"first","adds":[{"group":"a","data":"x","key":"k1"},{"group":"a","data_base64":"AP+AAQ==","available_at":1},{"group":"größe ☃","data":"","delay":9007199}]}"#,
            r#"{"owner":7,"increments":[{"table":"n","key":"left","by":-5,"min":-10},{"table":"n","key":"left","by":-3}],"request_id":"count"}"#,
            r#"{"owner":7,"puts":[{"table":"t","key":"binary","value_base64":"//79/A=="},{"table":"t","key":"schlüssel","value":"wert"},{"table":"t","key":"soon","value":"gone","expires_at":1700000001000},{"table":"t","key":"late","value":"stays","expires_at":9007199254740991},{"table":"_groups","key":"a","value":"{\"paused\":false,\"color\":\"red\"}"}]}"#,
        ],
    );
    assert_eq!(
        claim(&mut driver, r#"{"owner":8,"groups":["a"],"limit":2,"lease":30000,"order":"oldest","request_id":"c"}"#),
        [4, 5]
    );
    own(
        &mut driver,
        &[
            r#"{"owner":8,"updates":[{"id":4,"verb":"renew","delay":90000}]}"#,
            r#"{"owner":8,"updates":[{"id":5,"verb":"fail","error":"no route: „host“","delay":250}]}"#,
            r#"{"owner":8,"updates":[{"id":7,"data":"new data","group":"b","error":"noted"},{"id":6,"verb":"release"}]}"#,
            r#"{"owner":9,"updates":[{"id":9,"verb":"requeue","group":"b"},{"id":8,"data_base64":"gICA"}]}"#,
            r#"{"adds":[{"group":"b","key":"k2","data":"one"}]}"#,
            r#"{"adds":[{"group":"b","key":"k2","data":"two","if_exists":"replace"},{"group":"b","key":"k3"},{"group":"b","key":"k4"},{"group":"b","key":"k5"},{"group":"b","key":"k6"}]}"#,
            r#"{"deletes":[{"id":14,"reason":"finished"},{"id":15,"reason":"failed"},{"id":16,"reason":"cancelled"},{"id":17,"reason":"moved"},3]}"#,
            r#"{"removes":[{"table":"t","key":"binary"}],"depends":[{"origin":1}]}"#,
        ],
    );
    // The sweep of what expired goes with another's transaction.
    update_at(&mut driver, NOW + 2000, r#"{"depends":[{"origin":2}],"depends_only":true}"#).unwrap();
    append(&mut driver, EntryKind::Noop, 9, &[]);
    append(&mut driver, EntryKind::SnapshotBegun, 9, &[]);
    append(&mut driver, EntryKind::Upgrade, 9, &[Op::Level(1)]);
    driver.hand_off(false, &|| NOW).unwrap();
    driver.release(&|| NOW).unwrap();
    // A reason that only an older or a newer program may give alone, and an error that is taken away.
    append(&mut driver, EntryKind::Transaction, 9, &[Op::Remove { id: 13.into(), reason: Reason::Replaced }]);
    closed(driver, disk)
}

/// Entries over several frames, one of exactly one frame, and an append that was begun and never finished, with
/// another entry behind it.
fn split() -> SimDisk {
    let disk = SimDisk::new();
    let sizes = Sizes { segment: 16 << 20, frame: 64 };
    let mut driver = open(&disk, 1, sizes);
    let long = (0..40).map(|i| format!("{i:04}")).collect::<Vec<_>>().join(" ") + " ";
    all(
        &mut driver,
        &[
            &format!(r#"{{"adds":[{{"group":"long","data":"{long}"}}]}}"#),
            r#"{"adds":[{"group":"short"}]}"#,
            // Head 17, op 9 + 5 + the data, which fills one frame to its last byte.
            &format!(r#"{{"puts":[{{"table":"t","key":"k","value":"{}"}}]}}"#, "v".repeat(39)),
        ],
    );
    let tail = *driver.engine().tail();
    drop(closed(driver, disk.process()));
    disk.edit("0000000001.seg", |bytes| abort_and_go_on(bytes, &tail, sizes.frame));
    drop(closed(open(&disk, 3, sizes), disk.process()));
    disk
}

/// Two of four parts of an entry, and behind them a whole entry of the same revision, by another author.
fn abort_and_go_on(bytes: &mut Vec<u8>, tail: &Tail, max_frame: usize) {
    let salt = Salt::of(STORE);
    let draft = |author, payload: Vec<u8>| Draft {
        kind: EntryKind::Transaction,
        revision: Revision(tail.revision.0 + 1),
        next_id: tail.next_id,
        author: Author(author),
        payload,
    };
    let mut parts = Vec::new();
    frame::encode(salt, tail, tail.position, max_frame, &draft(1, vec![0; 4 * max_frame]), &mut parts).unwrap();
    let second = HEADER + max_frame;
    let at = Position(tail.position.0 + second as u64);
    let link = frame::Header::read(salt, at, &parts[second..]).unwrap().link;
    parts.truncate(2 * second);
    let behind = Tail { position: Position(tail.position.0 + parts.len() as u64), link, ..*tail };
    let mut payload = Vec::new();
    let head = EntryHead { now: NOW, owner: OwnerId(2), actor: "golden:2".into(), request: None, ops: 1 };
    write_head(&mut payload, &head);
    write_op(&mut payload, &Op::Remove { id: 2.into(), reason: Reason::Finished });
    frame::encode(salt, &behind, tail.position, max_frame, &draft(2, payload), &mut parts).unwrap();
    bytes.extend_from_slice(&parts);
}

/// Several segments with their seals, the first of them let go below the older of two snapshots.
fn segments() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, SMALL);
    for round in 0..3 {
        for task in 0..4 {
            all(&mut driver, &[&format!(r#"{{"adds":[{{"group":"g{round}","data":"task {task} of {round}"}}]}}"#)]);
        }
        let claimed = claim(&mut driver, &format!(r#"{{"groups":["g{round}"],"limit":2,"order":"oldest"}}"#));
        all(&mut driver, &[&format!(r#"{{"deletes":[{{"id":{},"reason":"finished"}}]}}"#, claimed[0])]);
        driver.snapshot(&|| NOW).unwrap();
    }
    all(&mut driver, &[r#"{"adds":[{"group":"last","data":"behind all snapshots"}]}"#]);
    closed(driver, disk)
}

/// A snapshot that was walked in slices while commits went on: items of several moments, and a replay that meets
/// some of them again, and some not at all.
fn snapshot() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, USUAL);
    for i in 0..40 {
        let add = format!(r#"{{"group":"g{}","data":"{}","key":"k{i}"}}"#, i % 3, "payload ".repeat(i % 5));
        all(&mut driver, &[&format!(r#"{{"adds":[{add}],"request_id":"r{i}"}}"#)]);
    }
    all(
        &mut driver,
        &[
            r#"{"puts":[{"table":"t","key":"a","value":"1"},{"table":"t","key":"b","value":"2"},{"table":"u","key":"c","value_base64":"/w=="}]}"#,
        ],
    );
    let mut walk = driver.begin_snapshot(&|| NOW).unwrap();
    let (mut chunks, mut slices) = (Vec::new(), 0);
    while let Some((kind, raw)) = driver.slice(&mut walk.walk, 8) {
        chunks.push(pack(kind, &raw));
        slices += 1;
        match slices {
            // Head, tasks 1 to 8, 9 to 16: what follows changes what was walked and what was not.
            3 => all(
                &mut driver,
                &[
                    r#"{"deletes":[{"id":2,"reason":"finished"},{"id":30,"reason":"failed"}],"adds":[{"group":"new","data":"into a free slot"}]}"#,
                    r#"{"updates":[{"id":5,"data":"changed behind the walk"},{"id":33,"data":"changed before the walk"}],"request_id":"mid"}"#,
                ],
            ),
            4 => {
                claim(&mut driver, r#"{"groups":["g0","g1"],"limit":20,"order":"oldest"}"#);
                all(
                    &mut driver,
                    &[r#"{"removes":[{"table":"t","key":"a"}],"puts":[{"table":"a","key":"z","value":"3"}]}"#],
                );
            }
            5 => all(&mut driver, &[r#"{"deletes":[{"id":43,"reason":"cancelled"}]}"#]),
            _ => {}
        }
    }
    sync(&mut driver);
    let end = walk.walk.end().revision;
    let name = tenure_core::port::SnapshotName { end, author: Author(1) };
    let mut chunks = chunks.into_iter();
    walk.journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
    all(&mut driver, &[r#"{"adds":[{"group":"after","data":"the snapshot"}]}"#]);
    closed(driver, disk)
}

/// An author has the store for itself; an entry of another one behind that does not count.
fn exclusive() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, USUAL);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"shared"}]}"#]);
    driver.hand_off(false, &|| NOW).unwrap();
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"alone"}]}"#]);
    append(&mut driver, EntryKind::Transaction, 2, &[Op::Remove { id: 1.into(), reason: Reason::Deleted }]);
    append(&mut driver, EntryKind::Release, 2, &[]);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"still alone"}]}"#]);
    closed(driver, disk)
}

/// What a crash leaves: behind the durable mark a whole entry, and a frame of which the end is missing.
fn torn() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, USUAL);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"durable"}]}"#]);
    sync(&mut driver);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"whole, and not known to be durable"}]}"#]);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"torn"}]}"#]);
    drop(driver);
    disk.edit("0000000001.seg", |bytes| bytes.truncate(bytes.len() - 7));
    disk
}

/// A sync failed, and what lay behind the durable mark was written again into the next segment.
fn healed() -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = open(&disk, 1, USUAL);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"durable"}]}"#]);
    sync(&mut driver);
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"written twice"}]}"#]);
    disk.fail_syncs(1, Lost::Medium);
    driver.syncer().sync().unwrap_err();
    driver.heal().unwrap();
    all(&mut driver, &[r#"{"adds":[{"group":"g","data":"behind"}]}"#]);
    closed(driver, disk)
}
