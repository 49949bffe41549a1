use alloc::{boxed::Box, vec, vec::Vec};

use super::*;
use crate::{
    id::{OwnerId, Revision},
    limits::Limits,
    request::{Add, Put, Request},
    rows::{MemoryRows, RowLog},
    testing::{Fault, Faults, Faulty},
};

const CLOCK: Clock<'_> = &|| 1_000;

fn faulty() -> (Driver, Faults) {
    let faults = Faults::new(5);
    let inner = Box::new(RowLog::new(MemoryRows::new(StoreId([2; 16]))));
    let journal = Box::new(Faulty::new(inner, faults.clone()));
    let setup = Setup { limits: Limits::DEFAULT, owner: OwnerId(1), actor: "test".into(), author: Author(1), seed: 1 };
    (Driver::open(journal, setup, 10, CLOCK).unwrap(), faults)
}

fn add() -> Request {
    Request { adds: vec![Add { group: "a".into(), ..Add::default() }], ..Request::default() }
}

fn put(expect: Option<u64>) -> Request {
    let expect = expect.map(Revision);
    let put = Put { table: "t".into(), key: "k".into(), expect, ..Put::default() };
    Request { puts: vec![put], ..Request::default() }
}

fn run(driver: &mut Driver, requests: &[Request]) -> Vec<Result<Done>> {
    let asks: Vec<Ask<'_>> = requests.iter().map(Ask::Update).collect();
    driver.run(&asks, CLOCK)
}

#[test]
fn what_the_journal_refused_is_refused_and_leaves_nothing() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::Refuse);
    let error = driver.ask(Ask::Update(&add()), CLOCK).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Unavailable, Outcome::Refused));
    assert_eq!((driver.engine().state().tasks(), driver.engine().rollbacks()), (0, 1));
    assert_eq!(driver.ask(Ask::Update(&add()), CLOCK).unwrap().committed.tasks[0].id.0, 1);
}

#[test]
fn a_lost_race_is_run_again_behind_the_winner() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::Rival);
    let done = driver.ask(Ask::Update(&add()), CLOCK).unwrap();
    assert_eq!(done.committed.revision, Revision(2));
}

#[test]
fn who_loses_every_race_gives_up_and_has_done_nothing() {
    let (mut driver, faults) = faulty();
    for n in 1..=u64::from(ATTEMPTS) {
        faults.fail_append(n, Fault::Rival);
    }
    let error = driver.ask(Ask::Update(&add()), CLOCK).unwrap_err();
    assert_eq!(error.code(), Code::LockTimeout);
    assert_eq!(driver.engine().state().tasks(), 0);
    assert!(driver.ask(Ask::Update(&add()), CLOCK).is_ok());
}

#[test]
fn a_lost_answer_is_found_by_looking() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::AnswerLost);
    assert_eq!(driver.ask(Ask::Update(&add()), CLOCK).unwrap().committed.revision, Revision(1));
}

#[test]
fn a_lost_request_is_refused_only_once_something_stands_in_its_place() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::RequestLost);
    let error = driver.ask(Ask::Update(&add()), CLOCK).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    assert_eq!(driver.engine().tail().revision, Revision(1), "a filler");
}

#[test]
fn a_late_entry_is_committed_or_can_never_be() {
    for calls in 1..6 {
        let (mut driver, faults) = faulty();
        faults.fail_append(1, Fault::Late(calls));
        let answer = driver.ask(Ask::Update(&add()), CLOCK);
        for _ in 0..10 {
            driver.catch_up(CLOCK).unwrap();
        }
        assert_eq!(driver.engine().state().tasks(), u64::from(answer.is_ok()), "{calls} calls later: {answer:?}");
    }
}

#[test]
fn an_append_whose_place_cannot_be_seen_is_unknown() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::AnswerLost);
    faults.fail_by_chance(0, 1_000);
    // The section's own catch-up works; what comes after it does not.
    faults.spare_reads(1);
    let error = driver.ask(Ask::Update(&add()), CLOCK).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Unknown, Outcome::Unknown));
    faults.calm();
    driver.catch_up(CLOCK).unwrap();
    assert_eq!(driver.engine().state().tasks(), 1, "it was there");
}

#[test]
fn an_answer_that_was_judged_by_what_was_lost_is_not_given() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::Refuse);
    let answers = run(&mut driver, &[put(None), put(Some(0))]);
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::Unavailable);
    let second = answers[1].as_ref().unwrap_err();
    assert_eq!((second.code(), second.outcome()), (Code::Unavailable, Outcome::Refused));
    let answers = run(&mut driver, &[put(Some(0)), put(Some(0))]);
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::StaleRecord);
}

#[test]
fn a_refusal_before_what_was_lost_stands() {
    let (mut driver, faults) = faulty();
    faults.fail_append(1, Fault::Refuse);
    let answers = run(&mut driver, &[put(Some(9)), add()]);
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::StaleRecord);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::Unavailable);
}

#[test]
fn no_request_gets_no_answer() {
    let (mut driver, _) = faulty();
    assert!(driver.run(&[], CLOCK).is_empty());
}
