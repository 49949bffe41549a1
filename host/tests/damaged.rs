//! A snapshot that was damaged on the disk.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use tenure::{Options, SnapshotPolicy, Store};

fn open(path: &std::path::Path) -> Store {
    let automatic = SnapshotPolicy { automatic: false, ..SnapshotPolicy::default() };
    Options::new().snapshots(automatic).open(path).unwrap()
}

fn snapshots(path: &std::path::Path) -> Vec<PathBuf> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = names.filter(|name| name.extension().is_some_and(|end| end == "snap")).collect();
    found.sort();
    found
}

#[test]
fn of_a_damaged_snapshot_the_older_one_takes_the_place_wherever_the_damage_lies() {
    // The file's own header, the head chunk, the items, the trailer.
    for part in [30, 60, 400, usize::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = open(&path);
        store.add_many("a", (0..100).map(|i| format!("task {i}"))).unwrap();
        store.snapshot().unwrap();
        store.add("a", "between").unwrap();
        store.snapshot().unwrap();
        store.add("a", "behind").unwrap();
        let digest = store.digest().unwrap();
        store.close().unwrap();
        let [good, newest] = &snapshots(&path)[..] else { panic!("{:?}", snapshots(&path)) };
        let mut bytes = fs::read(newest).unwrap();
        let at = part.min(bytes.len() - 1);
        bytes[at] ^= 1;
        fs::write(newest, bytes).unwrap();

        let store = open(&path);
        assert_eq!(store.digest().unwrap(), digest, "damage at {at}");
        assert!(store.stats().unwrap().snapshot_error.is_some(), "damage at {at} was not told");
        assert!(tenure::verify::verify(&path).is_err(), "damage at {at} was passed");
        store.snapshot().unwrap();
        assert!(store.stats().unwrap().snapshot_error.is_none());
        let kept = snapshots(&path);
        assert!(kept.contains(good), "the good one went, and {kept:?} stayed");
        assert!(!kept.contains(newest), "the damaged one stayed: {kept:?}");
        store.close().unwrap();
        assert!(tenure::verify::verify(&path).is_ok(), "damage at {at}");
    }
}

#[test]
fn a_snapshot_that_is_damaged_while_the_store_is_open_is_not_kept_in_the_place_of_a_good_one() {
    for part in [30, 60, usize::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = open(&path);
        for name in ["first", "second"] {
            store.add("a", name).unwrap();
            store.snapshot().unwrap();
        }
        let [good, newest] = &snapshots(&path)[..] else { panic!("{:?}", snapshots(&path)) };
        let mut bytes = fs::read(newest).unwrap();
        let at = part.min(bytes.len() - 1);
        bytes[at] ^= 1;
        fs::write(newest, bytes).unwrap();
        store.add("a", "third").unwrap();
        store.snapshot().unwrap();
        let kept = snapshots(&path);
        assert!(kept.contains(good) && !kept.contains(newest) && kept.len() == 2, "damage at {at}: {kept:?}");
        store.close().unwrap();
        assert!(tenure::verify::verify(&path).is_ok(), "damage at {at}");
    }
}
