use alloc::{format, string::ToString as _, vec, vec::Vec};

use super::*;
use crate::{
    entry::Reason,
    id::{Position, StoreId},
    request::{Add, Claim, Delete, Order, Request},
    snapshot::Walk,
};

const NOW: Millis = 1_000_000;

fn engine(author: u64) -> Engine {
    let setup = Setup {
        limits: Limits::DEFAULT,
        owner: OwnerId(author),
        actor: format!("test:{author}").into(),
        author: Author(author),
        seed: author,
    };
    Engine::new(setup, State::new(), Tail::empty(Position(1)))
}

fn add(group: &str) -> Request {
    Request { adds: vec![Add { group: group.into(), ..Add::default() }], ..Request::default() }
}

fn stage(engine: &mut Engine, request: &Request) -> Stage {
    engine.stage(Ask::Update(request), NOW, 0).unwrap()
}

/// What is staged, as a journal gives it back.
fn stored(engine: &Engine) -> Vec<(Draft, Tail)> {
    let tail = |draft: &Draft| Tail {
        position: Position(draft.revision.0 + 1),
        revision: draft.revision,
        next_id: draft.next_id,
        link: draft.revision.0 as u32,
    };
    engine.drafts().iter().map(|draft| (draft.clone(), tail(draft))).collect()
}

fn as_stored((draft, tail): &(Draft, Tail)) -> Stored<'_> {
    Stored {
        kind: draft.kind,
        author: draft.author,
        position: Position(draft.revision.0),
        durable: Position(0),
        tail: *tail,
        payload: &draft.payload,
    }
}

fn confirm(engine: &mut Engine) -> Vec<Committed> {
    let tail = stored(engine).last().unwrap().1;
    engine.confirm(&tail, NOW).unwrap()
}

#[test]
fn a_batch_that_stands_in_part_is_confirmed_in_part() {
    let mut engine = engine(1);
    for group in ["a", "b", "c"] {
        stage(&mut engine, &add(group));
    }
    let all = stored(&engine);
    let first = engine.settle(&as_stored(&all[0]), NOW).unwrap().unwrap();
    assert_eq!((first.revision, first.tasks[0].id), (Revision(1), TaskId(1)));
    engine.rollback();
    assert_eq!((engine.state().tasks(), engine.tail().revision), (1, Revision(1)));
    stage(&mut engine, &add("d"));
    assert_eq!(confirm(&mut engine)[0].tasks[0].id, TaskId(2), "what was rolled back used no id");
}

#[test]
fn what_stands_in_the_place_of_a_batch_rolls_it_back() {
    let (mut engine, mut other) = (engine(1), engine(2));
    stage(&mut engine, &add("a"));
    stage(&mut other, &add("b"));
    let theirs = stored(&other);
    assert!(engine.settle(&as_stored(&theirs[0]), NOW).unwrap().is_none());
    assert!(engine.drafts().is_empty());
    assert_eq!((engine.state().group_len("a"), engine.state().group_len("b")), (0, 1));
}

#[test]
fn a_walk_in_a_handle_with_staged_entries_sees_what_is_confirmed() {
    let mut engine = engine(1);
    stage(&mut engine, &add("a"));
    confirm(&mut engine);
    let digest = engine.state().digest();
    stage(&mut engine, &add("a"));
    let mut walk = Walk::new(engine.state(), engine.tail(), StoreId::default());
    while walk.slice(engine.state(), engine.tail(), 10).is_some() {}
    assert_eq!((walk.end().revision, engine.state().digest()), (Revision(1), digest));
}

