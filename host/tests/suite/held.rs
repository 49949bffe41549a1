//! Leases that renew themselves, and transactions that run again, wherever the store is.

use std::{
    thread,
    time::{Duration, Instant},
};

use tenure::{Code, Held, Options, Store, TaskId, Update, clock::Clock};

use crate::place::Place;

const LEASE: Duration = Duration::from_mins(1);

struct Pair {
    clock: Clock,
    store: Store,
    other: Store,
    _place: Place,
}

/// Two handles with a task that the first one holds.
fn pair() -> (Pair, Held) {
    let clock = Clock::test(1_000_000);
    let place = Place::new(&clock);
    let open = |owner: u64| place.open(&Options::new().clock(clock.clone()).owner(owner));
    let (store, other) = (open(1), open(2));
    store.add("map", "x").unwrap();
    let held = store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    (Pair { clock, store, other, _place: place }, held)
}

/// Waits until something is so: the renewal runs on a thread of its own.
fn until(mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_mins(1), "it never came true");
        thread::yield_now();
    }
}

#[test]
fn a_lease_is_renewed_for_as_long_as_it_is_held() {
    let (pair, held) = pair();
    let mut last = held.task();
    for _ in 0..20 {
        pair.clock.advance(Duration::from_secs(25));
        until(|| held.task().id > last.id);
        last = held.task();
        assert_eq!(last.available_at, pair.clock.now() + 60_000);
        assert!(pair.other.claim(&["map"], LEASE).unwrap().is_none());
    }
    assert_eq!(last.attempt, 1);
    assert!(!held.is_lost());
    held.finish().unwrap();
    assert_eq!(pair.other.group("map").unwrap().tasks, 0);
}

#[test]
fn a_lease_that_another_took_is_lost_and_the_next_call_says_so() {
    let (pair, held) = pair();
    let stolen = pair.other.find(held.task().origin).unwrap().unwrap();
    pair.other.cancel(&stolen, true).unwrap();
    pair.clock.advance(Duration::from_secs(25));
    until(|| held.is_lost());
    let error = held.check().unwrap_err();
    assert_eq!(error.code(), Code::LeaseLost, "{error}");
    assert!(error.message().contains("cancelled"), "{error}");
    assert_eq!(held.renew().unwrap_err().code(), Code::LeaseLost);
    assert_eq!(held.save("y").unwrap_err().code(), Code::LeaseLost);
    assert_eq!(
        pair.store
            .transact(|tx| {
                tx.finish(&held);
                tx.add("reduce", "never");
                Ok(())
            })
            .unwrap_err()
            .code(),
        Code::LeaseLost
    );
    assert_eq!(pair.store.group("reduce").unwrap().tasks, 0);
    assert_eq!(held.finish().unwrap_err().code(), Code::LeaseLost);
}

#[test]
fn a_lease_that_ran_out_is_still_renewed_where_nobody_took_the_task() {
    let (pair, held) = pair();
    let before = held.task();
    pair.clock.advance(LEASE * 10);
    until(|| held.task().id > before.id || held.is_lost());
    assert!(!held.is_lost());
    held.finish().unwrap();
    // And is lost where somebody did.
    pair.store.add("map", "y").unwrap();
    let late = pair.store.claim(&["map"], Duration::from_secs(1)).unwrap().unwrap();
    pair.clock.advance(Duration::from_secs(2));
    let task = pair.other.claim(&["map"], LEASE).unwrap().unwrap();
    let held = pair.store.hold(late, LEASE);
    until(|| held.is_lost());
    assert_eq!(held.renew().unwrap_err().code(), Code::LeaseLost);
    drop(held);
    assert_eq!(pair.other.task(task.id).unwrap().unwrap(), task, "what is lost is not given back");
}

#[test]
fn a_claim_that_is_shorter_than_the_lease_it_is_held_for_is_renewed_in_time() {
    let (pair, held) = pair();
    held.finish().unwrap();
    pair.store.add("map", "y").unwrap();
    let task = pair.store.claim(&["map"], Duration::from_secs(3)).unwrap().unwrap();
    let held = pair.store.hold(task, LEASE);
    pair.clock.advance(Duration::from_secs(1));
    // It may be renewed before the clock is advanced or after.
    until(|| held.task().available_at + 1_000 >= pair.clock.now() + 60_000);
    assert!(pair.other.claim(&["map"], LEASE).unwrap().is_none());
}

#[test]
fn dropping_a_held_task_gives_it_back_at_once() {
    let (pair, held) = pair();
    let id = held.task().id;
    drop(held);
    let again = pair.other.claim(&["map"], LEASE).unwrap().unwrap();
    assert!(again.id > id);
    assert_eq!((again.attempt, again.failures), (2, 0));
}

#[test]
fn failing_and_releasing_end_the_hold() {
    let (pair, held) = pair();
    held.fail("no such file", Duration::from_secs(9)).unwrap();
    assert!(pair.other.claim(&["map"], LEASE).unwrap().is_none());
    pair.clock.advance(Duration::from_secs(9));
    let held = pair.store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    assert_eq!((held.task().failures, held.task().error.as_deref()), (1, Some("no such file")));
    held.release(Duration::ZERO).unwrap();
    assert!(pair.other.claim(&["map"], LEASE).unwrap().is_some());
}

