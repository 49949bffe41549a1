//! Schedules that break a naive store of this kind, each named after its number in the list of hazards: state,
//! snapshots, hand-offs, request ids, time. Those of bytes and files are beside the byte log.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use support::{Handle, OTHER, START, adds, keyed, named, oldest, renew, store, store_with, verb};
use tenure_core::{
    Author, Code, Data, IfExists, Limits, OwnerId, Request, StoreId, TaskId, Update, Verb, When,
    bytelog::{ByteLog, Options},
    driver::Driver,
    entry::Reason,
    rows::{MemoryRows, RowLog},
    snapshot::{Loader, Walk, pack},
    testing::{Fault, Faults, Faulty, SimDisk},
    txn::Ask,
};

const CLOCK: &dyn Fn() -> u64 = &|| START;

fn faulty(number: u64, rows: &MemoryRows, faults: &Faults) -> Driver {
    let journal = Faulty::new(Box::new(RowLog::new(rows.clone())), faults.clone());
    Driver::open(Box::new(journal), support::setup(number, Limits::DEFAULT), 10, CLOCK).unwrap()
}

#[test]
fn a4_s1_a_snapshot_never_holds_what_is_only_staged() {
    let mut store = store();
    let kept = store.add("a", "kept");
    let now = store.now.get();
    let engine = store.driver.engine_mut();
    let mut staged = support::delete(kept.id, Reason::Finished);
    staged.adds = adds(&[("a", "ghost")]).adds;
    engine.stage(Ask::Update(&staged), now, 0).unwrap();
    let mut walk = Walk::new(engine.state(), engine.tail(), StoreId([1; 16]));
    let mut loader = Loader::new(StoreId([1; 16]));
    while let Some((kind, raw)) = walk.slice(engine.state(), engine.tail(), 1) {
        loader.feed(&pack(kind, &raw)).unwrap();
    }
    engine.rollback();
    let read = loader.finish().unwrap();
    assert_eq!(read.digest, engine.state().digest());
    assert_eq!(read.state.task(kept.id), Some(kept));
    assert_eq!(read.state.tasks(), 1);
}

#[test]
fn a4_s2_a_read_never_sees_an_id_that_a_rollback_takes_back() {
    let faults = Faults::new(1);
    let rows = MemoryRows::new(StoreId([1; 16]));
    let mut driver = faulty(1, &rows, &faults);
    faults.fail_append(1, Fault::Refuse);
    let ghost = driver.engine().state().next_id();
    driver.ask(Ask::Update(&adds(&[("a", "ghost")])), CLOCK).unwrap_err();
    assert_eq!(driver.engine().state().task(ghost), None);
    let task = driver.ask(Ask::Update(&adds(&[("a", "real")])), CLOCK).unwrap().committed.into_task().unwrap();
    assert_eq!((task.id, task.text()), (ghost, Some("real")), "nobody ever saw the ghost under this id");
}

#[test]
fn c14_s3_a_replica_that_fell_behind_is_loaded_anew_while_others_have_the_lock() {
    let disk = SimDisk::new();
    let driver = |author: u64| {
        let options = Options { segment_bytes: 4000, ..Options::new(Author(author)) };
        let log = ByteLog::create(disk.process(), options, StoreId([1; 16])).unwrap();
        Driver::open(Box::new(log), support::setup(author, Limits::DEFAULT), 10, CLOCK).unwrap()
    };
    let (mut behind, mut ahead) = (driver(1), driver(2));
    // What two snapshots let go of is more than `behind` has seen.
    for _ in 0..2 {
        for _ in 0..20 {
            ahead.ask(Ask::Update(&adds(&[("a", &*"x".repeat(1000))])), CLOCK).unwrap();
        }
        ahead.snapshot(CLOCK).unwrap();
    }
    disk.keep_log();
    behind.ask(Ask::Update(&adds(&[("a", "mine")])), CLOCK).unwrap();
    let (mut locked, mut loads) = (false, 0);
    for call in disk.log() {
        match call.split(' ').next() {
            Some("lock") => locked = true,
            Some("unlock") => locked = false,
            _ if call.contains(".snap") => {
                assert!(!locked, "{call:?} under the lock: all others wait for it");
                loads += 1;
            }
            _ => {}
        }
    }
    assert!(loads > 0, "it was not loaded anew: the test shows nothing");
    assert_eq!(behind.engine().state().tasks(), 41);
}

