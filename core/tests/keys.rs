//! Keys: unique within their group among live tasks.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{OTHER, delete, keyed, message, store};
use tenure_core::{Code, IfExists, Request, Update, Verb, entry::Reason};

#[test]
fn a_second_task_with_the_key_is_refused_in_its_group_only() {
    let mut store = store();
    store.add_keyed("g", "k");
    store.add_keyed("h", "k");
    assert_eq!(
        message(store.update(&keyed("g", "k", IfExists::Refuse))),
        "group \"g\" has a task with key \"k\" already: task 1; add with if_exists keep or replace to allow that"
    );
}

#[test]
fn keep_answers_with_the_present_task_under_its_present_id() {
    let mut store = store();
    let first = store.add_keyed("g", "k");
    let held = store.claim("g").unwrap();
    let kept = store.update(&keyed("g", "k", IfExists::Keep)).unwrap().into_task().unwrap();
    assert_eq!((kept.clone(), kept.origin), (held, first.id));
    assert_eq!(store.update(&keyed("g", "new", IfExists::Keep)).unwrap().into_task().unwrap().id.0, 3);
}

#[test]
fn keep_beside_a_change_of_the_same_task_answers_with_what_it_becomes() {
    let mut store = store();
    let task = store.add_keyed("g", "k");
    let mut both = keyed("g", "k", IfExists::Keep);
    both.updates = vec![support::verb(task.id, Verb::Update)];
    let done = store.update(&both).unwrap();
    assert_eq!(support::ids(&done.tasks), [2, 2]);
    assert_eq!(done.tasks[0].origin, task.id);
}

#[test]
fn replace_takes_the_place_of_a_task_that_is_not_held() {
    let mut store = store();
    let first = store.add_keyed("g", "k");
    let second = store.update(&keyed("g", "k", IfExists::Replace)).unwrap().into_task().unwrap();
    assert_eq!((second.id, second.origin), (second.origin, second.id));
    assert_eq!(store.state().tasks(), 1);
    let gone = store.end(first.id, Reason::Finished);
    assert!(message(gone).starts_with("task 1 was replaced by owner 7 (test:7) 0 ms ago"));
    store.claim("g").unwrap();
    assert_eq!(
        message(store.update(&keyed("g", "k", IfExists::Replace))),
        "group \"g\" has a task with key \"k\" already: task 3, which is held; wait for it, or add with if_exists keep"
    );
    store.pass(60_000);
    store.update(&keyed("g", "k", IfExists::Replace)).unwrap();
    store.sound();
}

#[test]
fn a_task_that_is_replaced_is_not_also_changed() {
    let mut store = store();
    let task = store.add_keyed("g", "k");
    let mut both = keyed("g", "k", IfExists::Replace);
    both.updates = vec![support::verb(task.id, Verb::Update)];
    assert!(message(store.update(&both)).contains("task 1 stands more than once"));
}

#[test]
fn a_key_lives_as_long_as_its_task_through_all_claims() {
    let mut store = store();
    store.add_keyed("g", "k");
    let held = store.claim("g").unwrap();
    assert_eq!(held.key.as_deref(), Some("k"));
    assert_eq!(store.state().by_key("g", "k"), Some(held.id));
    let mut swap = delete(held.id, Reason::Finished);
    swap.adds = keyed("g", "k", IfExists::Refuse).adds;
    let new = store.update(&swap).unwrap().into_task().unwrap();
    assert_eq!(store.state().by_key("g", "k"), Some(new.id));
    store.end(new.id, Reason::Finished).unwrap();
    assert_eq!(store.state().by_key("g", "k"), None);
    store.add_keyed("g", "k");
    store.opens_alike();
}

#[test]
fn a_task_does_not_move_into_a_group_that_has_its_key_unless_that_one_goes() {
    let mut store = store();
    let there = store.add_keyed("g", "k");
    let moving = store.add_keyed("h", "k");
    let into = |group: &str| Update { id: moving.id, group: Some(group.into()), ..Update::default() };
    let refused = store.change(into("g")).unwrap_err();
    assert_eq!(refused.code(), Code::KeyExists);
    let both = Request { updates: vec![into("g")], ..delete(there.id, Reason::Finished) };
    let moved = store.update(&both).unwrap().into_task().unwrap();
    assert_eq!(store.state().by_key("g", "k"), Some(moved.id));
    assert_eq!(store.state().by_key("h", "k"), None);
    store.opens_alike();
}

#[test]
fn the_same_key_twice_in_a_transaction_is_refused() {
    let mut store = store();
    let mut twice = keyed("g", "k", IfExists::Keep);
    twice.adds.extend(keyed("g", "k", IfExists::Keep).adds);
    assert_eq!(
        message(store.update(&twice)),
        "key \"k\" of \"g\" stands more than once in one transaction: name each once"
    );
}

#[test]
fn keys_are_judged_alike_by_every_handle() {
    let mut store = store();
    let task = store.add_keyed("g", "k");
    store.change(Update { id: task.id, data: Some("new".into()), ..Update::default() }).unwrap();
    store.snapshot();
    let mut other = store.second(OTHER);
    assert_eq!(other.update(&keyed("g", "k", IfExists::Refuse)).unwrap_err().code(), Code::KeyExists);
    other.sound();
}
