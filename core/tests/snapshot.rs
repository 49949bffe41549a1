//! Snapshots: a walk in slices while commits go on, and what a handle makes of it that opens the store later.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{adds, keyed, later, named, store, store_with, verb};
use tenure_core::{
    Code, Delete, IfExists, Limits, OwnerId, Request, StoreId, Update, Verb, When,
    driver::{begin_of, prune},
    entry::Reason,
    port::{SnapshotName, under_name},
    snapshot::{ChunkKind, Loader, Walk, pack},
};

#[test]
fn a_task_that_is_added_and_claimed_while_the_walk_runs_is_there_once() {
    let mut store = store();
    for i in 0..8 {
        store.add("a", &format!("{i}"));
    }
    store.fuzzy_snapshot(2, |store, slices| {
        if slices == 2 {
            store.add("b", "late");
            assert!(store.claim("b").is_some());
        }
    });
    store.opens_alike();
}

#[test]
fn a_task_that_is_changed_many_times_while_the_walk_runs_is_there_once() {
    let mut store = store();
    for i in 0..8 {
        store.add("a", &format!("{i}"));
    }
    store.fuzzy_snapshot(2, |store, slices| {
        if slices == 2 {
            let late = store.add("b", "late");
            let data = Some("data".into());
            let changed = store.change(Update { id: late.id, data, ..Update::default() }).unwrap();
            let held = store.claim("b").unwrap();
            assert_eq!(held.origin, changed.origin);
            store.change(verb(held.id, Verb::Fail)).unwrap();
        }
    });
    store.opens_alike();
}

#[test]
fn a_key_that_another_task_had_for_a_while_is_found_after_the_replay() {
    let mut store = store();
    for i in 0..6 {
        store.add("a", &format!("{i}"));
    }
    let moved = store.add_keyed("h", "k");
    store.fuzzy_snapshot(2, |store, slices| {
        if slices == 2 {
            let short = store.add_keyed("g", "k");
            store.end(short.id, Reason::Finished).unwrap();
            store.change(Update { id: moved.id, group: Some("g".into()), ..Update::default() }).unwrap();
        }
    });
    store.opens_alike();
    let mut other = store.second(support::OTHER);
    let kept = other.update(&keyed("g", "k", IfExists::Keep)).unwrap().into_task().unwrap();
    assert_eq!(kept.origin, moved.origin);
}

#[test]
fn a_walk_ends_though_requests_with_ids_are_committed_between_all_its_slices() {
    let mut store = store();
    store.add("a", "1");
    let mut slices = 0;
    store.fuzzy_snapshot(1, |store, _| {
        slices += 1;
        assert!(slices < 50, "the walk never ends");
        store.update(&named(adds(&[("a", "x")]), &format!("request {slices}"))).unwrap();
    });
    store.opens_alike();
}

#[test]
fn a_handle_that_opens_from_a_snapshot_has_forgotten_the_same_requests() {
    let mut store = store_with(Limits { request_window: 3, ..Limits::DEFAULT });
    for i in 0..4 {
        store.update(&named(adds(&[("a", "x")]), &format!("before {i}"))).unwrap();
    }
    store.fuzzy_snapshot(1, |store, slice| {
        store.update(&named(adds(&[("a", "x")]), &format!("during {slice}"))).unwrap();
    });
    store.opens_alike();
    store.add("a", "y");
    store.opens_alike();
}

#[test]
fn the_head_speaks_of_the_revision_at_which_the_walk_began() {
    let mut store = store();
    store.add("a", "1");
    let mut other = store.second(support::OTHER);
    let clock = &|| support::START;
    store.driver.hand_off(false, clock).unwrap();
    let mut prepared = store.driver.begin_snapshot(clock).unwrap();
    // Another handle's entry comes in that does not count, and the store is given back, before the first slice.
    let late = tenure_core::port::Draft {
        kind: tenure_core::entry::EntryKind::Transaction,
        revision: tenure_core::Revision(store.engine().tail().revision.0 + 1),
        next_id: tenure_core::TaskId(9),
        author: other.engine().author(),
        payload: payload_of(&mut other),
    };
    let tail = *store.engine().tail();
    store.driver.journal().append(&tail, &[late]).unwrap();
    store.driver.release(clock).unwrap();
    assert_eq!(store.engine().skipped(), 1);
    let mut chunks = Vec::new();
    while let Some((kind, raw)) = store.driver.slice(&mut prepared.walk, 10) {
        chunks.push(tenure_core::snapshot::pack(kind, &raw));
    }
    let name = tenure_core::port::SnapshotName { end: prepared.walk.end().revision, author: store.engine().author() };
    let mut chunks = chunks.into_iter();
    prepared.journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
    store.opens_alike();
}

