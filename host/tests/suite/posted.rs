//! Requests that hold no thread while they are on their way, wherever the store is.

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use tenure::{Add, Claim, Code, Committed, Millis, Options, Posted, Result, Store, clock::Clock};

use crate::place::Place;

const SOON: Duration = Duration::from_secs(10);

fn claim(store: &Store, group: &str, wait: Millis) -> (Posted, Receiver<Result<Committed>>) {
    let (tell, told) = channel();
    let claim = Claim { groups: vec![group.into()], ..Claim::default() };
    let posted = store.post_claim(claim, Some(store.now() + wait), move |answer| tell.send(answer).unwrap());
    (posted, told)
}

#[test]
fn a_posted_claim_waits_until_a_task_is_added() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    let waiting: Vec<_> = (0..100).map(|_| claim(&store, "g", 60_000)).collect();
    // A look of its own, so that all of them have looked before.
    let (_, empty) = claim(&store, "other", 0);
    assert_eq!(empty.recv_timeout(SOON).unwrap().unwrap().tasks, []);
    store.add_many("g", (0..100).map(|n| n.to_string())).unwrap();
    let mut got: Vec<u64> = waiting
        .iter()
        .map(|(_, told)| told.recv_timeout(SOON).unwrap().unwrap().tasks.pop().unwrap().origin.0)
        .collect();
    got.sort_unstable();
    got.dedup();
    assert_eq!(got.len(), 100, "each has another task");
}

#[test]
fn a_posted_claim_ends_when_its_time_is_up_or_the_task_s_time_has_come() {
    let clock = Clock::test(1_000_000);
    let place = Place::new(&clock);
    let store = place.open(&Options::new().clock(clock.clone()));
    let (_, first) = claim(&store, "g", 5_000);
    let (_, second) = claim(&store, "late", 60_000);
    let delayed = Add { group: "late".into(), available: tenure::When::After(20_000), ..Add::default() };
    store.add_task(delayed).unwrap();
    assert!(first.recv_timeout(Duration::from_millis(20)).is_err(), "it waits");
    clock.advance(Duration::from_secs(6));
    assert_eq!(first.recv_timeout(SOON).unwrap().unwrap().tasks, []);
    assert!(second.recv_timeout(Duration::from_millis(20)).is_err(), "the task's time has not come");
    clock.advance(Duration::from_secs(15));
    assert_eq!(second.recv_timeout(SOON).unwrap().unwrap().tasks.len(), 1);
}

#[test]
fn a_cancelled_claim_takes_nothing_and_leaves_the_wake_to_the_next() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    let (posted, first) = claim(&store, "g", 60_000);
    let (_, second) = claim(&store, "g", 60_000);
    posted.cancel();
    assert_eq!(first.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::Cancelled);
    posted.cancel();
    store.add("g", "x").unwrap();
    assert_eq!(second.recv_timeout(SOON).unwrap().unwrap().tasks.len(), 1);
}

#[test]
fn whoever_waits_hears_that_the_store_is_closed() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    let (_, told) = claim(&store, "g", 60_000);
    store.close().unwrap();
    assert_eq!(told.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::Closed);
    let (_, after) = claim(&store, "g", 60_000);
    assert_eq!(after.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::Closed);
}
