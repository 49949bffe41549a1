//! Desks over rows that are carried by hand.

mod lease;
mod walk;

use alloc::{vec, vec::Vec};

use super::*;
use crate::{
    error::Outcome,
    id::{Author, OwnerId, Revision, TaskId},
    limits::Limits,
    request::{Add, Delete},
    task::Task,
};

const ID: StoreId = StoreId([3; 16]);

/// Rows in memory, carried by hand.
#[derive(Default)]
struct Rows {
    rows: Vec<Vec<u8>>,
    floor: u64,
    mark: Vec<u8>,
    snapshots: Vec<(crate::port::SnapshotName, Vec<u8>)>,
}

impl Rows {
    fn new() -> Self {
        Self { floor: 1, ..Self::default() }
    }

    fn window(&self, from: u64) -> Window {
        let from = from.max(self.floor);
        let rows = self.rows[(from - self.floor) as usize..].to_vec();
        Window { identity: ID, floor: self.floor, mark: self.mark.clone(), from, rows, snapshots: Vec::new() }
    }

    fn all(&self) -> Window {
        Window { snapshots: self.snapshots.clone(), ..self.window(1) }
    }

    fn desk(&self, author: u64) -> Desk {
        let setup = Setup {
            limits: Limits::DEFAULT,
            owner: OwnerId(author),
            actor: "test".into(),
            author: Author(author),
            seed: author,
        };
        Desk::open(setup, self.all(), Policy::default(), 0).unwrap()
    }

    /// Keeps a snapshot, and lets go of what it makes superfluous.
    fn publish(&mut self, name: crate::port::SnapshotName, bytes: Vec<u8>) {
        self.snapshots.push((name, bytes));
        let (superfluous, floor) = keep(self.snapshots.iter().map(|(name, bytes)| (*name, &bytes[..])).collect());
        self.snapshots.retain(|(name, _)| !superfluous.contains(name));
        self.snapshots.sort_unstable_by_key(|(name, _)| core::cmp::Reverse(*name));
        if let Some((floor, mark)) = floor.filter(|(floor, _)| *floor > self.floor) {
            self.rows.drain(..(floor - self.floor) as usize);
            (self.floor, self.mark) = (floor, mark);
        }
    }

    fn append(&mut self, desk: &Desk, rows: Vec<Vec<u8>>) -> Appended {
        if rows.is_empty() {
            return Appended::Done;
        }
        if desk.engine().tail().position.0 != self.floor + self.rows.len() as u64 {
            return Appended::Conflict;
        }
        self.rows.extend(rows);
        Appended::Done
    }

    /// Turns until nothing more is wanted.
    fn run(&mut self, desk: &mut Desk, now: Millis) -> Vec<(Ticket, Result<Committed>)> {
        let mut answers = Vec::new();
        for _ in 0..100 {
            if !desk.wants_turn() {
                return answers;
            }
            let rows = desk.open_turn(self.window(desk.fetch_from().0), true, now).unwrap();
            let appended = self.append(desk, rows);
            desk.close_turn(appended, now);
            answers.extend(desk.take_answers());
        }
        panic!("it never ends");
    }
}

fn add(group: &str) -> Request {
    Request { adds: vec![Add { group: group.into(), ..Add::default() }], ..Request::default() }
}

fn claim(group: &str) -> Claim {
    Claim { groups: vec![group.into()], lease: 900, ..Claim::default() }
}

fn finish(task: &Task) -> Request {
    let delete = Delete { id: task.id, origin: Some(task.origin), ..Delete::default() };
    Request { owner: task.owner, deletes: vec![delete], ..Request::default() }
}

fn task(answers: &[(Ticket, Result<Committed>)], ticket: Ticket) -> Task {
    let (_, answer) = answers.iter().find(|(other, _)| *other == ticket).unwrap();
    answer.as_ref().unwrap().tasks[0].clone()
}

