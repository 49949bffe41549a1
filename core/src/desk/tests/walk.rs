use alloc::{vec, vec::Vec};

use super::*;

#[test]
fn a_snapshot_is_walked_while_commits_go_on_and_a_handle_left_behind_is_loaded_anew() {
    let mut rows = Rows::new();
    let (mut one, mut late) = (rows.desk(1), rows.desk(2));
    for _ in 0..50 {
        one.update(add("g"), Vec::new());
    }
    rows.run(&mut one, 0);
    for round in 0..2 {
        one.begin_snapshot();
        rows.run(&mut one, 0);
        let mut bytes = Vec::new();
        while let Some(piece) = one.slice().unwrap() {
            bytes.extend(piece);
            one.update(add("g"), Vec::new());
            rows.run(&mut one, 0);
        }
        rows.publish(one.snapshot_name().unwrap(), bytes);
        one.end_snapshot(1);
        assert_eq!(rows.floor > 1, round == 1);
    }
    late.look();
    let error = late.open_turn(rows.window(late.fetch_from().0), true, 0).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
    late.reload(rows.all(), 0).unwrap();
    rows.run(&mut late, 0);
    assert_eq!(late.engine().state().digest(), one.engine().state().digest());
    assert_eq!(rows.desk(3).engine().state().digest(), one.engine().state().digest());
}

#[test]
fn c14_s1_of_snapshots_that_overlap_those_that_began_later_are_kept() {
    let mut rows = Rows::new();
    let mut desks = [rows.desk(1), rows.desk(2), rows.desk(3)];
    for _ in 0..50 {
        desks[0].update(add("g"), Vec::new());
        rows.run(&mut desks[0], 0);
    }
    // The first to begin is the last to end, and so on.
    for desk in &mut desks {
        desk.begin_snapshot();
        rows.run(desk, 0);
    }
    for desk in &mut desks {
        desk.look();
        rows.run(desk, 0);
    }
    let mut published = 0;
    for desk in desks.iter_mut().rev() {
        let mut bytes = Vec::new();
        while let Some(piece) = desk.slice().unwrap() {
            bytes.extend(piece);
            desk.update(add("g"), Vec::new());
            rows.run(desk, 0);
        }
        rows.publish(desk.snapshot_name().unwrap(), bytes);
        desk.end_snapshot(1);
        published += 1;
        assert_eq!(rows.snapshots.len(), published.min(2));
        assert_eq!(
            rows.desk(4).engine().state().digest(),
            desk.engine().state().digest(),
            "{published} were published"
        );
    }
    assert!(rows.floor > 1);
    // What is no snapshot counts for none.
    let (superfluous, floor) = keep(vec![("a", &b"damaged"[..]), ("b", &rows.snapshots[0].1)]);
    assert_eq!((superfluous, floor), (vec!["a"], None));
}
