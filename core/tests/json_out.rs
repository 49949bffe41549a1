//! How values are written as JSON.

#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tenure_core::{
    Code, Committed, Data, Error, GroupStats, Outcome, OwnerId, Record, Refusal, Revision, Task, TaskId, entry::Reason,
    error::Fate, json::text,
};

fn task() -> Task {
    Task {
        id: TaskId(14),
        origin: TaskId(3),
        group: "map".into(),
        key: None,
        available_at: 1000,
        added_at: 900,
        owner: OwnerId(0),
        attempt: 0,
        failures: 0,
        error: None,
        data: "tex\"t".into(),
    }
}

#[test]
fn a_task_is_one_line_without_its_absent_options() {
    assert_eq!(
        text(&task()),
        r#"{"id":14,"origin":3,"group":"map","available_at":1000,"added_at":900,"owner":0,"attempt":0,"failures":0,"data":"tex\"t"}"#
    );
    let full = Task { key: Some("k".into()), error: Some("e\n".into()), data: Data::from(&[255, 0]), ..task() };
    assert_eq!(
        text(&full),
        r#"{"id":14,"origin":3,"group":"map","key":"k","available_at":1000,"added_at":900,"owner":0,"attempt":0,"failures":0,"error":"e\n","data_base64":"/wA="}"#
    );
}

#[test]
fn lists_stand_under_their_name() {
    assert_eq!(text::<[Task]>(&[]), r#"{"tasks":[]}"#);
    assert_eq!(text::<[Record]>(&[]), r#"{"records":[]}"#);
    assert_eq!(text::<[GroupStats]>(&[]), r#"{"groups":[]}"#);
    assert_eq!(text::<[Task]>(&[task()]), format!("{{\"tasks\":[{}]}}", text(&task())));
}

#[test]
fn a_commit_tells_revision_and_tasks_and_the_rest_where_there_is_any() {
    let empty = Committed { revision: Revision(5), ..Committed::default() };
    assert_eq!(text(&empty), r#"{"revision":5,"tasks":[]}"#);
    let gone = Task { id: TaskId(9), origin: TaskId(0), ..task() };
    let full = Committed { revision: Revision(5), tasks: vec![gone], counts: vec![-1, 4], repeated: true };
    assert_eq!(text(&full), r#"{"revision":5,"tasks":[{"id":9}],"counts":[-1,4],"repeated":true}"#);
}

#[test]
fn records_and_groups_leave_out_what_they_do_not_have() {
    let record =
        Record { table: "t".into(), key: "k".into(), value: "v".into(), revision: Revision(3), expires_at: None };
    assert_eq!(text(&record), r#"{"table":"t","key":"k","value":"v","revision":3}"#);
    let record = Record { value: Data::from(&[254]), expires_at: Some(7), ..record };
    assert_eq!(text(&record), r#"{"table":"t","key":"k","value_base64":"/g==","revision":3,"expires_at":7}"#);
    let group = GroupStats { name: "g".into(), tasks: 3, available: 1, delayed: 1, held: 1, ..GroupStats::default() };
    assert_eq!(text(&group), r#"{"name":"g","tasks":3,"available":1,"delayed":1,"held":1}"#);
    let group = GroupStats { oldest: Some(5), paused: true, ..group };
    assert_eq!(text(&group), r#"{"name":"g","tasks":3,"available":1,"delayed":1,"held":1,"oldest":5,"paused":true}"#);
}

#[test]
fn an_error_without_reasons_has_no_details() {
    let error = Error::new(Code::NoSpace, "the disk is full");
    assert_eq!(
        text(&error),
        r#"{"error":{"kind":"unavailable","code":"no_space","message":"the disk is full","outcome":"refused","retry":"later"}}"#
    );
    assert_eq!(
        text(&error.with_outcome(Outcome::Unknown)),
        r#"{"error":{"kind":"unavailable","code":"no_space","message":"the disk is full","outcome":"unknown","retry":"with_same_request_id"}}"#
    );
}

#[test]
fn every_reason_for_a_refusal_has_its_list() {
    let actor: Arc<str> = "web-2:311".into();
    let table = [
        (
            Refusal::MissingUpdate {
                id: TaskId(14),
                lost: true,
                lease_end: 500,
                fate: Fate::Changed {
                    now_id: TaskId(20),
                    owner: OwnerId(9),
                    actor: actor.clone(),
                    available_at: 800,
                    at: 600,
                    by: OwnerId(9),
                    by_actor: actor.clone(),
                    claimed: true,
                },
                now: 700,
            },
            r#"{"missing_updates":[{"id":14,"lost":true,"lease_end":500,"fate":{"became":"changed","now_id":20,"owner":9,"actor":"web-2:311","available_at":800,"at":600,"claimed":true,"by":9,"by_actor":"web-2:311"}}]}"#,
        ),
        (
            Refusal::MissingDelete {
                id: TaskId(14),
                lost: false,
                lease_end: 0,
                fate: Fate::Removed { reason: Reason::Finished, owner: OwnerId(9), actor: "".into(), at: 0 },
                now: 700,
            },
            r#"{"missing_deletes":[{"id":14,"fate":{"became":"removed","reason":"finished","owner":9}}]}"#,
        ),
        (
            Refusal::MissingDepend { id: TaskId(14), fate: Fate::Unknown, now: 700 },
            r#"{"missing_depends":[{"id":14,"fate":{"became":"unknown"}}]}"#,
        ),
        (
            Refusal::Held { id: TaskId(14), owner: OwnerId(9), actor, until: 800, now: 700 },
            r#"{"held":[{"id":14,"owner":9,"actor":"web-2:311","until":800}]}"#,
        ),
        (Refusal::NotHeld { id: TaskId(14) }, r#"{"not_held":[{"id":14}]}"#),
        (Refusal::RepeatedTask { id: TaskId(14) }, r#"{"repeated":[{"id":14}]}"#),
        (Refusal::RepeatedKey { place: "t".into(), key: "k".into() }, r#"{"repeated":[{"place":"t","key":"k"}]}"#),
        (
            Refusal::KeyExists { group: "g".into(), key: "k".into(), id: TaskId(14), held: false, moved: false },
            r#"{"key_exists":[{"group":"g","key":"k","id":14,"held":false}]}"#,
        ),
        (
            Refusal::StaleRecord { table: "t".into(), key: "k".into(), expected: Revision(3), found: Revision(0) },
            r#"{"stale_records":[{"table":"t","key":"k","expected":3,"found":0}]}"#,
        ),
        (
            Refusal::Bounds { table: "t".into(), key: "k".into(), why: "5 is above 4".into() },
            r#"{"bounds":[{"table":"t","key":"k","why":"5 is above 4"}]}"#,
        ),
    ];
    for (refusal, details) in table {
        let error = Error::rejected(vec![refusal]);
        let written = text(&error);
        let code = error.code().slug();
        assert!(
            written.starts_with(&format!(r#"{{"error":{{"kind":"rejected","code":"{code}","message":"#)),
            "{written}"
        );
        assert!(written.ends_with(&format!(r#","details":{details}}}}}"#)), "{written}");
    }
}

#[test]
fn reasons_of_one_sort_stand_together() {
    let error = Error::rejected(vec![
        Refusal::NotHeld { id: TaskId(1) },
        Refusal::RepeatedTask { id: TaskId(2) },
        Refusal::NotHeld { id: TaskId(3) },
    ]);
    assert!(
        text(&error).ends_with(r#""details":{"not_held":[{"id":1},{"id":3}],"repeated":[{"id":2}]}}}"#),
        "{}",
        text(&error)
    );
}
