//! Updates: all or nothing, judged against the state before, every reason told.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{ME, OTHER, adds, delete, from, ids, keyed, message, put, reasons, store, verb};
use tenure_core::{
    Add, Code, Delete, Depend, IfExists, Kind, Outcome, OwnerId, Put, Request, Retry, Revision, TaskId, Update, Verb,
    When, entry::Reason,
};

#[test]
fn ids_begin_at_one_and_grow_adds_first_then_updates_in_the_order_asked() {
    let mut store = store();
    let first = store.update(&adds(&[("a", "1"), ("b", "2")])).unwrap();
    assert_eq!(ids(&first.tasks), [1, 2]);
    let mut both = adds(&[("a", "3"), ("a", "4")]);
    both.updates = vec![verb(TaskId(2), Verb::Update), verb(TaskId(1), Verb::Update)];
    let second = store.update(&both).unwrap();
    assert_eq!(ids(&second.tasks), [3, 4, 5, 6]);
    let origins: Vec<u64> = second.tasks.iter().map(|task| task.origin.0).collect();
    assert_eq!(origins, [3, 4, 2, 1]);
}

#[test]
fn an_id_is_never_used_again_after_a_restart_though_the_highest_is_gone() {
    let mut store = store();
    let task = store.add("a", "1");
    store.end(task.id, Reason::Finished).unwrap();
    let mut store = store.restarted();
    assert_eq!(store.add("a", "2").id, TaskId(2));
}

#[test]
fn every_reason_is_told_and_nothing_is_done_and_no_id_is_used() {
    let mut store = store();
    let free = store.add("a", "free");
    store.add("held", "x");
    let mut other = store.second(OTHER);
    let held = other.claim("held").unwrap();
    store.add_keyed("g", "k");
    store.put("t", "k", "word");
    let before = *store.engine().tail();
    let digest = store.state().digest();
    let mut request = keyed("g", "k", IfExists::Refuse);
    request.updates = vec![verb(TaskId(900), Verb::Update), verb(held.id, Verb::Update)];
    request.deletes = vec![
        Delete { id: TaskId(901), ..Delete::default() },
        Delete { id: free.id, ..Delete::default() },
        Delete { id: free.id, ..Delete::default() },
    ];
    request.depends = vec![Depend::Id(TaskId(902)), Depend::Origin(TaskId(903))];
    request.puts = vec![Put { table: "t".into(), key: "k".into(), expect: Some(Revision(0)), ..Put::default() }];
    request.increments = support::increment("t", "word", 1).increments;
    request.increments[0].min = Some(5);
    let error = store.update(&request).unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.retry()), (Kind::Rejected, Outcome::Refused, Retry::Later));
    assert_eq!(error.code(), Code::Held, "the reason that tells most names the whole");
    assert_eq!(error.refusals().len(), 9, "{error}");
    assert_eq!(*store.engine().tail(), before);
    assert_eq!(store.state().digest(), digest);
    assert_eq!(store.add("a", "next").id, before.next_id);
    store.sound();
}

#[test]
fn the_same_id_twice_is_refused_wherever_it_stands() {
    let mut store = store();
    let id = store.add("a", "1").id;
    let twice = |updates: usize, deletes: usize| Request {
        updates: vec![verb(id, Verb::Update); updates],
        deletes: vec![Delete { id, ..Delete::default() }; deletes],
        ..Request::default()
    };
    for (updates, deletes) in [(2, 0), (0, 2), (1, 1)] {
        let why = reasons(store.update(&twice(updates, deletes)));
        assert_eq!(why, ["task 1 stands more than once in one transaction: name each task once"]);
    }
    assert_eq!(store.state().tasks(), 1);
}

