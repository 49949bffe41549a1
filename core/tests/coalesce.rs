//! Ops of one transaction that speak of the same thing become one; replay gives the same either way.

#![allow(clippy::unwrap_used)]

use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;
use tenure_core::{
    OwnerId, TaskId,
    entry::{Coalescer, Image, Op, Reason, Retitle},
};

fn image(id: u64, data: u8) -> Image<'static> {
    Image {
        id: TaskId(id),
        origin: TaskId(0),
        group: "a".into(),
        key: None,
        available_at: 0,
        added_at: 0,
        owner: OwnerId(0),
        attempt: 0,
        failures: 0,
        error: None,
        data: vec![data].into(),
    }
}

fn save(id: u64, data: u8) -> Op<'static> {
    Op::Save { replaces: TaskId(0), task: image(id, data) }
}

fn remove(id: u64) -> Op<'static> {
    Op::Remove { id: TaskId(id), reason: Reason::Deleted }
}

fn retitle(old: u64, id: u64) -> Op<'static> {
    Op::Retitle(Retitle {
        old: TaskId(old),
        id: TaskId(id),
        available_at: 9,
        owner: OwnerId(1),
        attempt: 1,
        failures: 0,
        group: None,
        error: None,
    })
}

fn put(key: &'static str, value: u8) -> Op<'static> {
    Op::Put { table: "t".into(), key: key.into(), expires_at: u64::from(value), value: vec![value].into() }
}

fn remove_record(key: &'static str) -> Op<'static> {
    Op::RemoveRecord { table: "t".into(), key: key.into() }
}

fn merged(ops: &[Op<'static>]) -> Vec<Op<'static>> {
    let mut merged = Coalescer::default();
    ops.iter().cloned().for_each(|op| merged.push(op));
    merged.into_ops().into_vec()
}

#[test]
fn nothing_becomes_nothing() {
    assert!(Coalescer::default().into_ops().is_empty());
}

#[test]
fn saves_of_tasks_merge_by_id_and_the_later_one_wins() {
    assert_eq!(merged(&[save(1, 1), save(2, 1), save(1, 2), save(3, 2)]), [save(1, 2), save(2, 1), save(3, 2)]);
}

#[test]
fn saves_and_removes_stand_in_order_and_each_kind_is_united() {
    let ops = [
        [save(1, 1), save(2, 1), save(1, 2), save(3, 2)].as_slice(),
        &[remove(1), remove(2)],
        &[save(4, 1), save(5, 1)],
        &[remove(3), remove(4), remove(5), remove(3)],
    ]
    .concat();
    let expected = [
        [save(1, 2), save(2, 1), save(3, 2)].as_slice(),
        &[remove(1), remove(2)],
        &[save(4, 1), save(5, 1)],
        &[remove(3), remove(4), remove(5)],
    ]
    .concat();
    assert_eq!(merged(&ops), expected);
}

#[test]
fn ops_of_different_kinds_are_not_merged() {
    for ops in [
        vec![save(1, 1), remove(1), save(1, 2)],
        vec![save(1, 1), retitle(1, 5), save(1, 2)],
        vec![put("k", 1), remove_record("k"), put("k", 2)],
        vec![remove(1), save(1, 1), remove(1)],
        vec![retitle(1, 5), retitle(5, 6)],
        vec![Op::Level(1), Op::Level(2)],
    ] {
        assert_eq!(merged(&ops), ops);
    }
}

#[test]
fn a_save_whose_old_place_was_used_in_between_stays() {
    let replacing = Op::Save { replaces: TaskId(1), task: image(5, 1) };
    let ops = [save(1, 1), replacing.clone(), save(1, 2)];
    assert_eq!(merged(&ops), ops);
    let ops = [replacing.clone(), save(1, 2), replacing.clone()];
    assert_eq!(merged(&ops), ops);
    assert_eq!(merged(&[replacing, save(5, 2)]), [Op::Save { replaces: TaskId(1), task: image(5, 2) }]);
}

#[test]
fn a_record_put_twice_keeps_the_last_and_a_removal_is_done_once() {
    assert_eq!(merged(&[put("k", 1), put("l", 1), put("k", 2)]), [put("k", 2), put("l", 1)]);
    assert_eq!(merged(&[remove_record("k"), remove_record("k")]), [remove_record("k")]);
}

/// What is there after ops, one after another, as a reader of the ops' documentation would say it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shelf {
    tasks: BTreeMap<u64, (u64, Vec<u8>)>,
    records: BTreeMap<String, (u64, Vec<u8>)>,
    level: u32,
}

impl Shelf {
    fn after(ops: &[Op<'_>]) -> Self {
        let mut shelf = Self::default();
        for op in ops {
            match op {
                Op::Save { replaces, task } => {
                    shelf.tasks.remove(&replaces.0);
                    shelf.tasks.insert(task.id.0, (task.available_at, task.data.to_vec()));
                }
                Op::Retitle(retitle) => {
                    if let Some((_, data)) = shelf.tasks.remove(&retitle.old.0) {
                        shelf.tasks.insert(retitle.id.0, (retitle.available_at, data));
                    }
                }
                Op::Remove { id, .. } => {
                    shelf.tasks.remove(&id.0);
                }
                Op::Put { key, value, expires_at, .. } => {
                    shelf.records.insert(key.clone().into(), (*expires_at, value.to_vec()));
                }
                Op::RemoveRecord { key, .. } => {
                    shelf.records.remove(&**key);
                }
                Op::Level(level) => shelf.level = *level,
            }
        }
        shelf
    }
}

fn any_op() -> impl Strategy<Value = Op<'static>> {
    let id = || 1u64..5;
    let key = || prop::sample::select(vec!["k", "l"]);
    prop_oneof![
        (0u64..5, id(), any::<u8>())
            .prop_map(|(replaces, id, data)| Op::Save { replaces: TaskId(replaces), task: image(id, data) }),
        (id(), id()).prop_map(|(old, id)| retitle(old, id)),
        id().prop_map(remove),
        (key(), any::<u8>()).prop_map(|(key, value)| put(key, value)),
        key().prop_map(remove_record),
        (1u32..3).prop_map(Op::Level),
    ]
}

proptest! {
    #[test]
    fn merging_never_changes_what_replay_gives(ops in prop::collection::vec(any_op(), 0..12)) {
        let merged = merged(&ops);
        prop_assert!(merged.len() <= ops.len());
        prop_assert_eq!(Shelf::after(&merged), Shelf::after(&ops), "{:?}", merged);
    }
}

#[test]
fn a_name_is_the_table_and_the_key_together() {
    let in_table = |table: &'static str| Op::Put {
        table: Cow::Borrowed(table),
        key: "k".into(),
        expires_at: 0,
        value: vec![].into(),
    };
    assert_eq!(merged(&[in_table("t"), in_table("u")]).len(), 2);
}
