//! Groups: they exist while they have tasks, can be paused, and a full store still lets go.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{adds, increment, keyed, later, oldest, put, remove, store, store_with};
use tenure_core::{Code, IfExists, Kind, Limits, Outcome, Update, When, entry::Reason};

#[test]
fn a_group_exists_while_it_has_tasks() {
    let mut store = store();
    let task = store.add("a", "1");
    store.add("b", "2");
    let names = |store: &support::Handle| -> Vec<String> {
        store.state().groups(store.now.get()).into_iter().map(|group| group.name).collect()
    };
    assert_eq!(names(&store), ["a", "b"]);
    store.change(Update { id: task.id, group: Some("c".into()), ..Update::default() }).unwrap();
    assert_eq!(names(&store), ["b", "c"]);
}

#[test]
fn a_group_counts_what_is_available_delayed_and_held() {
    let mut store = store();
    store.update(&adds(&[("a", "1"), ("a", "2"), ("a", "3")])).unwrap();
    store.update(&later("a", When::After(1_000))).unwrap();
    store.claim("a").unwrap();
    let stats = store.state().group("a", store.now.get());
    assert_eq!((stats.tasks, stats.available, stats.delayed, stats.held), (4, 2, 1, 1));
    assert_eq!(stats.oldest, Some(support::START));
    assert_eq!(store.state().group("none", 0).tasks, 0);
}

#[test]
fn claims_skip_a_paused_group_and_take_from_the_next() {
    let mut store = store();
    store.update(&adds(&[("a", "1"), ("b", "2")])).unwrap();
    store.put("_groups", "a", r#"{"rate": {"paused": false}, "paused" : true, "unknown": [1]}"#);
    assert!(store.state().group("a", 0).paused);
    let claimed = store.claims(&oldest(&["a", "b"], 5)).unwrap();
    assert_eq!(claimed.tasks.len(), 1);
    assert_eq!(&*claimed.tasks[0].group, "b");
    store.put("_groups", "a", r#"{"paused": false}"#);
    assert!(store.claim("a").is_some());
    store.put("_groups", "a", r#"{"paused": true}"#);
    store.add("a", "3");
    store.update(&remove("_groups", "a")).unwrap();
    assert!(store.claim("a").is_some(), "no settings, no pause");
}

#[test]
fn unknown_settings_are_kept_as_they_were_put() {
    let mut store = store();
    let settings = r#"{"retries": 3, "note": "paused"}"#;
    store.put("_groups", "a", settings);
    assert_eq!(store.get("_groups", "a").as_deref(), Some(settings));
    assert!(!store.state().paused("a"));
    assert_eq!(store.update(&increment("_groups", "a", 1)).unwrap_err().kind(), Kind::Invalid);
}

#[test]
fn too_many_tasks_are_full_and_finishing_makes_room() {
    let mut store = store_with(Limits { max_tasks: 2, ..Limits::DEFAULT });
    let first = store.add_keyed("a", "k");
    store.add("a", "2");
    let error = store.update(&adds(&[("a", "3")])).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Full, Outcome::Refused));
    assert_eq!(error.message(), "the store is full: 3 tasks of 2 allowed: finish or delete some, or raise max_tasks");
    store.update(&keyed("a", "k", IfExists::Keep)).unwrap();
    store.update(&keyed("a", "k", IfExists::Replace)).unwrap();
    let mut swap = support::delete(store.state().by_key("a", "k").unwrap(), Reason::Finished);
    swap.adds = adds(&[("a", "4")]).adds;
    store.update(&swap).unwrap();
    assert!(store.claim("a").is_some(), "a claim is no add: {first:?}");
}

#[test]
fn a_store_that_is_beyond_its_limit_keeps_what_it_keeps() {
    let mut store = store();
    store.add_keyed("a", "k");
    store.add("a", "2");
    let setup = support::setup(7, Limits { max_tasks: 1, max_state_bytes: 10, ..Limits::DEFAULT });
    let mut small = support::open(&store.rows, setup).unwrap();
    small.update(&keyed("a", "k", IfExists::Keep)).unwrap();
    assert_eq!(small.update(&put("t", "k", "v")).unwrap_err().code(), Code::Full);
    let held = small.claim("a").unwrap();
    small.end(held.id, Reason::Finished).unwrap();
}

#[test]
fn too_much_journal_is_full_until_a_snapshot_lets_go() {
    let mut store = store_with(Limits { max_journal_bytes: 20_000, ..Limits::DEFAULT });
    let large = "x".repeat(1_000);
    let mut error = None;
    for _ in 0..2_000 {
        match store.update(&adds(&[("a", &large)])) {
            Ok(done) => drop(store.end(done.tasks[0].id, Reason::Finished).unwrap()),
            Err(full) => error = error.or(Some(full)),
        }
    }
    let error = error.expect("the journal grew without a bound");
    assert!(error.message().ends_with("take a snapshot, or raise max_journal_bytes"), "{error}");
}

#[test]
fn a_transaction_over_its_limits_names_them() {
    let limits = Limits { transaction_items: 2, data_bytes: 8, transaction_bytes: 20, key_bytes: 4, ..Limits::DEFAULT };
    let mut store = store_with(limits);
    for (request, why) in [
        (adds(&[("a", ""), ("a", ""), ("a", "")]), "3 items are more than the 2 that one transaction may have"),
        (adds(&[("a", "123456789")]), "9 bytes are over the limit of 8"),
        (adds(&[("group", "12345678"), ("group", "1234")]), "22 bytes are more than the 20 that one transaction"),
        (keyed("a", "12345", IfExists::Refuse), "a key of 5 bytes is over the limit of 4"),
    ] {
        let error = store.update(&request).unwrap_err();
        assert_eq!(error.code(), Code::OverLimit, "{error}");
        assert!(error.message().contains(why), "{error}");
    }
}