#[test]
fn a5_s1_a_claim_or_renewal_writes_none_of_the_data() {
    let mut store = store();
    store.add("a", &"x".repeat(1 << 20));
    let before = store.driver.journal().stats().unwrap().journal_bytes;
    let held = store.claim("a").unwrap();
    let renewed = store.change(renew(held.id, 60_000)).unwrap();
    store.change(verb(renewed.id, Verb::Fail)).unwrap();
    let written = store.driver.journal().stats().unwrap().journal_bytes - before;
    assert!(written < 1_000, "{written} bytes for three changes of a large task");
}

#[test]
fn a5_s2_a_claim_behind_the_walk_loses_no_data() {
    let mut store = store();
    let first = store.add("x", "first");
    for i in 0..4 {
        store.add("a", &format!("{i}"));
    }
    store.end(first.id, Reason::Finished).unwrap();
    store.fuzzy_snapshot(1, |store, slice| {
        if slice == 2 {
            // The walk has passed the free slot; nothing may move into it.
            store.claims(&oldest(&["a"], 4)).unwrap();
        }
    });
    store.opens_alike();
    assert_eq!(store.restarted().all().iter().map(|task| task.text().unwrap().len()).sum::<usize>(), 4);
}

#[test]
fn a7_s1_an_append_that_comes_too_late_leaves_nothing_in_the_middle() {
    let faults = Faults::new(1);
    let rows = MemoryRows::new(StoreId([1; 16]));
    let (mut a, mut b) = (faulty(1, &rows, &faults), faulty(2, &rows, &faults));
    let large = adds(&[("a", &*"x".repeat(100_000)), ("a", "2")]);
    faults.fail_append(1, Fault::Late(40));
    a.ask(Ask::Update(&large), CLOCK).unwrap_err();
    for _ in 0..50 {
        b.ask(Ask::Update(&adds(&[("b", "small")])), CLOCK).unwrap();
    }
    assert!(faults.met().contains(&("came too late", 1)));
    a.catch_up(CLOCK).unwrap();
    b.catch_up(CLOCK).unwrap();
    assert_eq!((a.engine().state().group_len("a"), a.engine().state().group_len("b")), (0, 50));
    assert_eq!(a.engine().state().digest(), b.engine().state().digest());
}

#[test]
fn a7_s2_a_refused_request_never_lands_later() {
    for calls in 1..12 {
        let faults = Faults::new(1);
        let rows = MemoryRows::new(StoreId([1; 16]));
        let (mut a, mut b) = (faulty(1, &rows, &faults), faulty(2, &rows, &faults));
        faults.fail_append(1, Fault::Late(calls));
        let answer = a.ask(Ask::Update(&adds(&[("a", "x")])), CLOCK);
        for _ in 0..20 {
            b.catch_up(CLOCK).unwrap();
        }
        assert_eq!(b.engine().state().tasks(), u64::from(answer.is_ok()), "{calls}: {answer:?}");
    }
}

#[test]
fn b9_s1_one_add_from_a_shell_does_not_fence_the_writer() {
    let mut writer = store();
    writer.driver.hand_off(false, CLOCK).unwrap();
    let mut shell = writer.second(OTHER);
    assert_eq!(shell.update(&adds(&[("a", "x")])).unwrap_err().code(), Code::Fenced);
    writer.add("a", "y");
}