#[test]
fn a_transaction_that_asks_for_nothing_is_refused_and_one_that_depends_must_say_so() {
    let mut store = store();
    let id = store.add("a", "1").id;
    let nothing = store.update(&Request::default());
    assert_eq!(nothing.as_ref().unwrap_err().kind(), Kind::Invalid);
    assert_eq!(message(nothing), "request: it asks for nothing: add, update or delete something");
    let mut depends = Request { depends: vec![Depend::Id(id), Depend::Id(id)], ..Request::default() };
    assert_eq!(message(store.update(&depends)), "request: it only depends: say depends_only if that is meant");
    depends.depends_only = true;
    store.update(&depends).unwrap();
    depends.depends = vec![Depend::Id(TaskId(99))];
    assert_eq!(store.update(&depends).unwrap_err().code(), Code::MissingTask);
}

#[test]
fn a_dependency_must_only_exist_whoever_holds_it_and_may_be_named_by_its_origin() {
    let mut store = store();
    let origin = store.add("a", "1").id;
    let held = store.second(OTHER).claim("a").unwrap();
    let on = |depend| Request { depends: vec![depend], ..adds(&[("b", "x")]) };
    store.update(&on(Depend::Id(held.id))).unwrap();
    store.update(&on(Depend::Origin(origin))).unwrap();
    assert_eq!(store.update(&on(Depend::Id(origin))).unwrap_err().code(), Code::MissingTask);
}

#[test]
fn a_held_task_can_be_changed_by_its_owner_only_and_any_other_by_anyone() {
    let mut store = store();
    store.add("a", "1");
    let mut other = store.second(OTHER);
    let held = other.claim("a").unwrap();
    let why = reasons(store.end(held.id, Reason::Finished));
    assert_eq!(
        why,
        ["task 2 is held by owner 9 (test:9) until 01:47:40 UTC (60 s more): wait for it, or cancel it with force"]
    );
    store.pass(60_000);
    store.end(held.id, Reason::Finished).unwrap();
    let delayed = store.update(&support::later("a", When::After(5_000))).unwrap().into_task().unwrap();
    other.pass(1);
    other.end(delayed.id, Reason::Cancelled).unwrap();
}

#[test]
fn force_overrides_the_holder_whose_next_call_learns_that_its_claim_is_lost() {
    let mut store = store();
    store.add("a", "1");
    let mut other = store.second(OTHER);
    let held = other.claim("a").unwrap();
    let mut cancel = delete(held.id, Reason::Cancelled);
    cancel.deletes[0].force = true;
    store.pass(3_000);
    other.pass(5_000);
    store.update(&cancel).unwrap();
    let error = other.end(held.id, Reason::Finished).unwrap_err();
    assert!(error.is_lease_lost());
    assert_eq!(
        error.message(),
        "task 2 was cancelled by owner 7 (test:7) 2 s ago; your lease would have run until 01:47:40 UTC: discard this \
         result and claim again"
    );
}

#[test]
fn an_update_keeps_what_it_does_not_name() {
    let mut store = store();
    let mut request = keyed("a", "key", IfExists::Refuse);
    request.adds[0].data = "data".into();
    store.update(&request).unwrap();
    let held = store.claim("a").unwrap();
    let error = Some("text".into());
    let failed = store.change(Update { id: held.id, verb: Verb::Fail, error, ..Update::default() }).unwrap();
    let held = store.claim("a").unwrap();
    assert_eq!(held.error, failed.error);
    store.pass(10);
    let kept = store.change(verb(held.id, Verb::Update)).unwrap();
    assert_eq!(kept, tenure_core::Task { id: kept.id, ..held.clone() });
    let data = Some("other".into());
    let changed = store.change(Update { id: kept.id, data, ..Update::default() }).unwrap();
    assert_eq!(changed, tenure_core::Task { id: changed.id, data: "other".into(), ..held.clone() });
    let moved = store.change(Update { id: changed.id, group: Some("b".into()), ..Update::default() }).unwrap();
    assert_eq!((&*moved.group, moved.key.as_deref(), moved.owner), ("b", Some("key"), ME));
    store.sound();
}

#[test]
fn a_task_that_is_freed_by_an_update_is_nobodys() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let available = Some(When::Now);
    let freed = store.change(Update { id: held.id, available, ..Update::default() }).unwrap();
    assert_eq!((freed.owner, freed.attempt), (OwnerId(0), 1));
}

