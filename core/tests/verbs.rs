//! The verbs on a task: what each does to owner, time, attempt, failures and error.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{ME, OTHER, renew, store, verb};
use tenure_core::{Code, Kind, OwnerId, Task, Update, Verb, When, entry::Reason};

fn fail(task: &Task, error: &str) -> Update {
    Update { id: task.id, verb: Verb::Fail, error: Some(error.into()), ..Update::default() }
}

#[test]
fn a_renewal_moves_the_lease_and_nothing_else() {
    let mut store = store();
    store.add_keyed("a", "k");
    let held = store.claim("a").unwrap();
    store.pass(10_000);
    let renewed = store.change(renew(held.id, 60_000)).unwrap();
    let available_at = held.available_at + 10_000;
    assert_eq!(renewed, Task { id: renewed.id, available_at, ..held.clone() });
    let late = store.end(held.id, Reason::Finished).unwrap_err();
    assert_eq!(late.code(), Code::MissingTask, "it was the caller's own renewal: {late}");
}

#[test]
fn a_lapsed_claim_that_nobody_took_can_be_renewed_and_one_that_was_released_can_not() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    store.pass(100_000);
    let renewed = store.change(renew(held.id, 1_000)).unwrap();
    assert_eq!(renewed.owner, ME);
    let released = store.change(verb(renewed.id, Verb::Release)).unwrap();
    let error = store.change(renew(released.id, 1_000)).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::LeaseLost, "task 4 is not held by you: claim it first"));
    let mut other = store.second(OTHER);
    let theirs = other.claim("a").unwrap();
    store.catch_up();
    store.pass(100_000);
    assert_eq!(store.change(renew(theirs.id, 1_000)).unwrap_err().code(), Code::LeaseLost);
}

#[test]
fn a_renewal_without_a_lease_is_refused() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    for available in [None, Some(When::Now), Some(When::At(1)), Some(When::After(40 * 24 * 3_600_000))] {
        let error = store.change(Update { id: held.id, verb: Verb::Renew, available, ..Update::default() });
        assert_eq!(error.unwrap_err().kind(), Kind::Invalid);
    }
}

#[test]
fn a_release_gives_back_and_counts_nothing() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    store.pass(5);
    let released = store.change(verb(held.id, Verb::Release)).unwrap();
    assert_eq!((released.owner, released.attempt, released.failures), (OwnerId(0), 1, 0));
    assert_eq!(released.available_at, support::START + 5);
    let held = store.claim("a").unwrap();
    let available = Some(When::After(1_000));
    let later = store.change(Update { id: held.id, verb: Verb::Release, available, ..Update::default() }).unwrap();
    assert_eq!(later.available_at, support::START + 1_005);
    assert!(store.claim("a").is_none());
}

#[test]
fn a_failure_is_counted_apart_from_the_attempts_and_its_text_is_kept() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let failed = store.change(fail(&held, "no such file")).unwrap();
    assert_eq!((failed.attempt, failed.failures, failed.error.as_deref()), (1, 1, Some("no such file")));
    let held = store.claim("a").unwrap();
    assert_eq!(held.error.as_deref(), Some("no such file"), "a claim keeps the last failure's text");
    let failed = store.change(verb(held.id, Verb::Fail)).unwrap();
    assert_eq!((failed.attempt, failed.failures, failed.error.as_deref()), (2, 2, Some("failed")));
}

#[test]
fn a_long_error_is_cut_at_a_character() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let failed = store.change(fail(&held, &"€".repeat(1_000))).unwrap();
    let error = failed.error.unwrap();
    assert_eq!(error.len(), 2_046);
    assert!(error.chars().all(|c| c == '€'));
}

#[test]
fn a_requeue_makes_a_task_as_if_it_had_never_been_claimed() {
    let mut store = store();
    let added = store.add_keyed("a", "k");
    let held = store.claim("a").unwrap();
    let failed = store.change(fail(&held, "x")).unwrap();
    let again = store.change(verb(failed.id, Verb::Requeue)).unwrap();
    assert_eq!(again, Task { id: again.id, ..added });
    store.opens_alike();
}

#[test]
fn an_error_that_an_update_empties_is_gone() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let failed = store.change(fail(&held, "x")).unwrap();
    let emptied = store.change(Update { id: failed.id, error: Some(String::new()), ..Update::default() }).unwrap();
    assert_eq!((emptied.error, emptied.failures), (None, 1));
    store.opens_alike();
}

#[test]
fn a_late_commit_is_refused_after_every_verb() {
    let mut store = store();
    for word in [Verb::Update, Verb::Release, Verb::Fail, Verb::Requeue] {
        store.add("a", "1");
        let held = store.claim("a").unwrap();
        let after = store.change(verb(held.id, word)).unwrap();
        assert!(store.end(held.id, Reason::Finished).is_err(), "{word:?}");
        store.end(after.id, Reason::Finished).unwrap();
    }
}

#[test]
fn force_keeps_the_holder_where_the_update_says_nothing_of_time() {
    let mut store = store();
    store.add("a", "1");
    let mut other = store.second(OTHER);
    let held = other.claim("a").unwrap();
    let data = Some("new".into());
    let forced = Update { id: held.id, data, force: true, ..Update::default() };
    let changed = store.change(forced).unwrap();
    assert_eq!((changed.owner, changed.available_at), (OTHER, held.available_at));
    assert!(other.end(held.id, Reason::Finished).unwrap_err().is_lease_lost());
    other.end(changed.id, Reason::Finished).unwrap();
}

#[test]
fn renew_and_requeue_say_where_data_is_out_of_place() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let renewal = Update { data: Some("x".into()), ..renew(held.id, 1_000) };
    assert_eq!(support::message(store.change(renewal)), "updates[0]: Renew keeps the data: use an update to change it");
}