#[test]
fn b9_s2_a_dead_writer_is_replaced_by_who_says_so() {
    let mut writer = store();
    writer.driver.hand_off(false, CLOCK).unwrap();
    writer.add("a", "x");
    let mut next = writer.second(OTHER);
    drop(writer);
    assert_eq!(next.driver.hand_off(false, CLOCK).unwrap_err().code(), Code::Fenced);
    next.driver.hand_off(true, CLOCK).unwrap();
    assert!(next.claim("a").is_some());
}

#[test]
fn b9_s3_a_claim_that_lost_the_hand_off_is_no_commit() {
    let mut first = store();
    first.add("a", "x");
    first.driver.hand_off(false, CLOCK).unwrap();
    // Staged and told from memory, not yet in the journal.
    first.driver.engine_mut().stage(Ask::Claim(&oldest(&["a"], 1)), START, 0).unwrap();
    let mut second = first.second(OTHER);
    second.driver.hand_off(true, CLOCK).unwrap();
    let theirs = second.claim("a").unwrap();
    let (tail, drafts) = (*first.engine().tail(), first.engine().drafts().to_vec());
    assert!(first.driver.journal().append(&tail, &drafts).is_err());
    first.driver.engine_mut().rollback();
    assert_eq!(first.catch_up().task(theirs.id), Some(theirs));
}

#[test]
fn b9_s4_a_fenced_writer_that_catches_up_reads_the_living_history() {
    let mut first = store();
    first.driver.hand_off(false, CLOCK).unwrap();
    let mut second = first.second(OTHER);
    second.driver.hand_off(true, CLOCK).unwrap();
    let task = second.add("a", "x");
    assert_eq!(first.catch_up().task(task.id), Some(task));
    assert_eq!(first.driver.fenced_by(), Some(Author(OTHER.0)));
}

#[test]
fn b10_a_read_that_catches_up_sees_what_was_acknowledged_before_it_began() {
    let mut a = store();
    let mut b = a.second(OTHER);
    let task = a.add("a", "x");
    assert_eq!(b.state().task(task.id), None, "a weak read may lag");
    assert_eq!(b.catch_up().task(task.id), Some(task));
}

#[test]
fn b10_a_refusal_and_an_empty_claim_name_what_they_saw() {
    let mut a = store();
    let mut b = a.second(OTHER);
    a.add_keyed("g", "k");
    a.claim("g").unwrap();
    assert_eq!(b.update(&keyed("g", "k", IfExists::Refuse)).unwrap_err().code(), Code::KeyExists);
    assert_eq!(b.engine().tail(), a.engine().tail(), "a strict refusal waits for this position");
    let empty = b.run(&[Ask::Claim(&oldest(&["g"], 1))]).remove(0).unwrap();
    assert_eq!(empty.until, a.engine().tail().position);
}

#[test]
fn c13_the_next_id_is_known_though_the_highest_task_is_gone() {
    let mut store = store();
    let last = store.update(&adds(&[("a", "1"), ("a", "2")])).unwrap().tasks[1].id;
    store.fuzzy_snapshot(1, |store, slice| {
        if slice == 1 {
            store.end(last, Reason::Finished).unwrap();
        }
    });
    let mut store = store.restarted();
    assert_eq!(store.add("a", "3").id, TaskId(3));
}

#[test]
fn c13_a_snapshot_whose_journal_ends_before_it_is_not_used() {
    let mut store = store();
    store.add("a", "1");
    let name = store.fuzzy_snapshot(1, |store, _| drop(store.add("a", "x")));
    let mut bytes = Vec::new();
    store
        .driver
        .journal()
        .read_snapshot(name, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    // The same store with the journal cut behind its first entries.
    let rows = MemoryRows::new(StoreId([1; 16]));
    let mut cut = support::open(&rows, support::setup(7, Limits::DEFAULT)).unwrap();
    cut.add("a", "1");
    let mut piece = Some(bytes);
    cut.driver.journal().publish_snapshot(&mut tenure_core::port::under_name(name, || Ok(piece.take()))).unwrap();
    let error = support::open(&rows, support::setup(3, Limits::DEFAULT)).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Code::Corrupt, "{error}");
}