#[test]
fn what_is_asked_before_a_turn_goes_out_in_one_append() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    let tickets: Vec<Ticket> = (0..100).map(|_| desk.update(add("g"), Vec::new())).collect();
    let out = desk.open_turn(rows.window(1), true, 0).unwrap();
    assert_eq!(out.len(), 100);
    assert!(desk.take_answers().is_empty(), "nothing is answered before the append");
    assert_eq!(desk.engine().state().tasks(), 0, "nothing is seen before the append");
    let appended = rows.append(&desk, out);
    desk.close_turn(appended, 0);
    let answers = desk.take_answers();
    assert_eq!(answers.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), tickets);
}

#[test]
fn a_turn_that_may_not_append_does_what_reads_and_leaves_the_rest() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    let look = desk.look();
    assert!(!desk.may_append());
    let ticket = desk.update(add("g"), Vec::new());
    assert!(desk.open_turn(rows.window(1), false, 0).unwrap().is_empty());
    desk.close_turn(Appended::Done, 0);
    assert_eq!(desk.take_answers()[0].0, look);
    assert!(desk.may_append());
    assert_eq!(task(&rows.run(&mut desk, 0), ticket).id, TaskId(1));
}

#[test]
fn a_lost_race_is_run_again_behind_the_winner() {
    let mut rows = Rows::new();
    let (mut one, mut other) = (rows.desk(1), rows.desk(2));
    let ticket = one.update(add("g"), Vec::new());
    let out = one.open_turn(rows.window(1), true, 0).unwrap();
    other.update(add("g"), Vec::new());
    rows.run(&mut other, 0);
    let appended = rows.append(&one, out);
    assert!(matches!(appended, Appended::Conflict));
    one.close_turn(appended, 0);
    assert_eq!(task(&rows.run(&mut one, 0), ticket).id, TaskId(2));
}

#[test]
fn what_was_refused_leaves_nothing_and_uses_no_id() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    desk.update(add("g"), Vec::new());
    assert_eq!(desk.open_turn(rows.window(1), true, 0).unwrap().len(), 1);
    desk.close_turn(Appended::Refused(Error::new(Code::Unavailable, "no")), 0);
    let (_, refused) = desk.take_answers().pop().unwrap();
    assert_eq!(refused.unwrap_err().outcome(), Outcome::Refused);
    let ticket = desk.update(add("g"), Vec::new());
    assert_eq!(task(&rows.run(&mut desk, 0), ticket).id, TaskId(1));
}

#[test]
fn on_a_full_disk_what_takes_space_is_refused_and_what_frees_it_goes_on() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    let ticket = desk.update(add("g"), Vec::new());
    let added = task(&rows.run(&mut desk, 0), ticket);
    let (more, less) = (desk.update(add("g"), Vec::new()), desk.update(finish(&added), Vec::new()));
    desk.open_turn(rows.window(1), true, 0).unwrap();
    desk.close_turn(Appended::Refused(Error::new(Code::NoSpace, "full")), 0);
    assert!(desk.take_answers().is_empty());
    let answers = rows.run(&mut desk, 0);
    for (ticket, answer) in answers {
        assert_eq!(answer.is_ok(), ticket == less, "{ticket:?}, {more:?}: {answer:?}");
    }
}

#[test]
fn an_append_whose_answer_is_lost_is_found_or_ruled_out_by_looking() {
    for stands in [true, false] {
        let mut rows = Rows::new();
        let mut desk = rows.desk(1);
        let ticket = desk.update(add("g"), Vec::new());
        let out = desk.open_turn(rows.window(1), true, 0).unwrap();
        if stands {
            rows.append(&desk, out);
        }
        desk.close_turn(Appended::Unknown(Error::new(Code::Foreign, "lost")), 0);
        assert!(desk.take_answers().is_empty());
        let answers = rows.run(&mut desk, 0);
        let (_, answer) = answers.into_iter().find(|(other, _)| *other == ticket).unwrap();
        if stands {
            assert_eq!(answer.unwrap().revision, Revision(1));
        } else {
            assert_eq!(answer.unwrap_err().outcome(), Outcome::Refused);
            assert_eq!(desk.engine().tail().revision, Revision(1), "a filler stands there");
        }
    }
}

