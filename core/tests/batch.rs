//! Several requests in one append: each is answered as if those before it had been done, and nobody else sees it.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{adds, delete, from, keyed, named, oldest, put, store, verb};
use tenure_core::{
    Claim, Code, IfExists, Order, OwnerId, Position, Put, Request, Revision, Update, Verb, When,
    engine::Stage,
    entry::Reason,
    port::Tail,
    txn::Ask::{Claim as C, Update as U},
};

#[test]
fn a_claim_behind_an_add_of_the_same_batch_gets_the_task() {
    let mut store = store();
    let (add, claim) = (adds(&[("a", "x")]), oldest(&["a"], 1));
    let answers = store.run(&[U(&add), C(&claim)]);
    let claimed = answers[1].as_ref().unwrap();
    assert_eq!(claimed.committed.tasks[0].attempt, 1);
    assert_eq!(claimed.committed.revision, Revision(2));
}

#[test]
fn a_claim_looks_into_its_first_group_though_its_task_is_added_in_the_same_batch() {
    let mut store = store();
    store.add("low", "x");
    let (add, claim) = (adds(&[("high", "x")]), oldest(&["high", "low"], 1));
    let answers = store.run(&[U(&add), C(&claim)]);
    assert_eq!(&*answers[1].as_ref().unwrap().committed.tasks[0].group, "high");
}

#[test]
fn a_claim_behind_a_release_or_a_pause_of_the_same_batch_sees_it() {
    let mut store = store();
    store.add("a", "x");
    let held = store.claim("a").unwrap();
    let release = Request { updates: vec![verb(held.id, Verb::Release)], ..Request::default() };
    let claim = oldest(&["a"], 1);
    let pause = put("_groups", "a", r#"{"paused": true}"#);
    let resume = put("_groups", "a", r#"{"paused": false}"#);
    let answers = store.run(&[U(&release), U(&pause), C(&claim), U(&resume), C(&claim)]);
    let found: Vec<usize> = answers.iter().map(|answer| answer.as_ref().unwrap().committed.tasks.len()).collect();
    assert_eq!(found, [1, 0, 0, 0, 1]);
    assert_eq!(answers[2].as_ref().unwrap().committed.revision, answers[1].as_ref().unwrap().committed.revision);
}

#[test]
fn two_claims_of_one_batch_take_different_tasks() {
    let mut store = store();
    store.update(&adds(&[("a", "1"), ("a", "2"), ("a", "3")])).unwrap();
    for order in [Order::Random, Order::Oldest] {
        let claim = Claim { order, ..oldest(&["a"], 1) };
        let answers = store.run(&[C(&claim), C(&claim), C(&claim), C(&claim)]);
        let mut origins: Vec<u64> = Vec::new();
        for answer in &answers[..3] {
            origins.push(answer.as_ref().unwrap().committed.tasks[0].origin.0);
        }
        assert!(answers[3].as_ref().unwrap().committed.tasks.is_empty());
        origins.sort_unstable();
        assert_eq!(origins, [1, 2, 3]);
        store.pass(60_000);
    }
}

#[test]
fn a_request_that_names_a_task_of_the_same_batch_is_judged_behind_it() {
    let mut store = store();
    let task = store.add("a", "x");
    let data = Some("new".into());
    let change = Request { updates: vec![Update { id: task.id, data, ..Update::default() }], ..Request::default() };
    let finish = delete(task.id, Reason::Finished);
    let answers = store.run(&[U(&change), U(&finish)]);
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::MissingTask);
    assert_eq!(store.state().tasks(), 1);
}

#[test]
fn a_key_that_a_batch_gives_or_frees_is_judged_behind_it() {
    let mut store = store();
    let first = store.add_keyed("g", "k");
    let other = store.add_keyed("h", "k");
    let free = delete(first.id, Reason::Finished);
    let take = Update { id: other.id, group: Some("g".into()), ..Update::default() };
    let take = Request { updates: vec![take], ..Request::default() };
    let again = keyed("g", "k", IfExists::Refuse);
    let answers = store.run(&[U(&free), U(&take), U(&again)]);
    assert!(answers[0].is_ok());
    assert!(answers[1].is_ok(), "{answers:?}");
    assert_eq!(answers[2].as_ref().unwrap_err().code(), Code::KeyExists);
    store.sound();
}

#[test]
fn records_of_a_batch_are_seen_with_their_revisions_by_what_comes_behind() {
    let mut store = store();
    let first = put("t", "k", "1");
    let stale = |expect: u64| {
        let put = Put { table: "t".into(), key: "k".into(), expect: Some(Revision(expect)), ..Put::default() };
        Request { puts: vec![put], ..Request::default() }
    };
    let (absent, second) = (stale(0), stale(1));
    let answers = store.run(&[U(&first), U(&absent), U(&second)]);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::StaleRecord);
    assert_eq!(answers[2].as_ref().unwrap().committed.revision, Revision(2));
}

#[test]
fn an_answer_that_writes_nothing_waits_for_what_it_was_judged_behind() {
    let mut store = store();
    let empty = oldest(&["nothing"], 1);
    let add = adds(&[("a", "x")]);
    let answers = store.run(&[U(&add), C(&empty)]);
    assert_eq!(answers[0].as_ref().unwrap().until, answers[1].as_ref().unwrap().until);
}