#[test]
fn c15_the_window_is_a_matter_of_revisions_alone() {
    let limits = Limits { request_window: 6, ..Limits::DEFAULT };
    let mut store = store_with(limits);
    for i in 0..20 {
        store.update(&named(adds(&[("a", "x")]), &format!("{i}"))).unwrap();
        if i % 4 == 0 {
            store.fuzzy_snapshot(2, |store, slice| {
                store.update(&named(adds(&[("a", "x")]), &format!("{i} {slice}"))).unwrap();
            });
        }
        store.opens_alike();
    }
}

#[test]
fn c15_a_repeat_while_the_first_is_under_way_is_done_once() {
    let mut store = store();
    let request = named(adds(&[("a", "x")]), "one");
    let other = named(adds(&[("a", "y")]), "one");
    let answers = store.run(&[Ask::Update(&request), Ask::Update(&request), Ask::Update(&other)]);
    assert!(answers[1].as_ref().unwrap().committed.repeated);
    assert_eq!(answers[2].as_ref().unwrap_err().code(), Code::RequestReused);
    assert_eq!(store.state().tasks(), 1);
}

#[test]
fn c15_a_large_outcome_is_remembered_in_few_bytes() {
    let mut store = store();
    let many: Vec<(&str, &str)> = vec![("a", "x"); 10_000];
    let request = named(adds(&many), "one");
    store.update(&request).unwrap();
    let (_, _, outcome) = store.state().memo().iter().next().unwrap();
    assert_eq!(outcome.ids, [(1, 10_000)]);
    assert_eq!(store.update(&request).unwrap().tasks.len(), 10_000);
}

#[test]
fn c16_a_clock_far_ahead_takes_live_claims_and_the_old_holder_can_not_commit() {
    let mut honest = store();
    honest.add("a", "x");
    let held = honest.claim("a").unwrap();
    let mut fast = honest.second(OTHER);
    fast.pass(300_000);
    let stolen = fast.claim("a").unwrap();
    assert!(honest.end(held.id, Reason::Finished).unwrap_err().is_lease_lost());
    fast.end(stolen.id, Reason::Finished).unwrap();
    honest.catch_up();
    assert_eq!(honest.engine().ahead(), 300_000, "it is counted");
}

#[test]
fn c16_a_clock_that_steps_back_lengthens_leases_and_breaks_nothing() {
    let mut store = store();
    store.add("a", "x");
    let held = store.claim("a").unwrap();
    store.now.set(START - 3_600_000);
    assert!(store.claim("a").is_none());
    let renewed = store.change(renew(held.id, 1_000)).unwrap();
    assert_eq!(renewed.available_at, START - 3_600_000 + 1_000);
    store.end(renewed.id, Reason::Finished).unwrap();
    store.sound();
}

#[test]
fn c16_one_clock_far_in_the_future_freezes_nobody_else() {
    let mut store = store();
    store.add("a", "x");
    let mut future = store.second(OTHER);
    future.pass(1 << 40);
    let held = future.claim("a").unwrap();
    future.change(verb(held.id, Verb::Release)).unwrap();
    store.add("a", "y");
    assert_eq!(store.claim("a").unwrap().available_at, START + 60_000);
}

#[test]
fn f1_a_new_id_at_every_change_is_the_fence() {
    let mut store = store();
    store.add("a", "x");
    let mut seen = vec![TaskId(1)];
    let held = store.claim("a").unwrap();
    seen.push(held.id);
    for update in [renew(held.id, 5), verb(TaskId(3), Verb::Update), verb(TaskId(4), Verb::Release)] {
        seen.push(store.change(update).unwrap().id);
    }
    for old in &seen[..seen.len() - 1] {
        assert!(store.end(*old, Reason::Finished).is_err());
    }
    store.end(*seen.last().unwrap(), Reason::Finished).unwrap();
}