#[test]
fn a_transaction_ends_the_hold_or_passes_the_final_id() {
    let (pair, held) = pair();
    let before = held.task();
    pair.store
        .transact(|tx| {
            tx.update(&held, Update { data: Some("half done".into()), ..Update::default() });
            tx.put("t", "k", "v");
            Ok(())
        })
        .unwrap();
    assert!(held.task().id > before.id);
    assert_eq!(held.data().text(), Some("half done"));
    assert_eq!(held.task().available_at, before.available_at, "it stays held");
    // The renewal goes on from the final id.
    let id = held.task().id;
    pair.clock.advance(Duration::from_secs(25));
    until(|| held.task().id > id);
    assert!(!held.is_lost());
    pair.store
        .transact(|tx| {
            tx.finish(&held);
            Ok(())
        })
        .unwrap();
    let error = held.finish().unwrap_err();
    assert_eq!(error.code(), Code::Invalid, "{error}");
    assert_eq!(pair.store.group("map").unwrap().tasks, 0);
}

#[test]
fn a_transaction_and_the_renewal_never_take_a_lease_from_each_other() {
    let (pair, held) = pair();
    thread::scope(|scope| {
        let working = scope.spawn(|| {
            for i in 0..200 {
                pair.store
                    .transact(|tx| {
                        tx.update(&held, Update { data: Some(i.to_string().into()), ..Update::default() });
                        tx.increment("t", "n", 1);
                        Ok(())
                    })
                    .unwrap();
            }
        });
        while !working.is_finished() {
            pair.clock.advance(Duration::from_secs(21));
            thread::yield_now();
        }
        working.join().unwrap();
    });
    assert!(!held.is_lost());
    assert_eq!(pair.store.get("t", "n").unwrap().unwrap().value.text(), Some("200"));
    held.finish().unwrap();
}

#[test]
fn what_was_read_and_has_changed_makes_a_transaction_run_again() {
    let (pair, held) = pair();
    pair.store.put("t", "n", "1").unwrap();
    let mut runs = 0;
    pair.store
        .transact(|tx| {
            runs += 1;
            let n: u32 = tx.get("t", "n")?.unwrap().value.text().unwrap().parse().unwrap();
            if runs <= 3 {
                pair.other.put("t", "n", (n + 10).to_string())?;
            }
            tx.put("t", "n", (n + 1).to_string());
            Ok(())
        })
        .unwrap();
    assert_eq!(runs, 4);
    assert_eq!(pair.store.get("t", "n").unwrap().unwrap().value.text(), Some("32"));
    // One that finds it changed each time gives up in the end, and has done nothing.
    let mut runs = 0;
    let error = pair
        .store
        .transact(|tx| {
            runs += 1;
            tx.get("t", "n")?;
            pair.other.increment("t", "n", 1, None, None)?;
            tx.add("reduce", "x");
            Ok(())
        })
        .unwrap_err();
    assert_eq!((runs, error.code()), (16, Code::StaleRecord));
    assert_eq!(pair.store.group("reduce").unwrap().tasks, 0);
    // Never for a claim that is lost, even where a read has changed too.
    pair.other.cancel(held.task().id, true).unwrap();
    let mut runs = 0;
    let error = pair
        .store
        .transact(|tx| {
            runs += 1;
            tx.get("t", "n")?;
            pair.other.increment("t", "n", 1, None, None)?;
            tx.finish(&held);
            Ok(())
        })
        .unwrap_err();
    assert_eq!((runs, error.code()), (1, Code::LeaseLost));
    assert!(held.is_lost());
    // An error of the closure is given back as it is, and nothing is done.
    let refused = tenure::Error::new(Code::Invalid, "not today");
    let error = pair.store.transact(|tx| {
        tx.put("t", "m", "1");
        Err::<(), _>(refused.clone())
    });
    assert_eq!(error.unwrap_err().message(), "not today");
    assert!(pair.store.get("t", "m").unwrap().is_none());
}

#[test]
fn a_transaction_over_two_leases_ends_both_or_none() {
    let (pair, first) = pair();
    pair.store.add("map", "y").unwrap();
    let second = pair.store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    pair.other.cancel(second.task().id, true).unwrap();
    let both = |store: &Store, second: &Held| {
        store.transact(|tx| {
            tx.finish(&first);
            tx.finish(second);
            Ok(())
        })
    };
    assert_eq!(both(&pair.store, &second).unwrap_err().code(), Code::LeaseLost);
    assert!(second.is_lost() && !first.is_lost());
    assert!(pair.store.task(first.task().id).unwrap().is_some());
    pair.store.add("map", "z").unwrap();
    let third = pair.store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    both(&pair.store, &third).unwrap();
    assert_eq!(pair.store.group("map").unwrap().tasks, 0);
}

#[test]
fn a_store_that_is_closed_while_leases_are_held_says_so_and_the_leases_run_out() {
    let (pair, held) = pair();
    let origin: TaskId = held.task().origin;
    pair.store.close().unwrap();
    assert_eq!(held.renew().unwrap_err().code(), Code::Closed);
    pair.clock.advance(LEASE);
    drop(held);
    assert_eq!(pair.other.claim(&["map"], LEASE).unwrap().unwrap().origin, origin);
}

#[test]
fn a_held_task_keeps_its_store_open() {
    let clock = Clock::test(1_000_000);
    let place = Place::new(&clock);
    let store = place.open(&Options::new().clock(clock.clone()));
    store.add("map", "x").unwrap();
    let held = store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    drop(store);
    let before = held.task().id;
    clock.advance(Duration::from_secs(25));
    until(|| held.task().id > before);
    held.finish().unwrap();
    assert_eq!(place.open(&Options::new()).group("map").unwrap().tasks, 0);
}
