//! Several requests in one batch, and what a host hears of a held task without waiting for it, wherever the store is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tenure::{Add, Claim, Code, Options, Request, TaskName, Work, clock::Clock};

use crate::place::Place;

const MINUTE: Duration = Duration::from_mins(1);

fn add(group: &str, key: &str) -> Work {
    let add = Add { group: group.into(), key: Some(key.into()), ..Add::default() };
    Work::Update(Request { adds: vec![add], ..Request::default() })
}

fn claim(group: &str) -> Work {
    Work::Claim(Claim { groups: vec![group.into()], ..Claim::default() })
}

#[test]
fn a_batch_is_answered_one_by_one_in_its_order() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    let answers = store.begin(&[add("g", "a"), add("g", "a"), claim("g"), claim("g"), add("g", "b")]).wait();
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0].as_ref().unwrap().tasks[0].id.0, 1);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::KeyExists);
    assert_eq!(answers[2].as_ref().unwrap().tasks[0].origin.0, 1);
    assert!(answers[3].as_ref().unwrap().tasks.is_empty());
    assert_eq!(store.group("g").unwrap().tasks, 2);
}

#[test]
fn a_verb_is_the_request_that_its_name_makes() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    let task = store.add("g", "x").unwrap();
    let claimed = store.claim(&["g"], MINUTE).unwrap().unwrap();
    let name = TaskName::from(&claimed);
    let renewed = store.update(name.renew(2 * MINUTE)).unwrap().into_task().unwrap();
    let failed = store.update(TaskName::from(&renewed).fail("why", MINUTE)).unwrap().into_task().unwrap();
    assert_eq!((failed.failures, failed.error.as_deref(), failed.origin), (1, Some("why"), task.id));
    let moved = store.update(TaskName::from(&failed).move_to("h")).unwrap().into_task().unwrap();
    let back = store.update(TaskName::from(&moved).requeue(Some("g"), Duration::ZERO)).unwrap().into_task().unwrap();
    assert_eq!((&*back.group, back.failures), ("g", 0));
    store.update(TaskName::from(&back).cancel(false)).unwrap();
    assert_eq!(store.update(name.finish()).unwrap_err().code(), Code::MissingTask);
}

#[test]
fn a_host_hears_once_that_a_lease_is_lost() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    store.add("g", "x").unwrap();
    let task = store.claim(&["g"], MINUTE).unwrap().unwrap();
    let held = store.hold(task.clone(), MINUTE);
    let told = Arc::new(AtomicU32::new(0));
    let count = told.clone();
    held.on_lost(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(held.glance(), Some((task.clone(), false)));
    store.cancel(&task, true).unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 0);
    assert!(held.renew().is_err());
    assert!(held.renew().is_err());
    assert_eq!(told.load(Ordering::SeqCst), 1);
    // One that asks too late is told at once.
    let count = told.clone();
    held.on_lost(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(told.load(Ordering::SeqCst), 2);
}

#[test]
fn a_change_of_a_held_task_is_committed_with_others_and_settled() {
    let place = Place::new(&Clock::system());
    let store = place.open(&Options::new());
    store.add_many("g", ["a", "b"]).unwrap();
    let tasks = store.claim_many(&["g"], MINUTE, 2).unwrap();
    let held: Vec<_> = tasks.iter().map(|task| store.hold(task.clone(), MINUTE)).collect();
    let first = held[0].stage();
    assert!(held[0].try_stage().is_none(), "one change of it is on its way");
    let second = held[1].try_stage().unwrap();
    let work = [first.name().finish(), second.name().renew(held[1].lease())].map(Work::Update);
    let mut answers = store.begin(&work).wait().into_iter();
    first.settle(answers.next().unwrap()).unwrap();
    let renewed = second.settle(answers.next().unwrap()).unwrap().into_task().unwrap();
    assert!(held[0].is_ended() && held[0].stage().is_ended());
    assert_eq!(held[1].task(), renewed);

    // Another took it away: the holder learns it by the refusal.
    store.cancel(renewed.id, true).unwrap();
    let late = held[1].stage();
    let refused = store.begin(&[Work::Update(late.name().finish())]).wait().remove(0);
    assert!(late.settle(refused).is_err());
    assert!(held[1].is_lost());
}