/// What another handle would write, were it not fenced.
fn payload_of(other: &mut support::Handle) -> Vec<u8> {
    let mut engine = tenure_core::engine::Engine::new(
        support::setup(other.engine().author().0, Limits::DEFAULT),
        tenure_core::state::State::new(),
        *other.engine().tail(),
    );
    let request = adds(&[("ghost", "must never be seen")]);
    engine.stage(tenure_core::txn::Ask::Update(&request), support::START, 0).unwrap();
    engine.drafts()[0].payload.clone()
}

#[test]
fn a_snapshot_of_a_higher_level_is_not_opened() {
    let mut store = store();
    store.add("a", "1");
    let clock = &|| support::START;
    let mut prepared = store.driver.begin_snapshot(clock).unwrap();
    let mut chunks = Vec::new();
    chunks.extend(store.driver.slice(&mut prepared.walk, 10));
    store
        .driver
        .control(clock, &mut |engine, now| {
            engine.stage_level(now, 2);
            Ok(true)
        })
        .unwrap();
    while let Some(slice) = store.driver.slice(&mut prepared.walk, 10) {
        chunks.push(slice);
    }
    let name = tenure_core::port::SnapshotName { end: prepared.walk.end().revision, author: store.engine().author() };
    let mut chunks = chunks.iter().map(|(kind, raw)| tenure_core::snapshot::pack(*kind, raw));
    prepared.journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
    let opened = support::open(&store.rows, support::setup(3, Limits::DEFAULT));
    assert_eq!(opened.map(|_| ()).unwrap_err().code(), Code::UpgradeNeeded);
}

#[test]
fn ids_go_on_above_the_highest_that_ever_was_though_it_is_gone() {
    let mut store = store();
    store.add("a", "1");
    let last = store.add("a", "2");
    store.end(last.id, Reason::Finished).unwrap();
    store.snapshot();
    store.snapshot();
    assert!(store.driver.journal().floor().unwrap().revision.0 > 0, "the journal still has the add");
    let mut store = store.restarted();
    assert_eq!(store.add("a", "3").id.0, last.id.0 + 1);
}

#[test]
fn two_snapshots_and_the_journal_from_the_older_one_are_kept() {
    let mut store = store();
    for i in 0..5 {
        store.add("a", &format!("{i}"));
        store.snapshot();
    }
    let names = store.driver.journal().snapshots().unwrap();
    assert_eq!(names.len(), 2);
    // Even without the newest, the store opens.
    store.driver.journal().remove_snapshot(names[0]).unwrap();
    store.opens_alike();
}

#[test]
fn c14_s1_of_two_snapshots_that_overlap_the_one_that_began_later_is_the_one_that_is_kept() {
    let mut slow = store();
    slow.add("a", "first");
    slow.snapshot();
    let (mut quick, mut third) = (slow.second(support::OTHER), slow.second(OwnerId(11)));
    let mut published = None;
    let early = slow.fuzzy_snapshot(1, |slow, slices| {
        if slices == 1 {
            slow.add("a", "before the second one begins");
            quick.catch_up();
            published = Some(quick.fuzzy_snapshot(10, |_, _| ()));
            slow.add("a", "before the first one ends");
        }
    });
    let later = published.unwrap();
    assert!(early.end > later.end);
    let begin = begin_of(quick.driver.journal(), later).unwrap();
    assert!(begin > begin_of(quick.driver.journal(), early).unwrap());
    // Each lets go of what is superfluous, in any order, and a third begins its own.
    prune(quick.driver.journal()).unwrap();
    slow.opens_alike();
    let mut journal = support::journal(&third.rows);
    third.driver.make_room(&mut *journal).unwrap();
    third.catch_up();
    slow.opens_alike();
    prune(slow.driver.journal()).unwrap();
    slow.opens_alike();
}

/// A snapshot whose chunks are whole and whose digest is that of another state.
fn misfit(store: &mut support::Handle) -> SnapshotName {
    let mut prepared = store.driver.begin_snapshot(&|| support::START).unwrap();
    let mut chunks = Vec::new();
    while let Some((kind, mut raw)) = store.driver.slice(&mut prepared.walk, 10) {
        if kind == ChunkKind::End {
            // The number of pieces is the last byte, the digest's varint stands before it.
            let inside = raw.len() - 4;
            raw[inside] ^= 1;
        }
        chunks.push(pack(kind, &raw));
    }
    let name = SnapshotName { end: prepared.walk.end().revision, author: store.engine().author() };
    let mut chunks = chunks.into_iter();
    prepared.journal.publish_snapshot(&mut under_name(name, || Ok(chunks.next()))).unwrap();
    name
}

