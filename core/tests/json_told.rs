//! What one program writes and another reads back: requests, answers, errors, entries.

#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tenure_core::{
    Add, Author, Claim, Code, Committed, Data, Delete, Depend, Error, GroupStats, Guard, IfExists, Increment, Kind,
    Order, Outcome, OwnerId, Put, Record, Refusal, Remove, Request, Retry, Revision, StoreId, Task, TaskId, Update,
    Verb, When,
    engine::{Change, ChangeKind, Event},
    entry::{EntryKind, Reason},
    error::{CATALOGUE, Fate},
    inspect::{read_event, read_events},
    json::{
        ClaimCall, TaskPage, read_claim, read_committed, read_error, read_group, read_groups, read_record,
        read_records, read_request, read_task, read_task_list, read_tasks, text,
    },
};

const NOW: u64 = 1_000_000;

fn task() -> Task {
    Task {
        id: TaskId(14),
        origin: TaskId(3),
        group: "map".into(),
        key: Some("k\n".into()),
        available_at: 1000,
        added_at: 900,
        owner: OwnerId(7),
        attempt: 2,
        failures: 1,
        error: Some("no such file".into()),
        data: Data::from(vec![0, 255]),
    }
}

fn bare(id: u64) -> Task {
    Task {
        id: TaskId(id),
        origin: TaskId(0),
        group: "".into(),
        key: None,
        available_at: 0,
        added_at: 0,
        owner: OwnerId(0),
        attempt: 0,
        failures: 0,
        error: None,
        data: Data::default(),
    }
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let add = Add { group: "map".into(), data: "x".into(), ..Add::default() };
    let verbs = [Verb::Update, Verb::Renew, Verb::Release, Verb::Fail, Verb::Requeue];
    let update = |(i, verb): (usize, &Verb)| Update { id: TaskId(i as u64 + 1), verb: *verb, ..Update::default() };
    let full = Request {
        owner: OwnerId(7),
        actor: None,
        sent_after: None,
        request_id: Some("r\"1".into()),
        adds: vec![
            add.clone(),
            Add { available: When::After(5), key: Some("k".into()), if_exists: IfExists::Keep, ..add.clone() },
            Add { available: When::At(5), data: Data::from(vec![255]), if_exists: IfExists::Replace, ..add },
        ],
        updates: verbs
            .iter()
            .enumerate()
            .map(update)
            .chain([Update {
                id: TaskId(9),
                origin: Some(TaskId(1)),
                verb: Verb::Fail,
                data: Some("y".into()),
                group: Some("reduce".into()),
                available: Some(When::After(0)),
                error: Some("why".into()),
                force: true,
            }])
            .collect(),
        deletes: vec![
            Delete { id: TaskId(1), ..Delete::default() },
            Delete { id: TaskId(2), origin: Some(TaskId(1)), reason: Reason::Finished, force: true },
        ],
        depends: vec![Depend::Id(TaskId(4)), Depend::Origin(TaskId(5))],
        puts: vec![
            Put { table: "t".into(), key: "k".into(), value: "v".into(), ..Put::default() },
            Put { expect: Some(Revision(0)), expires_at: Some(9), ..Put::default() },
        ],
        removes: vec![Remove { table: "t".into(), key: "k".into(), expect: Some(Revision(3)) }, Remove::default()],
        increments: vec![Increment { by: -4, min: Some(-9), max: Some(9), ..Increment::default() }],
        guards: vec![Guard { table: "t".into(), key: "k".into(), expect: Revision(0) }],
        depends_only: true,
    };
    for request in [full, Request::default()] {
        assert_eq!(read_request(text(&request).as_bytes()).unwrap(), request);
    }
}

#[test]
fn now_is_written_as_no_delay_where_it_has_to_be_said() {
    let update = Update { id: TaskId(1), available: Some(When::Now), ..Update::default() };
    let request = Request { updates: vec![update], ..Request::default() };
    let back = read_request(text(&request).as_bytes()).unwrap();
    assert_eq!(back.updates[0].available, Some(When::After(0)));
}

#[test]
fn a_claim_is_read_as_it_was_written() {
    let claim = Claim {
        owner: OwnerId(7),
        actor: None,
        request_id: Some("r".into()),
        groups: vec!["a".into(), "b".into()],
        lease: 5,
        limit: 3,
        order: Order::Oldest,
        depends: vec![Depend::Id(TaskId(1))],
    };
    for wait in [None, Some(0), Some(30)] {
        let call = ClaimCall { claim: claim.clone(), wait };
        assert_eq!(read_claim(text(&call).as_bytes()).unwrap(), call);
    }
    assert_eq!(read_claim(text(&claim).as_bytes()).unwrap().claim, claim);
}

