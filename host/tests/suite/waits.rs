//! Claims that wait: who wakes them, and how it ends, wherever the store is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tenure::{Cancel, Claim, Code, Options, clock::Clock};

use crate::place::Place;

const LEASE: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_mins(2);

fn claim(groups: &[&str]) -> Claim {
    Claim { groups: groups.iter().map(ToString::to_string).collect(), ..Claim::default() }
}

/// Waits until so many threads of this handle wait. The handle does not say; the claims that they asked do.
fn until_waiting(started: &AtomicUsize, count: usize) {
    while started.load(Ordering::Acquire) < count {
        thread::yield_now();
    }
}

#[test]
fn a_wait_wakes_when_a_lease_ends_and_when_a_delay_is_over() {
    let clock = Clock::test(1_000_000);
    let place = Place::new(&clock);
    let open = || place.open(&Options::new().clock(clock.clone()));
    let (store, other) = (open(), open());
    other.add("map", "x").unwrap();
    let lost = other.claim(&["map"], Duration::from_secs(5)).unwrap().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.claim_wait(&["map"], LEASE, LONG).unwrap().unwrap());
        while !waiting.is_finished() {
            clock.advance(Duration::from_millis(100));
            thread::yield_now();
        }
        let task = waiting.join().unwrap();
        assert_eq!(task.origin, lost.origin);
        assert!(clock.now() >= 1_005_000);
        store.finish(&task).unwrap();
    });
    let delayed = tenure::Add { group: "map".into(), available: tenure::When::After(60_000), ..tenure::Add::default() };
    let added = other.add_task(delayed).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.claim_wait(&["map"], LEASE, LONG).unwrap().unwrap());
        while !waiting.is_finished() {
            clock.advance(Duration::from_secs(1));
            thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap().origin, added.id);
        assert!(clock.now() >= added.available_at);
    });
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.claim_wait(&["none"], LEASE, LONG).unwrap());
        while !waiting.is_finished() {
            clock.advance(Duration::from_secs(10));
            thread::yield_now();
        }
        assert!(waiting.join().unwrap().is_none(), "the wait's own time is up");
    });
}

#[test]
fn a_waiter_that_leaves_hands_on_the_time_that_it_alone_knew() {
    let clock = Clock::test(1_000_000);
    let place = Place::new(&clock);
    let store = place.open(&Options::new().clock(clock.clone()));
    let started = AtomicUsize::new(0);
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            started.fetch_add(1, Ordering::AcqRel);
            store.claim_until(&claim(&["map"]), None, Some(&cancel))
        });
        let second = scope.spawn(|| {
            started.fetch_add(1, Ordering::AcqRel);
            store.claim_until(&claim(&["map"]), None, None)
        });
        until_waiting(&started, 2);
        // It wakes one of the two, which then knows when the task's time comes.
        store
            .add_task(tenure::Add {
                group: "map".into(),
                available: tenure::When::After(60_000),
                ..tenure::Add::default()
            })
            .unwrap();
        cancel.cancel();
        assert_eq!(first.join().unwrap().unwrap_err().code(), Code::Cancelled);
        let began = Instant::now();
        while !second.is_finished() {
            assert!(began.elapsed() < LONG, "the second waiter was left behind");
            clock.advance(Duration::from_secs(1));
            thread::yield_now();
        }
        assert_eq!(second.join().unwrap().unwrap().tasks.len(), 1);
    });
}

#[test]
fn a_paused_group_that_goes_on_wakes_who_waits_for_it() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    store.pause("map", true).unwrap();
    store.add("map", "x").unwrap();
    assert!(store.claim(&["map"], LEASE).unwrap().is_none());
    let (began, started) = (Instant::now(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            started.fetch_add(1, Ordering::AcqRel);
            store.claim_wait(&["map"], LEASE, LONG).unwrap()
        });
        until_waiting(&started, 1);
        store.pause("map", false).unwrap();
        assert!(waiting.join().unwrap().is_some());
        assert!(began.elapsed() < LONG, "only the end of the wait found it");
    });
}

#[test]
fn wait_empty_ends_with_the_last_task_of_any_handle() {
    let place = Place::new(&Clock::system());
    let (store, other) = (place.open(&Options::new()), place.open(&Options::new()));
    assert!(store.wait_empty(&["map"], Some(0)).unwrap());
    let tasks = store.add_many("map", ["a", "b", "c"]).unwrap();
    assert!(!store.wait_empty(&["map"], Some(0)).unwrap());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.wait_empty(&["map", "none"], None).unwrap());
        for task in &tasks {
            other.finish(task).unwrap();
        }
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn a_watch_sees_every_entry_of_every_handle_once_and_in_order() {
    let place = Place::new(&Clock::system());
    let (store, other) = (place.open(&Options::new()), place.open(&Options::new()));
    store.add("map", "before").unwrap();
    let mut watch = store.watch().unwrap();
    thread::scope(|scope| {
        for handle in [&store, &other] {
            scope.spawn(move || {
                for i in 0..50 {
                    handle.add("map", i.to_string()).unwrap();
                }
            });
        }
        for revision in 2..=101 {
            let event = watch.next(LONG).unwrap().expect("an event");
            assert_eq!(event.revision.0, revision);
        }
    });
    assert!(watch.next(Duration::ZERO).unwrap().is_none());
    store.close().unwrap();
    assert_eq!(watch.next(LONG).unwrap_err().code(), Code::Closed);
}

#[test]
fn closing_ends_every_wait() {
    let place = Place::new(&Clock::system());
    let store = Arc::new(place.open(&Options::new()));
    let started = AtomicUsize::new(0);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..20)
            .map(|i| {
                let (store, started) = (store.clone(), &started);
                scope.spawn(move || {
                    started.fetch_add(1, Ordering::AcqRel);
                    match i % 3 {
                        0 => store.claim_until(&claim(&["map"]), None, None).map(drop),
                        1 => store.watch().and_then(|mut watch| watch.next(LONG).map(drop)),
                        _ => store.claims(["map"]).next().unwrap().map(drop),
                    }
                })
            })
            .collect();
        until_waiting(&started, 20);
        store.close().unwrap();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap().unwrap_err().code(), Code::Closed);
        }
    });
}
