use alloc::{vec, vec::Vec};

use super::*;

fn hold(desk: &mut Desk, task: &Task, now: Millis) -> HeldId {
    desk.hold(task.id, task.origin, task.owner, task.available_at, 900, now)
}

#[test]
fn a_held_task_is_renewed_and_named_by_its_present_id() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    desk.update(add("g"), Vec::new());
    let ticket = desk.claim(claim("g"), None);
    let claimed = task(&rows.run(&mut desk, 0), ticket);
    let held = hold(&mut desk, &claimed, 0);
    assert_eq!(desk.next_wake(), Some(300));
    desk.tick(300);
    // A transaction that was put together before the renewal, and goes out with it.
    desk.update(finish(&claimed), vec![held]);
    let answers = rows.run(&mut desk, 300);
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{answers:?}");
    assert!(desk.is_ended(held));
    assert_eq!((desk.engine().state().tasks(), desk.next_wake()), (0, None));
}

#[test]
fn a_lost_lease_is_told_once_and_refuses_what_names_it() {
    let mut rows = Rows::new();
    let (mut one, mut other) = (rows.desk(1), rows.desk(2));
    one.update(add("g"), Vec::new());
    let ticket = one.claim(claim("g"), None);
    let claimed = task(&rows.run(&mut one, 0), ticket);
    let held = hold(&mut one, &claimed, 0);
    other.claim(claim("g"), None);
    rows.run(&mut other, 2_000);
    one.tick(2_000);
    rows.run(&mut one, 2_000);
    let lost = one.take_lost();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].0 == held && lost[0].1.is_lease_lost());
    one.update(finish(&claimed), vec![held]);
    assert!(rows.run(&mut one, 2_000)[0].1.as_ref().unwrap_err().is_lease_lost());
    assert!(one.take_lost().is_empty());
}

#[test]
fn a_renewal_that_the_storage_failed_is_tried_again() {
    let mut rows = Rows::new();
    let mut desk = rows.desk(1);
    desk.update(add("g"), Vec::new());
    let ticket = desk.claim(claim("g"), None);
    let claimed = task(&rows.run(&mut desk, 0), ticket);
    hold(&mut desk, &claimed, 0);
    desk.tick(300);
    desk.fail(&Error::new(Code::Unavailable, "away"), 300);
    desk.take_answers();
    assert_eq!(desk.next_wake(), Some(345));
    desk.tick(345);
    rows.run(&mut desk, 345);
    assert!(desk.take_lost().is_empty());
    assert_eq!(desk.next_wake(), Some(645));
}
