//! Request ids: a repeat gets the first outcome, for as long as every handle remembers it.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{OTHER, adds, from, ids, named, oldest, store, store_with, verb};
use tenure_core::{Claim, Code, Kind, Limits, Outcome, Request, Revision, Verb, entry::Reason};

#[test]
fn a_repeat_is_answered_with_the_first_outcome_and_done_once() {
    let mut store = store();
    let mut request = named(adds(&[("a", "1"), ("a", "2")]), "one");
    request.increments = support::increment("t", "n", 3).increments;
    let first = store.update(&request).unwrap();
    store.end(first.tasks[0].id, Reason::Finished).unwrap();
    let mut store = store.restarted();
    let again = store.update(&request).unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.revision, ids(&again.tasks)), (first.revision, ids(&first.tasks)));
    assert_eq!(again.counts, [3]);
    assert_eq!(again.tasks[1], first.tasks[1], "what lives is told whole");
    assert_eq!(&*again.tasks[0].group, "", "of what is gone only the id is known");
    assert_eq!(store.get("t", "n").as_deref(), Some("3"));
}

#[test]
fn a_claim_is_repeated_too() {
    let mut store = store();
    store.update(&adds(&[("a", "1"), ("a", "2")])).unwrap();
    let claim = Claim { request_id: Some("c".into()), ..oldest(&["a"], 1) };
    let first = store.claims(&claim).unwrap();
    assert_eq!(store.claims(&claim).unwrap().tasks, first.tasks);
    assert_eq!(store.state().group("a", store.now.get()).available, 1);
}

#[test]
fn another_request_under_the_same_id_is_invalid() {
    let mut store = store();
    store.update(&named(adds(&[("a", "1")]), "one")).unwrap();
    let error = store.update(&named(adds(&[("a", "2")]), "one")).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Invalid, Code::RequestReused));
    assert_eq!(
        error.message(),
        "request id \"one\" was used for another request at revision 1: draw a new id for each request"
    );
}

#[test]
fn another_owner_may_use_the_same_id() {
    let mut store = store();
    store.update(&named(adds(&[("a", "1")]), "one")).unwrap();
    let other = store.update(&from(named(adds(&[("a", "1")]), "one"), OTHER)).unwrap();
    assert!(!other.repeated);
}

#[test]
fn only_what_was_committed_is_remembered() {
    let mut store = store();
    let task = store.add("a", "1");
    let held = store.second(OTHER).claim("a").unwrap();
    let end = named(support::delete(held.id, Reason::Finished), "end");
    assert!(store.update(&end).is_err());
    store.pass(60_000);
    assert!(!store.update(&end).unwrap().repeated, "{task:?} was held the first time");
    let claim = Claim { request_id: Some("c".into()), ..oldest(&["a"], 1) };
    assert!(store.claims(&claim).unwrap().tasks.is_empty());
    store.add("a", "2");
    assert_eq!(store.claims(&claim).unwrap().tasks.len(), 1, "an empty claim writes nothing to be remembered");
}

#[test]
fn a_request_is_forgotten_after_the_window_by_every_handle_alike() {
    let limits = Limits { request_window: 4, ..Limits::DEFAULT };
    let mut store = store_with(limits);
    let request = named(adds(&[("a", "1")]), "one");
    store.update(&request).unwrap();
    for left in [3, 2, 1] {
        store.add("a", "x");
        assert!(store.update(&request).unwrap().repeated, "{left} revisions are left");
        let fresh = support::open(&store.rows, support::setup(store.engine().caller().owner.0, limits));
        assert!(fresh.unwrap().update(&request).unwrap().repeated);
    }
    store.add("a", "x");
    let mut fresh = support::open(&store.rows, support::setup(7, limits)).unwrap();
    assert!(fresh.state().memo().is_empty());
    assert!(store.state().memo().is_empty());
    assert!(!fresh.update(&request).unwrap().repeated);
}

#[test]
fn a_repeat_that_comes_when_its_id_is_forgotten_is_refused() {
    let limits = Limits { request_window: 4, ..Limits::DEFAULT };
    let mut store = store_with(limits);
    store.add("a", "x");
    let first = named(adds(&[("a", "1")]), "one");
    let again = |sent: u64| Request { sent_after: Some(Revision(sent)), ..first.clone() };
    assert_eq!(store.update(&first).unwrap().revision.0, 2);
    for _ in 0..3 {
        store.add("a", "x");
        assert!(store.update(&again(1)).unwrap().repeated, "it is remembered, and no other text");
    }
    store.add("a", "x");
    let late = store.update(&again(1)).unwrap_err();
    assert_eq!((late.code(), late.outcome()), (Code::Truncated, Outcome::NotStarted));
    // One that surely was not committed is: all ids behind its revision are remembered.
    let unseen = Request { request_id: Some("two".into()), ..again(2) };
    assert!(!store.update(&unseen).unwrap().repeated);
    assert!(store.update(&unseen).unwrap().repeated);
}

#[test]
fn origins_that_help_to_word_a_refusal_are_no_part_of_what_was_asked() {
    let mut store = store();
    let task = store.add("a", "1");
    let mut release = verb(task.id, Verb::Release);
    let request = |update| named(tenure_core::Request { updates: vec![update], ..Default::default() }, "r");
    store.update(&request(release.clone())).unwrap();
    release.origin = Some(task.origin);
    assert!(store.update(&request(release)).unwrap().repeated);
}