#[test]
fn answers_are_read_as_they_were_written() {
    let committed =
        Committed { revision: Revision(4), tasks: vec![task(), bare(9)], counts: vec![-3, 4], repeated: true };
    assert_eq!(read_committed(text(&committed).as_bytes()).unwrap(), committed);
    assert_eq!(read_committed(text(&Committed::default()).as_bytes()).unwrap(), Committed::default());
    assert_eq!(read_task(text(&task()).as_bytes()).unwrap(), task());
    let page = TaskPage { tasks: vec![task()], next: None };
    assert_eq!(read_tasks(text(&page.tasks[..]).as_bytes()).unwrap(), page);
    let next = format!("{{\"tasks\":[{}],\"next\":14}}", text(&task()));
    assert_eq!(read_tasks(next.as_bytes()).unwrap(), TaskPage { next: Some(TaskId(14)), ..page });
    let listed = format!("{{\"tasks\":[null,{}]}}", text(&task()));
    assert_eq!(read_task_list(listed.as_bytes()).unwrap(), [None, Some(task())]);
    let record = |value: Data, expires_at| Record {
        table: "t".into(),
        key: "k".into(),
        value,
        revision: Revision(3),
        expires_at,
    };
    let records = [record("v".into(), None), record(Data::from(vec![255]), Some(9))];
    assert_eq!(read_record(text(&records[0]).as_bytes()).unwrap(), records[0]);
    assert_eq!(read_records(text(&records[..]).as_bytes()).unwrap(), records);
    let full =
        GroupStats { name: "g".into(), tasks: 6, available: 1, delayed: 2, held: 3, oldest: Some(4), paused: true };
    let groups = [full, GroupStats { name: "h".into(), ..GroupStats::default() }];
    assert_eq!(read_group(text(&groups[0]).as_bytes()).unwrap(), groups[0]);
    assert_eq!(read_groups(text(&groups[..]).as_bytes()).unwrap(), groups);
}

#[test]
fn what_a_newer_program_added_is_passed_over_and_what_is_no_answer_is_refused() {
    let task = read_task(br#"{"id":1,"origin":1,"group":"g","data":"x","colour":{"deep":[1]}}"#).unwrap();
    assert_eq!(task.text(), Some("x"));
    assert!(read_error(br#"{"code":"held","detail":"why","details":{"moons":[1]}}"#, NOW).is_ok());
    for rubbish in ["", "<html>", "[]", "{}", "7", r#"{"tasks":1,"revision":1}"#, r#"{"revision":1,"tasks":[{}]}"#] {
        let bytes = rubbish.as_bytes();
        assert_eq!(read_committed(bytes).unwrap_err().code(), Code::Invalid, "{rubbish}");
        assert_eq!(read_task(bytes).unwrap_err().code(), Code::Invalid, "{rubbish}");
        assert_eq!(read_error(bytes, NOW).unwrap_err().code(), Code::Invalid, "{rubbish}");
        assert_eq!(read_event(bytes).unwrap_err().code(), Code::Invalid, "{rubbish}");
    }
}

/// The error as another program has it after it was told.
fn told(error: &Error) -> Error {
    read_error(text(error).as_bytes(), NOW).unwrap().or(Code::Internal)
}

fn assert_same(error: &Error) {
    let back = told(error);
    assert_eq!(back.code(), error.code());
    assert_eq!((back.kind(), back.outcome(), back.retry()), (error.kind(), error.outcome(), error.retry()));
    assert_eq!(back.message(), error.message());
    assert_eq!(back.refusals(), error.refusals());
}

#[test]
fn every_code_survives_being_told_with_whatever_outcome() {
    for code in CATALOGUE {
        let error = Error::new(*code, "why \"so\"");
        assert_same(&error);
        let told = read_error(text(&error).as_bytes(), NOW).unwrap();
        assert_eq!((told.code.as_str(), told.known), (code.slug(), Some(*code)));
        assert_eq!((told.outcome, told.retry), (Some(error.outcome()), Some(error.retry())));
        for outcome in [Outcome::Refused, Outcome::NotStarted, Outcome::Unknown] {
            assert_same(&error.clone().with_outcome(outcome));
        }
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::from_slug(kind.slug()), Some(kind));
    }
    for retry in [Retry::No, Retry::Later, Retry::WithSameRequestId] {
        assert_eq!(Retry::from_slug(retry.slug()), Some(retry));
    }
}

#[test]
fn a_code_that_is_not_known_here_becomes_the_first_of_its_kind() {
    let text =
        br#"{"error":{"kind":"full","code":"too_many_moons","message":"m","outcome":"refused","retry":"later"}}"#;
    let told = read_error(text, NOW).unwrap();
    assert_eq!((told.code.as_str(), told.known), ("too_many_moons", Some(Code::Full)));
    let problem = br#"{"type":"urn:x","title":"t","status":429,"detail":"slower","code":"too_many","retry":"later"}"#;
    let told = read_error(problem, NOW).unwrap();
    assert_eq!((told.known, told.retry, told.outcome), (None, Some(Retry::Later), None));
    let error = told.or(Code::Unavailable);
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "slower"));
}