#[test]
fn those_who_watch_are_told_what_is_confirmed_and_nothing_else() {
    let mut engine = engine(1);
    engine.watch(true);
    stage(&mut engine, &add("a"));
    engine.rollback();
    assert!(engine.take_events().is_empty());
    stage(&mut engine, &add("a"));
    confirm(&mut engine);
    let claim = Claim { groups: vec!["a".into()], order: Order::Oldest, ..Claim::default() };
    engine.stage(Ask::Claim(&claim), NOW, 0).unwrap();
    confirm(&mut engine);
    let deletes = vec![Delete { id: TaskId(2), reason: Reason::Finished, ..Delete::default() }];
    stage(&mut engine, &Request { deletes, ..Request::default() });
    confirm(&mut engine);
    let events = engine.take_events();
    let kinds: Vec<ChangeKind> = events.iter().map(|event| event.changes[0].kind).collect();
    assert_eq!(kinds, [ChangeKind::Added, ChangeKind::Changed, ChangeKind::Removed]);
    assert_eq!(events[2].changes[0].reason, Some(Reason::Finished));
    assert_eq!((&*events[0].actor, events[0].at, events[0].author), ("test:1", NOW, Author(1)));
}

#[test]
fn an_entry_says_who_did_it_the_handle_or_whom_the_request_names() {
    let mut engine = engine(1);
    engine.watch(true);
    let by = |actor: Option<&str>| Request { actor: actor.map(Into::into), owner: OwnerId(9), ..add("a") };
    for actor in [None, Some("web-2:311"), Some("web-3:5"), None] {
        stage(&mut engine, &by(actor));
        confirm(&mut engine);
    }
    let actors: Vec<_> = engine.take_events().iter().map(|event| event.actor.to_string()).collect();
    assert_eq!(actors, ["test:1", "web-2:311", "web-3:5", "test:1"]);
    let claim = Claim { actor: Some("web-4:1".into()), groups: vec!["a".into()], limit: 4, ..Claim::default() };
    engine.stage(Ask::Claim(&Claim { owner: OwnerId(8), ..claim }), NOW, 0).unwrap();
    confirm(&mut engine);
    let deletes = vec![Delete { id: TaskId(5), ..Delete::default() }];
    let refused = engine.stage(Ask::Update(&Request { deletes, ..by(None) }), NOW, 0).unwrap_err();
    assert!(refused.to_string().contains("owner 8 (web-4:1)"), "{refused}");
    for label in ["", "a\0b", &"x".repeat(256)] {
        let refused = engine.stage(Ask::Update(&by(Some(label))), NOW, 0).unwrap_err();
        assert!(refused.to_string().contains("actor: an actor's label"), "{refused}");
    }
}

#[test]
fn a_clock_that_is_ahead_is_counted_and_not_followed() {
    let (mut engine, mut other) = (engine(1), engine(2));
    other.stage(Ask::Update(&add("a")), NOW + 7_000, 0).unwrap();
    engine.ingest(&as_stored(&stored(&other)[0]), NOW).unwrap();
    assert_eq!(engine.ahead(), 7_000);
    stage(&mut engine, &add("b"));
    assert_eq!(confirm(&mut engine)[0].tasks[0].added_at, NOW);
}

#[test]
fn a_closed_engine_answers_why_for_ever() {
    let mut engine = engine(1);
    engine.close(Error::new(Code::Closed, "closed"));
    engine.close(Error::new(Code::Internal, "later"));
    for _ in 0..2 {
        assert_eq!(engine.stage(Ask::Update(&add("a")), NOW, 0).unwrap_err().code(), Code::Closed);
        assert_eq!(engine.stage_snapshot_marker(NOW).unwrap_err().code(), Code::Closed);
    }
}

#[test]
fn ids_end_before_a_javascript_number_does() {
    let mut engine = engine(1);
    let nearly = Tail { next_id: TaskId(crate::id::MAX_ID), revision: Revision(1), ..Tail::empty(Position(2)) };
    let filler = engine.filler(&Tail { next_id: nearly.next_id, ..*engine.tail() }, NOW);
    engine.ingest(&as_stored(&(filler, nearly)), NOW).unwrap();
    let error = engine.stage(Ask::Update(&add("a")), NOW, 0).unwrap_err();
    assert_eq!(error.code(), Code::Full);
}