#[test]
fn f2_replay_needs_neither_a_clock_nor_dice() {
    let mut store = store();
    for i in 0..20 {
        store.add("a", &format!("{i}"));
        let random = tenure_core::Claim { order: tenure_core::Order::Random, ..oldest(&["a"], 2) };
        store.claims(&random).unwrap();
        store.pass(17_000);
    }
    store.catch_up();
    let elsewhere = support::open_at(&store.rows, support::setup(12_345, Limits::DEFAULT), 1).unwrap();
    support::alike(store.state(), elsewhere.state());
}

/// What happens between two slices.
#[derive(Clone, Debug)]
enum Commit {
    Add(u8, Option<u8>),
    Claim(u8),
    Change(u8, u8),
    End(u8),
    Put(u8),
    Remove(u8),
    Asked(u8),
}

fn commit() -> impl Strategy<Value = Commit> {
    prop_oneof![
        3 => (any::<u8>(), prop::option::of(any::<u8>())).prop_map(|(group, key)| Commit::Add(group, key)),
        3 => any::<u8>().prop_map(Commit::Claim),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(task, how)| Commit::Change(task, how)),
        3 => any::<u8>().prop_map(Commit::End),
        1 => any::<u8>().prop_map(Commit::Put),
        1 => any::<u8>().prop_map(Commit::Remove),
        1 => any::<u8>().prop_map(Commit::Asked),
    ]
}

fn group(number: u8) -> &'static str {
    ["a", "b", "c"][usize::from(number % 3)]
}

/// Does it, or is refused: either is a life of a store.
fn commit_to(store: &mut Handle, commit: &Commit) {
    let all = store.all();
    let pick = |number: u8| all.get(usize::from(number) % all.len().max(1)).map_or(TaskId(1), |task| task.id);
    let request = match commit {
        Commit::Add(to, key) => match key {
            Some(key) => keyed(group(*to), ["k", "l"][usize::from(key % 2)], IfExists::Replace),
            None => adds(&[(group(*to), "data")]),
        },
        Commit::Claim(from) => return drop(store.claims(&oldest(&[group(*from)], 2))),
        Commit::Change(task, how) => {
            let word = [Verb::Update, Verb::Fail, Verb::Release, Verb::Requeue][usize::from(how % 4)];
            let data = (how % 3 == 0 && word != Verb::Requeue).then(|| Data::from("changed"));
            let to = (how % 5 == 0).then(|| group(how / 5).to_string());
            let available = (how % 7 == 0).then_some(When::After(u64::from(*how)));
            let update = Update { id: pick(*task), verb: word, data, group: to, available, ..Update::default() };
            Request { updates: vec![update], ..Request::default() }
        }
        Commit::End(task) => support::delete(pick(*task), Reason::Finished),
        Commit::Put(key) => support::put("t", &format!("{}", key % 8), "v"),
        Commit::Remove(key) => support::remove("t", &format!("{}", key % 8)),
        Commit::Asked(id) => named(adds(&[("a", "asked")]), &format!("{id}")),
    };
    let _ = store.update(&request);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A4, A5 S2 and S3, C13: whatever is committed between the slices, load and replay give the live state.
    #[test]
    fn a5_s3_a_walk_in_slices_misses_nothing_and_doubles_nothing(
        before in prop::collection::vec(commit(), 0..20),
        items in 1usize..5,
        during in prop::collection::vec(prop::collection::vec(commit(), 0..4), 1..30),
        after in prop::collection::vec(commit(), 0..6),
    ) {
        let mut store = store_with(Limits { request_window: 12, ..Limits::DEFAULT });
        for commit in &before {
            commit_to(&mut store, commit);
        }
        store.fuzzy_snapshot(items, |store, slice| {
            during.get(slice - 1).into_iter().flatten().for_each(|commit| commit_to(store, commit));
        });
        store.opens_alike();
        for commit in &after {
            commit_to(&mut store, commit);
        }
        store.opens_alike();
        prop_assert_eq!(store.engine().caller().owner, OwnerId(7));
    }
}
