//! A store in a folder, from the first add to the second opening.

use std::{sync::Barrier, thread, time::Duration};

use tenure::{Code, Options, Store};

const LEASE: Duration = Duration::from_mins(1);

#[test]
fn what_was_committed_is_there_when_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("work.tenure");
    let store = Store::open(&path).unwrap();
    let tasks = store.add_many("map", ["a", "b", "c"]).unwrap();
    store.put("t", "k", "v").unwrap();
    let claimed = store.claim(&["map"], LEASE).unwrap().unwrap();
    assert!(claimed.id > tasks[2].id);
    let (revision, digest) = store.digest().unwrap();
    store.close().unwrap();
    assert_eq!(store.add("map", "d").unwrap_err().code(), Code::Closed);

    let store = Store::open(&path).unwrap();
    assert_eq!(store.digest().unwrap(), (revision, digest));
    assert_eq!(store.task(claimed.id).unwrap().unwrap(), claimed);
    let next = store.add("map", "d").unwrap();
    assert!(next.id > claimed.id, "ids are never used again");
}

#[test]
fn a_worker_that_was_too_slow_can_not_commit() {
    let folder = tempfile::tempdir().unwrap();
    let clock = tenure::clock::Clock::test(1_000_000);
    let open = |owner: u64, name: &str| {
        Options::new().clock(clock.clone()).owner(owner).actor(name).open(folder.path().join("s")).unwrap()
    };
    let slow = open(1, "web-1:100");
    let quick = open(2, "web-2:311");
    slow.add("map", "x").unwrap();
    let first = slow.claim(&["map"], Duration::from_secs(5)).unwrap().unwrap();
    clock.advance(Duration::from_secs(6));
    let second = quick.claim(&["map"], LEASE).unwrap().unwrap();
    clock.advance(Duration::from_secs(3));
    let error = slow.finish(&first).unwrap_err();
    assert_eq!(error.code(), Code::LeaseLost);
    assert_eq!(
        error.message(),
        "task 2 was claimed again by owner 2 (web-2:311) 3 s ago and is task 3 now, held until 00:17:46 UTC; \
         your lease ended 00:16:45 UTC: discard this result and claim again"
    );
    quick.finish(&second).unwrap();
    assert_eq!(slow.group("map").unwrap().tasks, 0);
}

#[test]
fn many_threads_commit_in_groups_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("s")).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..50 {
                    store.add("map", format!("{worker}-{i}")).unwrap();
                }
            });
        }
    });
    assert_eq!(store.group("map").unwrap().tasks, 800);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let store = store.clone();
            scope.spawn(move || {
                for held in store.claims(["map"]).idle(Duration::ZERO) {
                    let held = held.unwrap();
                    store
                        .transact(|tx| {
                            tx.finish(&held);
                            tx.increment("done", "n", 1);
                            Ok(())
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(store.group("map").unwrap().tasks, 0);
    assert_eq!(store.get("done", "n").unwrap().unwrap().value.text(), Some("800"));
    let stats = store.stats().unwrap();
    assert!(stats.syncs < 1600, "{} syncs for 1600 transactions", stats.syncs);
}

#[test]
fn a_waiting_claim_gets_what_another_handle_adds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let (one, two) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| one.claim_wait(&["map"], LEASE, Duration::from_secs(30)).unwrap());
        two.add("map", "x").unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().text(), Some("x"));
    });
}

#[test]
fn a_snapshot_makes_the_journal_before_it_superfluous() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = Options::new().segment_bytes(16 << 10).open(&path).unwrap();
    for round in 0..4 {
        let tasks = store.add_many("map", (0..500).map(|i| format!("{round}-{i}"))).unwrap();
        for task in &tasks[..250] {
            store.finish(task).unwrap();
        }
        store.snapshot().unwrap();
    }
    let digest = store.digest().unwrap();
    let stats = store.stats().unwrap();
    assert!(stats.journal.floor.0 > 0, "{stats:?}");
    store.close().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.digest().unwrap(), digest);
    assert_eq!(store.group("map").unwrap().tasks, 1000);
}

#[test]
fn handles_that_open_a_new_store_at_once_never_take_each_other_for_a_full_disk() {
    for _ in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        drop(Options::new().open(&path).unwrap());
        let gate = Barrier::new(6);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let store = Options::new().open(&path).unwrap();
                    gate.wait();
                    store.add("work", "task").unwrap();
                });
            }
        });
    }
}
