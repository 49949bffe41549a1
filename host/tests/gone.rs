//! A store's directory that is deleted, or exchanged, while it is open.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use tenure::{Code, Kind, Options, Sharing, Store};

const LEASE: Duration = Duration::from_mins(1);

#[test]
fn a_directory_that_was_deleted_while_it_was_open_is_fenced_and_comes_not_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    let task = store.add("map", "x").unwrap();
    fs::remove_dir_all(&place).unwrap();
    for error in [
        store.add("map", "y").unwrap_err(),
        store.finish(&task).unwrap_err(),
        store.claim(&["map"], LEASE).unwrap_err(),
        store.group("map").unwrap_err(),
        store.snapshot().unwrap_err(),
    ] {
        assert_eq!((error.code(), error.kind()), (Code::Replaced, Kind::Fenced), "{error}");
    }
    let _ = store.close();
    assert!(!place.exists(), "nothing makes it anew");
}

#[test]
fn a_directory_that_was_made_anew_is_another_store_and_stays_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let old = Store::open(&place).unwrap();
    old.add("map", "x").unwrap();
    fs::remove_dir_all(&place).unwrap();
    let new = Store::open(&place).unwrap();
    assert_ne!(new.identity(), old.identity());
    new.add("map", "y").unwrap();
    assert_eq!(old.add("map", "z").unwrap_err().kind(), Kind::Fenced);
    assert_eq!(old.group("map").unwrap_err().kind(), Kind::Fenced);
    assert_eq!(new.group("map").unwrap().tasks, 1);
    // By its files alone, too.
    for entry in fs::read_dir(&place).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(new.add("map", "z").unwrap_err().kind(), Kind::Fenced);
    assert_eq!(Store::open(&place).unwrap_err().code(), Code::Corrupt, "the lock file remembers that a store was here");
}

#[test]
fn a_directory_that_was_moved_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (place, moved) = (folder.path().join("s"), folder.path().join("t"));
    let store = Options::new().sharing(Sharing::Exclusive).open(&place).unwrap();
    store.add("map", "x").unwrap();
    fs::rename(&place, &moved).unwrap();
    store.add("map", "y").unwrap();
    assert!(!place.exists());
    assert_eq!(Options::new().sharing(Sharing::Exclusive).open(&moved).unwrap_err().code(), Code::Fenced);
    store.close().unwrap();
    assert_eq!(Store::open(&moved).unwrap().group("map").unwrap().tasks, 2);
}