#[test]
fn of_a_snapshot_that_does_not_fit_the_journal_the_older_one_takes_the_place_and_that_is_told() {
    let mut store = store();
    for i in 0..5 {
        store.add("a", &format!("{i}"));
    }
    store.snapshot();
    store.add("a", "between");
    store.snapshot();
    assert!(store.driver.journal().floor().unwrap().revision.0 > 0, "the journal alone would do");
    store.add("a", "later");
    let older = store.driver.journal().snapshots().unwrap()[0];
    let bad = misfit(&mut store);
    let mut other = store.second(support::OTHER);
    support::alike(store.catch_up(), other.state());
    let [(name, error)] = other.driver.damaged() else { panic!("{:?}", other.driver.damaged()) };
    assert_eq!((*name, error.code()), (bad, Code::Corrupt));
    assert!(error.message().contains("do not make one state"), "{error}");
    // The next one takes its place, and the good one stays beside that.
    other.snapshot();
    let kept = other.driver.journal().snapshots().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[1], older);
    assert!(other.driver.damaged().is_empty());
    other.opens_alike();
}

#[test]
fn where_no_snapshot_fits_the_store_is_corrupt() {
    let mut store = store();
    store.add("a", "1");
    store.snapshot();
    store.snapshot();
    for name in store.driver.journal().snapshots().unwrap() {
        store.driver.journal().remove_snapshot(name).unwrap();
    }
    misfit(&mut store);
    let opened = support::open(&store.rows, support::setup(3, Limits::DEFAULT));
    assert_eq!(opened.map(|_| ()).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn many_remembered_requests_are_walked_while_more_come_in() {
    let mut store = store();
    for i in 0..1_500 {
        store.update(&named(adds(&[("a", "x")]), &format!("before {i}"))).unwrap();
    }
    let mut during = 0;
    store.fuzzy_snapshot(300, |store, _| {
        for _ in 0..40 {
            during += 1;
            store.update(&named(adds(&[("a", "x")]), &format!("during {during}"))).unwrap();
        }
    });
    store.opens_alike();
    let mut other = store.second(support::OTHER);
    assert_eq!(other.state().memo().len(), 1_500 + during);
    let repeat = Request { owner: support::ME, ..named(adds(&[("a", "x")]), "before 700") };
    assert!(other.update(&repeat).unwrap().repeated);
}

#[test]
fn a_slice_over_vacant_slots_is_bounded_and_the_walk_goes_on_behind_them() {
    let mut store = store();
    let many = store.update(&adds(&vec![("a", "x"); 3_000])).unwrap().tasks;
    store.add("a", "last");
    let deletes = many.iter().map(|task| Delete { id: task.id, ..Delete::default() }).collect();
    store.update(&Request { deletes, ..Request::default() }).unwrap();
    let mut walk = Walk::new(store.state(), store.engine().tail(), StoreId([1; 16]));
    let (mut empty, mut chunks) = (0, Vec::new());
    while let Some((kind, raw)) = walk.slice(store.state(), store.engine().tail(), 1) {
        empty += usize::from(raw.is_empty());
        chunks.push(pack(kind, &raw));
    }
    assert!(empty >= 40, "3000 vacant slots were passed in {empty} slices");
    let mut loader = Loader::new(StoreId([1; 16]));
    for chunk in &chunks {
        loader.feed(chunk).unwrap();
    }
    assert_eq!(loader.finish().unwrap().state.tasks(), 1);
}

#[test]
fn a_delayed_task_and_one_with_a_failure_survive_a_snapshot() {
    let mut store = store();
    store.update(&later("a", When::After(5_000))).unwrap();
    store.add_keyed("a", "key");
    let held = store.claim("a").unwrap();
    let error = Some("no such file".into());
    store.change(Update { id: held.id, verb: Verb::Fail, error, ..Update::default() }).unwrap();
    store.put("t", "k", "v");
    store.snapshot();
    store.opens_alike();
    let again = store.restarted();
    let failed = again.all().into_iter().find(|task| task.failures == 1).unwrap();
    assert_eq!(failed.error.as_deref(), Some("no such file"));
    assert_eq!(failed.key.as_deref(), Some("key"));
    assert_eq!(again.get("t", "k").as_deref(), Some("v"));
    assert_eq!(again.engine().caller().owner, OwnerId(7));
}

#[test]
fn a_task_in_a_slot_that_was_vacant_when_the_walk_began_is_there_once() {
    let mut store = store();
    let first = store.add("a", "1");
    let second = store.add("a", "2");
    store.change(verb(first.id, Verb::Update)).unwrap();
    store.end(second.id, Reason::Finished).unwrap();
    store.fuzzy_snapshot(1, |store, slices| {
        if slices == 1 {
            store.add("c", "late");
            assert!(store.claim("c").is_some());
        }
    });
    store.opens_alike();
}