#[test]
fn the_same_request_id_twice_in_a_batch_is_done_once() {
    let mut store = store();
    let add = named(adds(&[("a", "x")]), "one");
    let answers = store.run(&[U(&add), U(&add)]);
    let (first, second) = (answers[0].as_ref().unwrap(), answers[1].as_ref().unwrap());
    assert!(!first.committed.repeated && second.committed.repeated);
    assert_eq!(first.committed.tasks, second.committed.tasks);
    assert_eq!(store.state().tasks(), 1);
}

#[test]
fn what_changes_nothing_is_not_written() {
    let mut store = store();
    let task = store.add_keyed("g", "k");
    let before = *store.engine().tail();
    let kept = store.update(&keyed("g", "k", IfExists::Keep)).unwrap();
    assert_eq!((kept.revision, kept.into_task().unwrap()), (before.revision, task.clone()));
    store.update(&support::remove("t", "not there")).unwrap();
    let depends = Request { depends: vec![tenure_core::Depend::Id(task.id)], depends_only: true, ..Request::default() };
    store.update(&depends).unwrap();
    assert_eq!(*store.engine().tail(), before);
    store.update(&named(depends, "but this must be remembered")).unwrap();
    assert_eq!(store.engine().tail().revision.0, before.revision.0 + 1);
}

#[test]
fn ops_of_two_kinds_make_one_entry_and_its_revision_is_answered() {
    let mut store = store();
    let task = store.add("a", "x");
    let mut request = delete(task.id, Reason::Finished);
    request.adds = adds(&[("b", "y")]).adds;
    request.puts = put("t", "k", "v").puts;
    let before = store.engine().tail().revision;
    let done = store.update(&request).unwrap();
    assert_eq!(done.revision.0, before.0 + 1);
    assert_eq!(store.engine().tail().revision, done.revision);
}

#[test]
fn staged_transactions_are_invisible_and_a_rollback_leaves_nothing() {
    let mut store = store();
    let task = store.add("a", "x");
    let now = store.now.get();
    let engine = store.driver.engine_mut();
    let digest = engine.state().digest();
    let next = engine.state().next_id();
    let mut all = named(delete(task.id, Reason::Finished), "id");
    all.adds = adds(&[("b", "y")]).adds;
    all.puts = put("t", "k", "v").puts;
    assert!(matches!(engine.stage(U(&all), now, 0).unwrap(), Stage::Staged));
    assert_eq!(engine.drafts().len(), 1);
    assert!(engine.state().task(task.id).is_some());
    assert_eq!(engine.state().group_len("b"), 0);
    assert!(engine.state().tables().get("t", "k").is_none());
    assert!(engine.state().memo().is_empty());
    assert!(matches!(engine.stage(U(&delete(task.id, Reason::Deleted)), now, 0).unwrap(), Stage::Deferred));
    engine.rollback();
    assert!(engine.drafts().is_empty());
    assert_eq!((engine.state().digest(), engine.state().next_id()), (digest, next));
    assert!(matches!(engine.stage(U(&all), now, 0).unwrap(), Stage::Staged), "nothing of the first is left");
    let draft = engine.drafts()[0].clone();
    assert_eq!(draft.next_id.0, next.0 + 1);
    let tail = Tail { position: Position(3), revision: draft.revision, next_id: draft.next_id, link: 1 };
    let done = engine.confirm(&tail, now).unwrap();
    assert_eq!(done[0].tasks[0].id, next);
    assert!(engine.confirm(&tail, now).unwrap().is_empty(), "it is not confirmed twice");
    assert!(engine.state().task(task.id).is_none());
}

#[test]
fn requests_of_several_owners_stand_in_one_batch() {
    let mut store = store();
    let task = store.add("a", "x");
    let claim = Claim { owner: OwnerId(100), ..oldest(&["a"], 1) };
    let late = from(
        Request {
            updates: vec![Update { id: task.id, available: Some(When::Now), ..Update::default() }],
            ..Request::default()
        },
        OwnerId(200),
    );
    let answers = store.run(&[C(&claim), U(&late)]);
    assert_eq!(answers[0].as_ref().unwrap().committed.tasks[0].owner, OwnerId(100));
    let error = answers[1].as_ref().unwrap_err();
    assert_eq!(error.code(), Code::MissingTask);
}

#[test]
fn an_id_that_the_batch_itself_gives_is_known_behind_it() {
    let mut store = store();
    let answers = store.run(&[U(&adds(&[("a", "x")])), U(&delete(tenure_core::TaskId(1), Reason::Finished))]);
    assert!(answers[1].is_ok(), "{answers:?}");
    assert_eq!(store.state().tasks(), 0);
}

#[test]
fn the_oldest_task_may_be_one_that_the_batch_adds() {
    let mut store = store();
    store.add("a", "young");
    let old = support::later("a", When::At(5));
    let answers = store.run(&[U(&old), C(&oldest(&["a"], 1))]);
    assert_eq!(answers[1].as_ref().unwrap().committed.tasks[0].origin.0, 2);
}

#[test]
fn a_batch_forgets_a_request_at_the_revision_at_which_replay_does() {
    let mut store = support::store_with(tenure_core::Limits { request_window: 3, ..tenure_core::Limits::DEFAULT });
    let request = named(adds(&[("a", "x")]), "one");
    store.update(&request).unwrap();
    let other = adds(&[("a", "y")]);
    let answers = store.run(&[U(&other), U(&other), U(&request), U(&other), U(&request)]);
    let repeated: Vec<bool> = answers.iter().map(|answer| answer.as_ref().unwrap().committed.repeated).collect();
    assert_eq!(repeated, [false, false, true, false, false]);
    store.opens_alike();
}
