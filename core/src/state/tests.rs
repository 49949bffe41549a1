use alloc::{borrow::Cow, format, string::String, vec::Vec};

use super::*;
use crate::{
    entry::{EntryHead, EntryKind, Image, Op, Reason, Retitle, write_head, write_op},
    error::{Code, Result},
    id::{OwnerId, Position},
    port::{Stored, Tail},
};

/// Folds ops into a state as one entry of this revision.
fn entry(state: &mut State, revision: u64, next_id: u64, ops: &[Op<'_>], mode: Mode) -> Result<bool> {
    let head = EntryHead { now: 1_000, owner: OwnerId(5), actor: "test".into(), request: None, ops: ops.len() as u32 };
    let mut payload = Vec::new();
    write_head(&mut payload, &head);
    for op in ops {
        write_op(&mut payload, op);
    }
    let tail =
        Tail { position: Position(revision + 1), revision: Revision(revision), next_id: TaskId(next_id), link: 0 };
    let stored = Stored {
        kind: EntryKind::Transaction,
        author: Author(1),
        position: Position(revision),
        durable: Position(0),
        tail,
        payload: &payload,
    };
    state.apply(&stored, mode, 100)
}

fn save(id: u64, group: &str, key: Option<&str>) -> Op<'static> {
    Op::Save {
        replaces: TaskId(0),
        task: Image {
            id: TaskId(id),
            origin: TaskId(0),
            group: Cow::Owned(group.into()),
            key: key.map(|key| Cow::Owned(key.into())),
            available_at: 1_000,
            added_at: 1_000,
            owner: OwnerId(0),
            attempt: 0,
            failures: 0,
            error: None,
            data: Cow::Owned(format!("data of {id}").into_bytes()),
        },
    }
}

fn retitle(old: u64, id: u64, group: Option<&'static str>) -> Op<'static> {
    Op::Retitle(Retitle {
        old: TaskId(old),
        id: TaskId(id),
        available_at: 2_000,
        owner: OwnerId(5),
        attempt: 1,
        failures: 0,
        group: group.map(Cow::Borrowed),
        error: None,
    })
}

fn remove(id: u64) -> Op<'static> {
    Op::Remove { id: TaskId(id), reason: Reason::Finished }
}

#[test]
fn what_does_not_fit_the_state_is_refused_as_damage() {
    let long = crate::time::MAX_TIME + 1;
    let mut late = save(2, "a", None);
    if let Op::Save { task, .. } = &mut late {
        task.available_at = long;
    }
    for (what, op) in [
        ("an unknown task removed", remove(9)),
        ("an unknown task renamed", retitle(9, 2, None)),
        ("a task saved again", save(1, "a", None)),
        ("a task renamed to one that lives", retitle(1, 1, None)),
        ("an id that was never given", save(7, "a", None)),
        ("a new id that was never given", retitle(1, 7, None)),
        ("no id", save(0, "a", None)),
        ("no group", save(2, "", None)),
        ("a move to no group", retitle(1, 2, Some(""))),
        ("a time beyond all", late),
        ("an unknown record removed", Op::RemoveRecord { table: "t".into(), key: "k".into() }),
    ] {
        let mut state = State::new();
        entry(&mut state, 1, 2, &[save(1, "a", None)], Mode::Strict).unwrap();
        let error = entry(&mut state, 2, 3, &[op], Mode::Strict).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "{what}: {error}");
    }
}

#[test]
fn a_gap_between_revisions_is_refused() {
    let mut state = State::new();
    assert_eq!(entry(&mut state, 2, 2, &[], Mode::Strict).unwrap_err().code(), Code::Corrupt);
    assert!(entry(&mut state, 1, 1, &[], Mode::Strict).unwrap());
    assert_eq!(entry(&mut state, 1, 1, &[], Mode::Strict).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn replay_over_itself_changes_nothing() {
    let entries: [&[Op<'_>]; 5] = [
        &[save(1, "a", Some("k")), save(2, "b", None)],
        &[retitle(1, 3, None)],
        &[retitle(3, 4, Some("b"))],
        &[remove(2), save(5, "a", Some("k"))],
        &[retitle(5, 6, None), remove(4)],
    ];
    let ids = [3, 4, 5, 6, 7];
    let live = |until: usize| {
        let mut state = State::new();
        for at in 0..until {
            entry(&mut state, at as u64 + 1, ids[at], entries[at], Mode::Strict).unwrap();
        }
        state
    };
    let end = live(5);
    // As a walk would have it that saw all of it at one of the revisions in between, and began at the first.
    for seen in 1..=5 {
        let mut state = live(seen);
        state.revision = Revision(0);
        for at in 0..5 {
            entry(&mut state, at as u64 + 1, ids[at], entries[at], Mode::Tolerant).unwrap();
        }
        state.check().unwrap();
        assert_eq!((state.digest(), state.tasks(), state.bytes()), (end.digest(), end.tasks(), end.bytes()), "{seen}");
        assert_eq!(state.by_key("a", "k"), end.by_key("a", "k"));
    }
}

#[test]
fn every_group_that_was_stirred_is_told_however_many_there_are() {
    let mut state = State::new();
    for id in 1..=3_000 {
        let group = if id % 2 == 0 { "even" } else { "odd" };
        entry(&mut state, id, id + 1, &[save(id, group, None)], Mode::Strict).unwrap();
    }
    let told: alloc::collections::BTreeSet<_> = state.take_stirred().into_iter().collect();
    assert_eq!(told.iter().map(|name| &**name).collect::<Vec<_>>(), ["even", "odd"]);
    assert!(state.take_stirred().is_empty());
    for id in 3_001..=6_000 {
        let group: String = format!("{id}");
        entry(&mut state, id, id + 1, &[save(id, &group, None)], Mode::Strict).unwrap();
    }
    let told: alloc::collections::BTreeSet<_> = state.take_stirred().into_iter().collect();
    assert!((3_001..=6_000).all(|id| told.contains(&*format!("{id}"))), "one of 3000 groups was not told");
}

#[test]
fn the_digest_depends_on_what_is_there_and_not_on_how_it_came() {
    let mut one = State::new();
    entry(&mut one, 1, 3, &[save(1, "a", None), save(2, "b", None)], Mode::Strict).unwrap();
    let mut other = State::new();
    entry(&mut other, 1, 4, &[save(2, "b", None), save(3, "c", None), save(1, "a", None)], Mode::Strict).unwrap();
    assert_ne!(one.digest(), other.digest());
    entry(&mut other, 2, 4, &[remove(3)], Mode::Strict).unwrap();
    assert_eq!(one.digest(), other.digest());
}
