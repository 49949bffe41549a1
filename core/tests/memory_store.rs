//! Whole stores in memory, driven through the JSON spelling.

#![cfg(all(feature = "std", feature = "json"))]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Author, Code, Error, Kind, Limits, OwnerId, Result, StoreId,
    driver::Driver,
    engine::Setup,
    json::{read_claim, read_request, text},
    port::Journal,
    rows::{Ephemeral, MemoryRows, RowLog},
    txn::Ask,
};

const NOW: u64 = 1_000_000;

fn open(journal: impl Journal + 'static, number: u64) -> Driver {
    let setup = Setup {
        limits: Limits::DEFAULT,
        owner: OwnerId(number),
        actor: format!("test:{number}").into(),
        author: Author(number),
        seed: number,
    };
    Driver::open(Box::new(journal), setup, 0, &|| NOW).unwrap()
}

fn spelled(done: Result<tenure_core::driver::Done>) -> String {
    done.map_or_else(|error: Error| text(&error), |done| text(&done.committed))
}

fn update(driver: &mut Driver, request: &str) -> String {
    spelled(driver.ask(Ask::Update(&read_request(request.as_bytes()).unwrap()), &|| NOW))
}

fn claim(driver: &mut Driver, claim: &str) -> String {
    spelled(driver.ask(Ask::Claim(&read_claim(claim.as_bytes()).unwrap().claim), &|| NOW))
}

#[test]
fn a_store_that_keeps_nothing_adds_claims_and_finishes() {
    let mut store = open(Ephemeral::new(StoreId([9; 16])), 7);
    assert_eq!(
        update(&mut store, r#"{"adds":[{"group":"map","data":"part-1"}]}"#),
        r#"{"revision":1,"tasks":[{"id":1,"origin":1,"group":"map","available_at":1000000,"added_at":1000000,"owner":0,"attempt":0,"failures":0,"data":"part-1"}]}"#
    );
    assert_eq!(
        claim(&mut store, r#"{"groups":["map"],"lease":60000}"#),
        r#"{"revision":2,"tasks":[{"id":2,"origin":1,"group":"map","available_at":1060000,"added_at":1000000,"owner":7,"attempt":1,"failures":0,"data":"part-1"}]}"#
    );
    assert_eq!(update(&mut store, r#"{"deletes":[{"id":2,"reason":"finished"}]}"#), r#"{"revision":3,"tasks":[]}"#);
    assert_eq!(claim(&mut store, r#"{"groups":["map"]}"#), r#"{"revision":3,"tasks":[]}"#);
    assert_eq!(store.stats().unwrap().journal_bytes, 0);
}

#[test]
fn of_two_handles_on_one_memory_the_one_with_the_old_id_is_refused() {
    let rows = MemoryRows::new(StoreId([9; 16]));
    let mut one = open(RowLog::new(rows.clone()), 7);
    let mut two = open(RowLog::new(rows), 8);
    update(&mut one, r#"{"adds":[{"group":"map","data":"part-1"}]}"#);
    assert!(claim(&mut one, r#"{"groups":["map"],"lease":1}"#).contains(r#""owner":7"#));
    // The clock of the second handle is past the lease.
    let later = read_claim(br#"{"groups":["map"]}"#).unwrap().claim;
    let again = spelled(two.ask(Ask::Claim(&later), &|| NOW + 5));
    assert!(again.contains(r#""id":3,"origin":1"#), "{again}");
    let refused = update(&mut one, r#"{"deletes":[{"id":2,"origin":1,"reason":"finished"}]}"#);
    assert!(refused.starts_with(r#"{"error":{"kind":"rejected","code":"lease_lost","#), "{refused}");
    assert!(refused.contains(r#""missing_deletes":[{"id":2,"lost":true,"#), "{refused}");
    assert!(refused.contains(r#""fate":{"became":"changed","now_id":3,"owner":8,"#), "{refused}");
}

#[test]
fn a_handle_on_a_store_that_was_made_anew_is_fenced() {
    let rows = MemoryRows::new(StoreId([9; 16]));
    let mut one = open(RowLog::new(rows.clone()), 7);
    update(&mut one, r#"{"adds":[{"group":"map"}]}"#);
    let mut new = open(RowLog::new(rows.recreate(StoreId([8; 16]))), 8);
    update(&mut new, r#"{"adds":[{"group":"other"}]}"#);
    let error = one.ask(Ask::Update(&read_request(br#"{"adds":[{"group":"map"}]}"#).unwrap()), &|| NOW).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Fenced, Code::Replaced));
    assert_eq!(new.stats().unwrap().segments, 1);
}

#[test]
fn a_lagging_handle_loads_anew_what_was_let_go_behind_it() {
    let rows = MemoryRows::new(StoreId([9; 16]));
    let mut one = open(RowLog::new(rows.clone()), 7);
    let mut lagging = open(RowLog::new(rows.clone()), 8);
    for _ in 0..20 {
        update(&mut one, r#"{"adds":[{"group":"map"}]}"#);
    }
    one.snapshot(&|| NOW).unwrap();
    let tail = one.engine().tail().position;
    one.journal().truncate_before(tail).unwrap();
    let answer = update(&mut lagging, r#"{"adds":[{"group":"map","key":"k"}]}"#);
    assert!(answer.contains(r#""id":21,"origin":21"#), "{answer}");
    assert!(update(&mut one, r#"{"adds":[{"group":"map"}]}"#).contains(r#""id":22"#));
}
