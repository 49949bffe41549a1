use alloc::vec::Vec;

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
        rows.snapshots.insert(0, (one.snapshot_name().unwrap(), bytes));
        one.end_snapshot(1);
        if round == 1 {
            let (floor, mark) = mark_of(&rows.snapshots[1].1).unwrap().unwrap();
            rows.rows.drain(..(floor - rows.floor) as usize);
            (rows.floor, rows.mark) = (floor, mark);
        }
    }
    late.look();
    let error = late.open_turn(rows.window(late.fetch_from().0), true, 0).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
    late.reload(rows.all(), 0).unwrap();
    rows.run(&mut late, 0);
    assert_eq!(late.engine().state().digest(), one.engine().state().digest());
    assert_eq!(rows.desk(3).engine().state().digest(), one.engine().state().digest());
}