#[test]
fn a_refusal_of_an_old_id_says_what_became_of_it() {
    let mut store = store();
    store.add("a", "1");
    let first = store.claim("a").unwrap();
    store.pass(61_000);
    let mut other = store.second(OTHER);
    let second = other.claim("a").unwrap();
    store.pass(4_000);
    assert_eq!(
        message(store.end(first.id, Reason::Finished)),
        "task 2 was claimed again by owner 9 (test:9) 4 s ago and is task 3 now, held until 01:48:41 UTC; your lease \
         ended 01:47:40 UTC: discard this result and claim again"
    );
    other.end(second.id, Reason::Finished).unwrap();
    store.pass(120_000);
    let lost = store.change(verb(first.id, Verb::Renew));
    assert!(lost.as_ref().unwrap_err().is_lease_lost());
    assert_eq!(
        message(lost),
        "task 2 was finished by owner 9 (test:9) 2 min ago; your lease ended 01:47:40 UTC: discard this result and \
         claim again"
    );
    assert_eq!(
        message(store.end(TaskId(77), Reason::Finished)),
        "task 77 does not exist: look for it by its origin or key, it may have changed long ago"
    );
}

#[test]
fn a_refusal_says_that_nobody_holds_what_was_only_changed() {
    let mut store = store();
    let task = store.add("a", "1");
    store.change(verb(task.id, Verb::Update)).unwrap();
    let error = store.update(&from(delete(task.id, Reason::Finished), OTHER)).unwrap_err();
    assert_eq!(error.code(), Code::MissingTask);
    assert_eq!(
        error.message(),
        "task 1 was changed by owner 7 (test:7) 0 ms ago and is task 2 now, held by nobody: look at it and use that id"
    );
}

#[test]
fn who_holds_a_task_that_another_changed_by_force_is_told_who_did() {
    let mut store = store();
    store.add("a", "1");
    let held = store.claim("a").unwrap();
    let by_force = Update { id: held.id, force: true, data: Some("2".into()), ..Update::default() };
    store.update(&from(Request { updates: vec![by_force], ..Request::default() }, OTHER)).unwrap();
    assert_eq!(
        message(store.end(held.id, Reason::Finished)),
        "task 2 was changed by owner 9 (test:7) 0 ms ago and is task 3 now, held by owner 7 (test:7) until 01:47:40 UTC; \
         your lease would have run until 01:47:40 UTC: discard this result and claim again"
    );
    let available = Some(When::After(60_000));
    let renewed = store.change(Update { available, ..verb(TaskId(3), Verb::Renew) }).unwrap();
    assert_eq!(
        message(store.end(TaskId(3), Reason::Finished)),
        format!(
            "task 3 was changed by owner 7 (test:7) 0 ms ago and is task {} now, held until 01:47:40 UTC: look at it and \
             use that id",
            renewed.id
        )
    );
}

#[test]
fn what_can_never_be_right_is_refused_with_its_place() {
    let mut store = store();
    let bad = |group: &str, available| {
        let add = Add { group: group.into(), available, ..Add::default() };
        Request { adds: vec![add], ..Request::default() }
    };
    for (request, place) in [
        (bad("", When::Now), "adds[0].group"),
        (bad("_mine", When::Now), "adds[0].group"),
        (bad("a\0b", When::Now), "adds[0].group"),
        (bad(&"x".repeat(256), When::Now), "adds[0].group"),
        (bad("a", When::After(u64::MAX)), "adds[0]"),
        (bad("a", When::At(1 << 53)), "adds[0]"),
        (delete(TaskId(0), Reason::Finished), "deletes[0].id"),
        (delete(TaskId(1 << 53), Reason::Finished), "deletes[0].id"),
        (put("_secret", "k", "v"), "puts[0].table"),
        (put("t", "", "v"), "puts[0].key"),
        (put("_groups", "a", "no object"), "puts[0].value"),
    ] {
        let error = store.update(&request).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (Kind::Invalid, Outcome::NotStarted), "{error}");
        assert!(error.message().starts_with(place), "{error}");
    }
    store.update(&bad(&"x".repeat(255), When::At((1 << 53) - 1))).unwrap();
}
