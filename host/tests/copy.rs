//! A store's directory is copied, file by file in the order of the directory, while it is written.
#![allow(clippy::unwrap_used)]

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tenure::{Code, Options, SnapshotPolicy, Store};

const COPIES: u32 = 200;

fn options() -> Options {
    let snapshots = SnapshotPolicy { automatic: false, ..SnapshotPolicy::default() };
    Options::new().segment_bytes(24 << 10).snapshots(snapshots)
}

/// Writes until it is told to end, and notes the digest at each revision.
fn write(store: &Store, digests: &Mutex<HashMap<u64, u64>>, acked: &AtomicU64, end: &AtomicBool) {
    let mut round = 0_u32;
    while !end.load(Ordering::Acquire) {
        let note = || {
            let (revision, digest) = store.weak().digest().unwrap();
            digests.lock().unwrap().insert(revision.0, digest);
            acked.store(revision.0, Ordering::Release);
        };
        store.add_many("map", (0..3).map(|i| format!("{round}-{i}").repeat(20))).unwrap();
        note();
        let task = store.claim(&["map"], Duration::from_mins(1)).unwrap().unwrap();
        note();
        store.finish(&task).unwrap();
        note();
        store.put("t", &(round % 50).to_string(), round.to_string()).unwrap();
        note();
        if round.is_multiple_of(40) {
            store.snapshot().unwrap();
            note();
        }
        round += 1;
    }
}

/// Copies; between two files `pause` passes.
fn copy(from: &Path, to: &Path, pause: impl Fn()) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        pause();
        // A file may be let go of before its turn comes.
        let _ = fs::copy(entry.path(), to.join(entry.file_name()));
    }
}

#[test]
fn a_copy_under_load_opens_to_an_exact_prefix_of_history_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = options().open(&place).unwrap();
    let (digests, acked, end) = (Mutex::new(HashMap::new()), AtomicU64::new(0), AtomicBool::new(false));
    let mut opened = Vec::new();
    let mut refused = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| write(&store, &digests, &acked, &end));
        for number in 0..COPIES {
            let to = folder.path().join(format!("copy-{number}"));
            let before = acked.load(Ordering::Acquire);
            // Every second copy is a slow one: some revisions come between two of its files.
            let slow = u64::from(number % 2) * 7;
            copy(&place, &to, || {
                let until = acked.load(Ordering::Acquire) + slow;
                while acked.load(Ordering::Acquire) < until {
                    std::thread::yield_now();
                }
            });
            match options().create(false).open(&to) {
                Ok(copy) => opened.push((before, copy.digest().unwrap())),
                Err(error) => {
                    assert!(matches!(error.code(), Code::Corrupt | Code::NoStore | Code::NotAStore), "{error:?}");
                    refused.push(error);
                }
            }
            fs::remove_dir_all(&to).unwrap();
        }
        end.store(true, Ordering::Release);
    });
    let digests = digests.into_inner().unwrap();
    let mut short = 0;
    for (before, (revision, digest)) in &opened {
        assert_eq!(digests.get(&revision.0).unwrap_or(digest), digest, "revision {revision} of a copy");
        short += u32::from(revision.0 < *before);
    }
    eprintln!(
        "{} copies opened, {short} of them short of what was acknowledged before; {} refused",
        opened.len(),
        refused.len()
    );
    for error in refused.iter().take(3) {
        eprintln!("  {error}");
    }
    assert_eq!(short, 0, "a copy that opens holds all that was acknowledged before it was begun");
    assert!(!opened.is_empty());
}