#[test]
fn a_place_that_nobody_can_see_leaves_the_answer_unknown() {
    let rows = Rows::new();
    let mut desk = rows.desk(1);
    desk.update(add("g"), Vec::new());
    desk.open_turn(rows.window(1), true, 0).unwrap();
    let lost = || Appended::Unknown(Error::new(Code::Foreign, "lost"));
    desk.close_turn(lost(), 0);
    for _ in 0..10 {
        if !desk.wants_turn() {
            break;
        }
        desk.open_turn(rows.window(1), true, 0).unwrap();
        desk.close_turn(lost(), 0);
    }
    let (_, answer) = desk.take_answers().pop().unwrap();
    assert_eq!(answer.unwrap_err().outcome(), Outcome::Unknown);
}

#[test]
fn a_claim_waits_for_what_the_same_turn_adds() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    let waiting = desk.claim(claim("g"), None);
    desk.update(add("g"), Vec::new());
    assert_eq!(task(&rows.run(&mut desk, 0), waiting).attempt, 1);
}

#[test]
fn a_claim_wakes_when_another_adds_when_a_time_comes_and_when_its_own_is_up() {
    let mut rows = Rows::new();
    let (mut one, mut other) = (rows.desk(1), rows.desk(2));
    let first = one.claim(claim("g"), None);
    assert!(rows.run(&mut one, 0).is_empty());
    other.update(add("g"), Vec::new());
    rows.run(&mut other, 0);
    one.look();
    let held = task(&rows.run(&mut one, 0), first);
    let second = one.claim(claim("g"), Some(5_000));
    assert!(rows.run(&mut one, 10).is_empty());
    assert_eq!(one.next_wake(), Some(held.available_at));
    one.tick(held.available_at);
    assert_eq!(task(&rows.run(&mut one, held.available_at), second).attempt, 2);
    let third = one.claim(claim("h"), Some(5_000));
    rows.run(&mut one, 1_000);
    one.tick(5_000);
    let answers = rows.run(&mut one, 5_000);
    let (_, empty) = answers.iter().find(|(ticket, _)| *ticket == third).unwrap();
    assert!(empty.as_ref().unwrap().tasks.is_empty());
}

#[test]
fn a_cancelled_claim_holds_nothing_wherever_it_stands() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    desk.update(add("g"), Vec::new());
    rows.run(&mut desk, 0);
    for in_turn in [false, true] {
        let ticket = desk.claim(claim("g"), None);
        if in_turn {
            let out = desk.open_turn(rows.window(1), true, 0).unwrap();
            desk.cancel(ticket);
            let appended = rows.append(&desk, out);
            desk.close_turn(appended, 0);
        } else {
            desk.cancel(ticket);
        }
        let mut answers = desk.take_answers();
        answers.extend(rows.run(&mut desk, 0));
        let (_, answer) = answers.into_iter().find(|(other, _)| *other == ticket).unwrap();
        assert_eq!(answer.unwrap_err().code(), Code::Cancelled);
        assert_eq!(desk.engine().state().group("g", 0).available, 1, "it holds something");
    }
}

#[test]
fn another_store_in_its_place_ends_the_handle_and_all_that_waits() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    let waiting = desk.claim(claim("g"), None);
    rows.run(&mut desk, 0);
    desk.look();
    let error = desk.open_turn(Window { identity: StoreId::default(), ..rows.window(1) }, true, 0).unwrap_err();
    assert_eq!(error.code(), Code::Replaced);
    desk.fail(&error, 0);
    let answers = desk.take_answers();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().any(|(ticket, _)| *ticket == waiting));
    assert!(answers.iter().all(|(_, answer)| answer.as_ref().unwrap_err().code() == Code::Replaced));
    desk.update(add("g"), Vec::new());
    assert_eq!(desk.take_answers()[0].1.as_ref().unwrap_err().code(), Code::Replaced);
}
