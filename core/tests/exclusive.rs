//! A handle that has the store for itself, and a store that is raised to a higher format level.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{OTHER, START, adds, store};
use tenure_core::{
    Author, Code, Kind, Limits, Revision, TaskId, engine::Engine, entry::EntryKind, port::Draft, state::State, txn::Ask,
};

const CLOCK: &dyn Fn() -> u64 = &|| START;

/// What a handle that does not know that it is fenced would append.
fn ghost(store: &support::Handle, author: Author) -> Draft {
    let mut engine = Engine::new(support::setup(author.0, Limits::DEFAULT), State::new(), *store.engine().tail());
    engine.stage(Ask::Update(&adds(&[("ghost", "x")])), START, 0).unwrap();
    let next_id = TaskId(store.engine().tail().next_id.0 + 1);
    Draft { next_id, ..engine.drafts()[0].clone() }
}

#[test]
fn others_are_fenced_while_a_handle_has_the_store_for_itself_and_read_on() {
    let mut store = store();
    let mut other = store.second(OTHER);
    store.driver.hand_off(false, CLOCK).unwrap();
    let task = store.add("a", "1");
    let error = other.update(&adds(&[("a", "2")])).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Fenced, Code::Fenced));
    assert!(other.state().task(task.id).is_some(), "E2: it has seen everything before");
    assert_eq!(other.driver.fenced_by(), Some(Author(7)));
    assert!(other.driver.hand_off(false, CLOCK).is_err());
    store.driver.release(CLOCK).unwrap();
    other.add("a", "2");
}

#[test]
fn a_take_over_fences_the_one_before_who_learns_at_its_next_append() {
    let mut store = store();
    let mut other = store.second(OTHER);
    store.driver.hand_off(false, CLOCK).unwrap();
    let kept = store.add("a", "1");
    other.driver.hand_off(true, CLOCK).unwrap();
    assert!(other.state().task(kept.id).is_some(), "E3: what was acknowledged lies before");
    other.add("a", "2");
    let error = store.update(&adds(&[("a", "3")])).unwrap_err();
    assert_eq!(error.code(), Code::Fenced);
    assert_eq!(store.state().revision(), other.state().revision(), "E5: and it knows all that came since");
    other.driver.release(CLOCK).unwrap();
    store.add("a", "3");
    store.opens_alike();
}

#[test]
fn an_entry_of_another_author_does_not_count_though_it_was_appended() {
    let mut store = store();
    store.driver.hand_off(false, CLOCK).unwrap();
    let digest = store.state().digest();
    let tail = *store.engine().tail();
    let late = ghost(&store, OTHER_AUTHOR);
    store.driver.journal().append(&tail, &[late]).unwrap();
    store.catch_up();
    assert_eq!((store.state().digest(), store.engine().skipped()), (digest, 1));
    assert_eq!(store.state().revision(), Revision(tail.revision.0 + 1));
    let next = store.add("a", "1");
    assert_eq!(next.id.0, tail.next_id.0 + 1, "the id that it would have used is not used again");
    store.opens_alike();
}

const OTHER_AUTHOR: Author = Author(OTHER.0);

#[test]
fn a_restart_of_the_fenced_handle_is_no_way_around_the_fence() {
    let mut store = store();
    let other = store.second(OTHER);
    store.driver.hand_off(false, CLOCK).unwrap();
    store.snapshot();
    let mut other = other.restarted();
    assert_eq!(other.update(&adds(&[("a", "1")])).unwrap_err().code(), Code::Fenced);
}

#[test]
fn only_the_one_who_has_the_store_gives_it_back() {
    let mut store = store();
    let mut other = store.second(OTHER);
    let at = store.driver.release(CLOCK).unwrap();
    assert_eq!(at, store.engine().tail().position, "nothing to give back, nothing written");
    store.driver.hand_off(false, CLOCK).unwrap();
    other.driver.release(CLOCK).unwrap();
    other.catch_up();
    assert_eq!(other.driver.fenced_by(), Some(Author(7)));
}

#[test]
fn b11_a_running_handle_that_meets_a_higher_level_closes_and_touches_nothing() {
    let mut store = store();
    store.add("a", "1");
    let mut newer = store.second(OTHER);
    newer
        .driver
        .control(CLOCK, &mut |engine, now| {
            engine.stage_level(now, 2);
            Ok(true)
        })
        .unwrap();
    let before = store.driver.journal().stats().unwrap().segments;
    let error = store.update(&adds(&[("a", "2")])).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Closed, Code::UpgradeNeeded));
    assert_eq!(error.message(), "the store was upgraded to format level 2; this program knows 1: upgrade it");
    for _ in 0..2 {
        assert_eq!(store.update(&adds(&[("a", "2")])).unwrap_err().code(), Code::UpgradeNeeded);
        assert_eq!(
            store.driver.catch_up(CLOCK).map_or_else(|error| error.code(), |()| Code::UpgradeNeeded),
            Code::UpgradeNeeded
        );
    }
    assert_eq!(store.driver.journal().stats().unwrap().segments, before);
    let opened = support::open(&store.rows, support::setup(3, Limits::DEFAULT)).map(|_| ());
    assert_eq!(opened.unwrap_err().code(), Code::UpgradeNeeded);
}

#[test]
fn an_upgrade_to_the_level_that_the_store_has_writes_nothing() {
    let mut store = store();
    store.add("a", "1");
    let tail = *store.engine().tail();
    store.driver.upgrade(CLOCK).unwrap();
    assert_eq!(*store.engine().tail(), tail);
}

#[test]
fn a_hand_off_is_an_entry_with_a_revision_like_all_others() {
    let mut store = store();
    let mut other = store.second(OTHER);
    other.driver.engine_mut().watch(true);
    store.driver.hand_off(false, CLOCK).unwrap();
    store.driver.release(CLOCK).unwrap();
    other.catch_up();
    let events = other.driver.engine_mut().take_events();
    let seen: Vec<(u64, EntryKind)> = events.iter().map(|event| (event.revision.0, event.kind)).collect();
    assert_eq!(seen, [(1, EntryKind::HandOff), (2, EntryKind::Release)]);
}
