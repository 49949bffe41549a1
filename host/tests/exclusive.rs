//! A store that one handle has for itself, on files: E1 to E6 of the design.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod other;

use std::{path::Path, time::Duration};

use other::Other;
use tenure::{Add, Code, Durability, Kind, Options, Request, Result, Sharing, Store};

const LEASE: Duration = Duration::from_mins(1);

fn open(place: &Path, sharing: Sharing) -> Result<Store> {
    Options::new().sharing(sharing).open(place)
}

/// Not a test of its own: the other process of the tests below.
#[test]
#[ignore = "the other process of the tests in this file"]
fn the_other_process() {
    let (role, place) = other::role();
    assert_eq!(role, "have it alone");
    let store = open(&place, Sharing::Exclusive).unwrap();
    store.add("map", "by the one who has it alone").unwrap();
    other::say("alone");
    other::wait();
    store.close().unwrap();
}

#[test]
fn e1_while_one_has_the_store_alone_the_others_are_fenced_until_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let before = open(&place, Sharing::Shared).unwrap();
    before.add("map", "before").unwrap();
    let alone = open(&place, Sharing::Exclusive).unwrap();
    alone.add("map", "alone").unwrap();
    let after = open(&place, Sharing::Shared).unwrap();
    for shared in [&before, &after] {
        let error = shared.add("map", "x").unwrap_err();
        assert_eq!((error.code(), error.kind()), (Code::Fenced, Kind::Fenced), "{error}");
        assert!(error.message().contains("take-over"), "{error}");
        assert_eq!(shared.claim(&["map"], LEASE).unwrap_err().code(), Code::Fenced);
        assert_eq!(shared.group("map").unwrap().tasks, 2, "reading is free");
    }
    assert_eq!(open(&place, Sharing::Exclusive).unwrap_err().code(), Code::Fenced);
    // E6: closing gives it back.
    alone.close().unwrap();
    before.add("map", "after").unwrap();
    after.add("map", "after").unwrap();
    assert_eq!(before.stats().unwrap().exclusive.0, 0);
    assert_eq!(before.stats().unwrap().skipped, 0);
}

#[test]
fn e2_e3_the_one_who_takes_over_has_all_that_was_acknowledged_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let first = open(&place, Sharing::Exclusive).unwrap();
    let tasks = first.add_many("map", ["a", "b", "c"]).unwrap();
    let second = open(&place, Sharing::TakeOver).unwrap();
    assert_eq!(second.weak().group("map").unwrap().tasks, 3, "before anything is staged");
    second.finish(&tasks[0]).unwrap();
    // E5: the first one learns at its next append, and a consistent read of it does not answer from the past.
    let error = first.add("map", "late").unwrap_err();
    assert_eq!(error.code(), Code::Fenced, "{error}");
    assert_eq!(first.group("map").unwrap().tasks, 2);
    assert_eq!(second.group("map").unwrap().tasks, 2);
    // What the fenced one does at its end takes nothing from the second.
    first.close().unwrap();
    second.add("map", "mine").unwrap();
    assert_eq!(open(&place, Sharing::Exclusive).unwrap_err().code(), Code::Fenced, "the second one lives");
    second.close().unwrap();
    open(&place, Sharing::Exclusive).unwrap();
}

#[test]
fn e4_what_was_acknowledged_opportunistically_is_there_or_its_loss_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let options = Options::new().sharing(Sharing::Exclusive).durability(Durability::Opportunistic);
    let first = options.open(&place).unwrap();
    let mut last = first.add("map", "0").unwrap();
    for i in 1..100 {
        last = first.add("map", i.to_string()).unwrap();
    }
    let second = open(&place, Sharing::TakeOver).unwrap();
    let kept = second.group("map").unwrap().tasks;
    // E5: it learns when it writes what it has gathered.
    let late = first.add("map", "late");
    let refused = late.and_then(|_| first.flush()).unwrap_err();
    assert_eq!(refused.code(), Code::Fenced);
    if kept < 100 {
        assert!(refused.message().contains("revision"), "names the first revision that is lost: {refused}");
    } else {
        assert!(second.task(last.id).unwrap().is_some());
    }
    assert_eq!(first.add("map", "later").unwrap_err().code(), Code::Fenced);
    assert_eq!(second.group("map").unwrap().tasks, kept, "what is lost does not come back");
}