#[test]
fn every_refusal_survives_being_told() {
    let fates = [
        Fate::Unknown,
        Fate::Changed {
            now_id: TaskId(9),
            owner: OwnerId(2),
            actor: "b:1".into(),
            available_at: 50,
            at: 40,
            by: OwnerId(3),
            by_actor: "c:1".into(),
            claimed: true,
        },
        Fate::Changed {
            now_id: TaskId(9),
            owner: OwnerId(0),
            actor: "".into(),
            available_at: 50,
            at: 0,
            by: OwnerId(0),
            by_actor: "".into(),
            claimed: false,
        },
        Fate::Removed { reason: Reason::Finished, owner: OwnerId(2), actor: "b:1".into(), at: 40 },
        Fate::Removed { reason: Reason::Replaced, owner: OwnerId(0), actor: "".into(), at: 0 },
    ];
    let mut all = Vec::new();
    for fate in fates {
        let id = TaskId(5);
        for (lost, lease_end) in [(false, 0), (true, 70)] {
            all.push(Refusal::MissingUpdate { id, lost, lease_end, fate: fate.clone(), now: NOW });
            all.push(Refusal::MissingDelete { id, lost, lease_end, fate: fate.clone(), now: NOW });
        }
        all.push(Refusal::MissingDepend { id, fate, now: NOW });
    }
    for actor in ["", "a:1"] {
        all.push(Refusal::Held { id: TaskId(5), owner: OwnerId(2), actor: actor.into(), until: 60, now: NOW });
    }
    all.push(Refusal::NotHeld { id: TaskId(5) });
    all.push(Refusal::RepeatedTask { id: TaskId(5) });
    all.push(Refusal::RepeatedKey { place: "t".into(), key: "k".into() });
    for (held, moved) in [(false, false), (true, false), (false, true)] {
        all.push(Refusal::KeyExists { group: "g".into(), key: "k".into(), id: TaskId(5), held, moved });
    }
    all.push(Refusal::StaleRecord { table: "t".into(), key: "k".into(), expected: Revision(0), found: Revision(4) });
    all.push(Refusal::Bounds { table: "t".into(), key: "k".into(), why: "too low".into() });
    for code in [Code::Invalid, Code::OverLimit] {
        all.push(Refusal::Illegal { place: "adds[0].group".into(), why: "too long".into(), code });
    }
    for refusal in &all {
        assert_same(&Error::rejected(vec![refusal.clone()]));
    }
    // Together they stand in the order of their lists.
    let together = told(&Error::rejected(all.clone()));
    assert_eq!(together.refusals().len(), all.len());
    assert!(all.iter().all(|refusal| together.refusals().contains(refusal)));
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let change = Change {
        kind: ChangeKind::Changed,
        id: TaskId(4),
        old: TaskId(2),
        place: "map".into(),
        key: None,
        reason: None,
        owner: OwnerId(7),
        available_at: 90,
        attempt: 2,
        failures: 1,
    };
    let nothing = Change {
        id: TaskId(0),
        old: TaskId(0),
        owner: OwnerId(0),
        available_at: 0,
        attempt: 0,
        failures: 0,
        place: Arc::default(),
        ..change.clone()
    };
    let changes = vec![
        Change { kind: ChangeKind::Added, old: TaskId(0), key: Some("k".into()), ..change.clone() },
        Change { kind: ChangeKind::Replaced, ..change.clone() },
        change,
        Change { kind: ChangeKind::Removed, old: TaskId(9), reason: Some(Reason::Finished), ..nothing.clone() },
        Change { kind: ChangeKind::Put, place: "t".into(), key: Some("k".into()), ..nothing.clone() },
        Change { kind: ChangeKind::RecordRemoved, place: "t".into(), key: Some("k".into()), ..nothing },
    ];
    let event = Event {
        revision: Revision(3),
        kind: EntryKind::Transaction,
        at: 1,
        owner: OwnerId(7),
        actor: "a:1".into(),
        author: Author(u64::MAX),
        request_id: Some("r".into()),
        changes,
    };
    assert_eq!(read_event(text(&event).as_bytes()).unwrap(), event);
    let listed = format!("{{\"entries\":[{},{}],\"next\":3}}", text(&event), text(&event));
    assert_eq!(read_events(listed.as_bytes()).unwrap(), [event.clone(), event.clone()]);
    for kind in (1..=6).filter_map(EntryKind::from_number) {
        let event = Event { kind, request_id: None, changes: Vec::new(), ..event.clone() };
        assert_eq!(read_event(text(&event).as_bytes()).unwrap(), event);
    }
}

#[test]
fn an_identity_is_read_as_it_was_written() {
    let id = StoreId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
    assert_eq!(StoreId::from_text(&id.to_string()), Some(id));
    for wrong in ["", "00", "x", "+1020304050607080900010203040506"] {
        assert_eq!(StoreId::from_text(wrong), None, "{wrong}");
    }
}
