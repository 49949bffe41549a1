//! A store that one handle has for itself and that answers before stable storage: appends are gathered.

use std::time::Duration;

use tenure::{Code, Durability, Options, Sharing, Store};

const LEASE: Duration = Duration::from_mins(1);

fn alone() -> Options {
    Options::new()
        .durability(Durability::Opportunistic)
        .sharing(Sharing::Exclusive)
        .flush_every(Duration::from_hours(1))
}

#[test]
fn what_is_gathered_is_there_after_a_close() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = alone().open(&path).unwrap();
    for i in 0..1000 {
        store.add("g", format!("{i}")).unwrap();
    }
    for _ in 0..300 {
        let task = store.claim(&["g"], LEASE).unwrap().unwrap();
        store.finish(&task).unwrap();
    }
    let digest = store.digest().unwrap();
    store.close().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.group("g").unwrap().tasks, 700);
    assert_eq!(store.digest().unwrap().1, digest.1);
}

#[test]
fn a_flush_makes_what_was_gathered_visible_to_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = alone().open(&path).unwrap();
    store.add("g", "x").unwrap();
    store.flush().unwrap();
    let reader = Options::new().read_only(true).open(&path).unwrap();
    assert_eq!(reader.group("g").unwrap().tasks, 1);
}

#[test]
fn snapshots_and_segments_come_and_go_while_appends_are_gathered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = alone().segment_bytes(16 << 10).open(&path).unwrap();
    for round in 0..4 {
        let tasks = store.add_many("g", (0..400).map(|i| format!("{round}-{i}"))).unwrap();
        for task in &tasks[..200] {
            store.finish(task).unwrap();
        }
        store.snapshot().unwrap();
        store.add("h", "behind the snapshot").unwrap();
    }
    assert!(store.stats().unwrap().journal.floor.0 > 0);
    let (_, digest) = store.digest().unwrap();
    store.close().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.digest().unwrap().1, digest);
    assert_eq!(store.group("g").unwrap().tasks, 800);
}

#[test]
fn whoever_is_overtaken_learns_the_first_revision_that_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let first = alone().open(&path).unwrap();
    first.add("g", "kept").unwrap();
    first.flush().unwrap();
    let revision = first.add("g", "lost").map(|_| first.weak().revision().unwrap()).unwrap();
    let second = Options::new().sharing(Sharing::TakeOver).open(&path).unwrap();
    let error = first.flush().unwrap_err();
    assert_eq!(error.code(), Code::Fenced);
    assert!(error.message().contains(&format!("from revision {revision} on")), "{error}");
    assert_eq!(first.add("g", "more").unwrap_err().code(), Code::Fenced);
    assert_eq!(second.group("g").unwrap().tasks, 1);
    second.add("g", "new").unwrap();
}

#[test]
fn dropping_the_last_clone_writes_everything_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(format!("{round}"));
        let store = alone().flush_every(Duration::from_millis(2)).open(&path).unwrap();
        for i in 0..2_000 {
            store.add("g", format!("{i}")).unwrap();
        }
        // While the flusher is at work, as likely as not.
        drop(store);
        let reader = Options::new().read_only(true).open(&path).unwrap();
        assert_eq!(reader.group("g").unwrap().tasks, 2_000, "round {round}");
    }
}
