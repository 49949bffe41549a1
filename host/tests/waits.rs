//! Claims that wait: who wakes them, what a wait costs, and how it ends.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod other;

use std::{
    path::Path,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use other::Other;
use tenure::{Cancel, Claim, Code, Durability, Options, Store, clock::Clock};

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

/// Not a test of its own: the other process of the tests below.
#[test]
#[ignore = "the other process of the tests in this file"]
fn the_other_process() {
    let (role, place) = other::role();
    let store = Store::open(&place).unwrap();
    match &*role {
        "add" => {
            other::say("ready");
            while other::wait() {
                store.add("map", "x").unwrap();
            }
        }
        "wait idly" => {
            other::say("ready");
            thread::scope(|scope| {
                scope.spawn(|| store.claim_until(&claim(&["map"]), None, None));
                while other::wait() {
                    let (cpu, wakes) = spent();
                    other::say(&format!("spent {cpu} {wakes}"));
                }
                store.close().unwrap();
            });
        }
        role => panic!("no role {role}"),
    }
}

/// Processor time of this process in microseconds, and how often its threads went to sleep.
fn spent() -> (u128, u64) {
    let mut wakes = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        wakes += line.map_or(0, |count| count.trim().parse::<u64>().unwrap());
    }
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    (u128::try_from(used.tv_sec).unwrap() * 1_000_000 + u128::try_from(used.tv_nsec).unwrap() / 1000, wakes)
}

#[test]
fn a_waiting_claim_wakes_within_50_ms_of_another_processs_add() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    let mut other = Other::spawn("add", &place);
    other.until("ready");
    let mut took: Vec<Duration> = (0..21)
        .map(|_| {
            let since = Instant::now();
            other.go_on();
            let task = store.claim_wait(&["map"], LEASE, LONG).unwrap().unwrap();
            let took = since.elapsed();
            store.finish(&task).unwrap();
            took
        })
        .collect();
    other.end();
    took.sort();
    // The half, so that a machine that stands still for a moment fails nothing; a mere look once a second would.
    assert!(took[10] < Duration::from_millis(50), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_waiter_wakes_at_most_5_times_a_second_and_costs_no_more_than_a_thousandth_of_a_core() {
    let seconds: u64 = std::env::var("TENURE_IDLE_SECONDS").map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    let mut other = Other::spawn("wait idly", &place);
    other.until("ready");
    let mut ask = || -> (u128, u64) {
        other.go_on();
        let spent = other.until("spent");
        let (cpu, wakes) = spent.split_once(' ').unwrap();
        (cpu.parse().unwrap(), wakes.parse().unwrap())
    };
    ask();
    let (cpu, wakes) = ask();
    // The interval that is measured; nothing waits for it to be long enough.
    thread::sleep(Duration::from_secs(seconds));
    let (cpu, wakes) = {
        let after = ask();
        (after.0 - cpu, after.1 - wakes)
    };
    eprintln!("{wakes} wake-ups and {cpu} µs of CPU in {seconds} s");
    // Two are the question's own. One that never wakes would sleep through what inotify does not tell.
    assert!(wakes >= seconds / 2, "{wakes} wake-ups in {seconds} s");
    assert!(wakes <= 5 * seconds + 2, "{wakes} wake-ups in {seconds} s");
    assert!(cpu < u128::from(seconds) * 1_000, "{cpu} µs in {seconds} s");
    other.end();
    store.close().unwrap();
}

#[test]
fn a_cancelled_wait_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("s")).unwrap();
    for round in 0..100 {
        let cancel = Cancel::new();
        let start = Barrier::new(3);
        let got = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                start.wait();
                store.claim_until(&claim(&["map"]), None, Some(&cancel))
            });
            scope.spawn(|| {
                start.wait();
                store.add("map", "x").unwrap();
            });
            start.wait();
            if round % 2 == 0 {
                thread::yield_now();
            }
            cancel.cancel();
            waiting.join().unwrap()
        });
        let held = store.group("map").unwrap().held;
        match got {
            Ok(got) => assert_eq!((got.tasks.len(), held), (1, 1)),
            Err(error) => {
                assert_eq!(error.code(), Code::Cancelled);
                assert_eq!(held, 0, "a cancelled wait holds a task");
            }
        }
        let left = store.tasks(&tenure::Filter::default()).unwrap();
        for task in &left {
            store.cancel(task, true).unwrap();
        }
    }
}

#[test]
fn a_wait_wakes_when_a_lease_ends_and_when_a_delay_is_over() {
    let clock = Clock::test(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let open = || Options::new().clock(clock.clone()).open(folder.path().join("s")).unwrap();
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
    let store = Options::new().clock(clock.clone()).memory().unwrap();
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
    let store = Store::memory().unwrap();
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
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let (store, other) = (Store::open(&place).unwrap(), Store::open(&place).unwrap());
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
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let (store, other) = (Store::open(&place).unwrap(), Store::open(&place).unwrap());
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

/// A thousand threads wait for one task each.
fn a_thousand(store: &Store, adder: &Store, batch: usize) {
    const WAITERS: usize = 1000;
    let got = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WAITERS {
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn_scoped(scope, || {
                    let task = store.claim_wait(&["map"], LONG, LONG).unwrap().expect("a task for each");
                    got.fetch_add(1, Ordering::AcqRel);
                    store.finish(&task).unwrap();
                })
                .unwrap();
        }
        for first in (0..WAITERS).step_by(batch) {
            adder.add_many("map", (first..first + batch).map(|i| i.to_string())).unwrap();
        }
    });
    assert_eq!(got.into_inner(), WAITERS);
    assert_eq!(store.group("map").unwrap().tasks, 0);
}

#[test]
fn of_a_thousand_waiters_each_gets_its_task() {
    let folder = tempfile::tempdir().unwrap();
    let place: &Path = &folder.path().join("s");
    let options = Options::new().durability(Durability::Opportunistic);
    let (store, other) = (options.open(place).unwrap(), options.open(place).unwrap());
    for (adder, batch) in [(&store, 1000), (&store, 1), (&other, 100), (&other, 1)] {
        let began = Instant::now();
        a_thousand(&store, adder, batch);
        eprintln!("a thousand waiters, {batch} tasks at a time: {:?}", began.elapsed());
    }
}

#[test]
fn closing_ends_every_wait() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path().join("s")).unwrap());
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

#[test]
fn a_wait_on_a_store_that_was_removed_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    store.add("other", "x").unwrap();
    let started = AtomicUsize::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            started.fetch_add(1, Ordering::AcqRel);
            store.claim_until(&claim(&["map"]), None, None)
        });
        until_waiting(&started, 1);
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap_err().code(), Code::Replaced);
    });
}