#[test]
fn e6_a_dead_one_is_replaced_without_a_flag() {
    for sharing in [Sharing::Shared, Sharing::Exclusive] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("s");
        let before = open(&place, Sharing::Shared).unwrap();
        let mut other = Other::spawn("have it alone", &place);
        other.until("alone");
        // It lives: nobody replaces it.
        assert_eq!(before.add("map", "x").unwrap_err().code(), Code::Fenced);
        assert_eq!(open(&place, Sharing::Shared).unwrap().add("map", "x").unwrap_err().code(), Code::Fenced);
        assert_eq!(open(&place, Sharing::Exclusive).unwrap_err().code(), Code::Fenced);
        other.0.kill().unwrap();
        other.0.wait().unwrap();
        let next = open(&place, sharing).unwrap();
        next.add("map", "x").unwrap();
        assert_eq!(next.group("map").unwrap().tasks, 2);
        let fenced = before.add("map", "x");
        assert_eq!(fenced.is_err(), sharing == Sharing::Exclusive, "{fenced:?}");
        next.close().unwrap();
        before.add("map", "x").unwrap();
        let left = std::fs::read_dir(&place).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        assert_eq!(left.filter(|name| name.starts_with("owner")).count(), 0, "no lock is left behind");
    }
}

#[test]
fn e6_a_handle_that_was_open_before_goes_on_when_the_one_that_had_the_store_alone_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let before = open(&place, Sharing::Shared).unwrap();
    let mut other = Other::spawn("have it alone", &place);
    other.until("alone");
    assert_eq!(before.add("map", "x").unwrap_err().code(), Code::Fenced);
    other.0.kill().unwrap();
    other.0.wait().unwrap();
    before.add("map", "x").unwrap();
    assert_eq!(before.group("map").unwrap().tasks, 2);
}

#[test]
fn one_that_closes_well_leaves_a_store_for_everyone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let mut other = Other::spawn("have it alone", &place);
    other.until("alone");
    let shared = open(&place, Sharing::Shared).unwrap();
    other.go_on();
    other.end();
    let revision = shared.revision().unwrap();
    shared.add("map", "x").unwrap();
    assert_eq!(shared.revision().unwrap().0, revision.0 + 1, "nobody had to be replaced");
}

#[test]
fn taking_a_store_that_is_read_only_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let alone = open(&place, Sharing::Exclusive).unwrap();
    let reader = Options::new().read_only(true).sharing(Sharing::TakeOver).open(&place).unwrap();
    assert_eq!(reader.add("map", "x").unwrap_err().code(), Code::ReadOnly);
    alone.add("map", "x").unwrap();
    drop(reader);
    alone.add("map", "x").unwrap();
}

#[test]
fn a_store_that_was_exclusive_is_added_to_without_its_state_again_once_a_snapshot_found_it_free() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let guard = place.join("guard");
    let alone = open(&place, Sharing::Exclusive).unwrap();
    alone.add("map", "alone").unwrap();
    alone.snapshot().unwrap();
    assert!(guard.exists(), "it is somebody's");
    alone.close().unwrap();
    let shared = open(&place, Sharing::Shared).unwrap();
    assert!(guard.exists(), "nobody has looked yet");
    shared.snapshot().unwrap();
    assert!(!guard.exists());
    let request = Request { adds: vec![Add { group: "map".into(), ..Add::default() }], ..Request::default() };
    Options::new().commit_once(&place, request.clone()).unwrap();
    assert_eq!(shared.group("map").unwrap().tasks, 2);
    shared.close().unwrap();
    let again = open(&place, Sharing::Exclusive).unwrap();
    assert!(guard.exists());
    assert_eq!(Options::new().commit_once(&place, request).unwrap_err().code(), Code::Fenced);
    again.close().unwrap();
}
