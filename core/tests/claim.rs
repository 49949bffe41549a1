//! Claims: which tasks, in which order, for how long.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use support::{ME, OTHER, adds, ids, later, oldest, store, verb};
use tenure_core::{Claim, Code, Depend, Kind, Limits, Order, TaskId, Verb, When};

#[test]
fn a_claim_gives_a_new_id_an_owner_and_a_lease() {
    let mut store = store();
    let task = store.add("a", "data");
    let held = store.claim("a").unwrap();
    assert_eq!((held.id, held.origin, held.owner, held.attempt), (TaskId(2), task.id, ME, 1));
    assert_eq!(held.available_at, support::START + 60_000);
    assert_eq!(held.text(), Some("data"));
    assert!(store.claim("a").is_none());
    store.pass(59_999);
    assert!(store.claim("a").is_none());
    store.pass(1);
    assert_eq!(store.claim("a").unwrap().attempt, 2);
}

#[test]
fn nothing_to_claim_is_no_error_and_writes_nothing() {
    let mut store = store();
    store.update(&later("a", When::After(1))).unwrap();
    let before = *store.engine().tail();
    let none = store.claims(&oldest(&["a", "never was"], 5)).unwrap();
    assert!(none.tasks.is_empty());
    assert_eq!(none.revision, before.revision);
    assert_eq!(*store.engine().tail(), before);
}

#[test]
fn earlier_groups_go_first_and_the_limit_holds_over_all() {
    let mut store = store();
    store.update(&adds(&[("low", "1"), ("high", "2"), ("low", "3"), ("high", "4")])).unwrap();
    let claimed = store.claims(&oldest(&["high", "low", "high"], 3)).unwrap();
    let found: Vec<(&str, u64)> = claimed.tasks.iter().map(|task| (&*task.group, task.origin.0)).collect();
    assert_eq!(found, [("high", 2), ("high", 4), ("low", 1)]);
    assert_eq!(ids(&claimed.tasks), [5, 6, 7]);
    assert_eq!(store.claims(&oldest(&["high", "low"], 3)).unwrap().tasks.len(), 1);
}

#[test]
fn a_group_that_is_named_again_among_many_gives_nothing_twice() {
    let mut store = store();
    store.update(&adds(&[("a", "1"), ("b", "2")])).unwrap();
    let names: Vec<String> = (0..40).map(|i| format!("none {i}")).collect();
    let mut groups: Vec<&str> = names.iter().map(String::as_str).collect();
    groups.extend(["b", "b", "a", "b", "a"]);
    let claimed = store.claims(&oldest(&groups, 5)).unwrap();
    let found: Vec<(&str, u64)> = claimed.tasks.iter().map(|task| (&*task.group, task.origin.0)).collect();
    assert_eq!(found, [("b", 2), ("a", 1)]);
}

#[test]
fn a_claim_of_more_groups_than_are_allowed_is_refused() {
    let mut store = store();
    let names: Vec<String> = (0..=Limits::DEFAULT.claim_groups).map(|i| format!("{i}")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = store.claims(&oldest(&groups, 1)).unwrap_err();
    assert_eq!(error.code(), Code::OverLimit);
    assert!(error.message().contains("1001 groups are more than the 1000 that one claim may name"), "{error}");
    assert!(store.claims(&oldest(&groups[1..], 1)).unwrap().tasks.is_empty());
}

#[test]
fn the_oldest_is_the_one_with_the_least_time_then_the_least_id() {
    let mut store = store();
    store.add("a", "1");
    store.update(&later("a", When::At(5))).unwrap();
    store.add("a", "3");
    let order: Vec<u64> = (0..3).map(|_| store.claim("a").unwrap().origin.0).collect();
    assert_eq!(order, [2, 1, 3]);
}

#[test]
fn a_random_claim_reaches_every_task_about_equally_often() {
    const TASKS: u64 = 40;
    const DRAWS: u64 = 8_000;
    let mut store = store();
    for _ in 0..TASKS {
        store.add("a", "x");
    }
    let mut drawn: BTreeMap<u64, u64> = BTreeMap::new();
    for _ in 0..DRAWS {
        let claim = Claim { lease: 1, ..oldest(&["a"], 1) };
        let task = store.claims(&Claim { order: Order::Random, ..claim }).unwrap().into_task().unwrap();
        *drawn.entry(task.origin.0).or_default() += 1;
        store.change(verb(task.id, Verb::Release)).unwrap();
    }
    let expected = DRAWS / TASKS;
    assert_eq!(drawn.len() as u64, TASKS);
    for (origin, count) in drawn {
        assert!(count > expected / 3 && count < expected * 3, "task {origin}: {count} of {DRAWS}");
    }
}

#[test]
fn a_random_claim_of_many_takes_each_once_and_all_that_there_are() {
    let mut store = store();
    for i in 0..50 {
        let when = if i % 2 == 0 { When::Now } else { When::After(1_000) };
        store.update(&later("a", when)).unwrap();
    }
    let claim = Claim { order: Order::Random, ..oldest(&["a"], 100) };
    let claimed = store.claims(&claim).unwrap();
    let mut origins: Vec<u64> = claimed.tasks.iter().map(|task| task.origin.0).collect();
    origins.sort_unstable();
    assert_eq!(origins, (0..25).map(|i| i * 2 + 1).collect::<Vec<u64>>());
    store.sound();
}

#[test]
fn a_claim_depends_even_where_there_is_nothing_to_take() {
    let mut store = store();
    let gone = Claim { depends: vec![Depend::Id(TaskId(5))], ..oldest(&["empty"], 1) };
    assert_eq!(store.claims(&gone).unwrap_err().code(), Code::MissingTask);
    let task = store.add("a", "1");
    let there = Claim { depends: vec![Depend::Origin(task.id)], ..oldest(&["a"], 1) };
    assert_eq!(store.claims(&there).unwrap().tasks.len(), 1);
}

#[test]
fn a_lapsed_claim_of_another_is_taken_over() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let mut other = store.second(OTHER);
    other.pass(60_000);
    let taken = other.claim("a").unwrap();
    assert_eq!((taken.owner, taken.attempt, taken.origin), (OTHER, 2, held.origin));
}

#[test]
fn a_claim_that_can_never_be_right_is_refused() {
    let mut store = store();
    for (claim, place) in [
        (oldest(&[], 1), "groups"),
        (oldest(&[""], 1), "groups[0]"),
        (oldest(&["a"], 0), "limit"),
        (oldest(&["a"], 10_001), "limit"),
        (Claim { lease: 0, ..oldest(&["a"], 1) }, "lease"),
        (Claim { lease: 31 * 24 * 3_600_000, ..oldest(&["a"], 1) }, "lease"),
    ] {
        let error = store.claims(&claim).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        assert!(error.message().starts_with(place), "{error}");
    }
}
