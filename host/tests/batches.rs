//! Several requests in one batch, in a folder.
#![allow(clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use tenure::{Add, Code, Durability, Options, Request, Store, Work};

#[path = "suite/folder.rs"]
mod place;

#[path = "suite/batches.rs"]
mod suite;

fn add(group: &str, key: &str) -> Work {
    let add = Add { group: group.into(), key: Some(key.into()), ..Add::default() };
    Work::Update(Request { adds: vec![add], ..Request::default() })
}

#[test]
fn a_batch_needs_one_sync() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("s")).unwrap();
    let before = store.stats().unwrap().syncs;
    let work: Vec<Work> = (0..100).map(|i| add("g", &i.to_string())).collect();
    assert!(store.begin(&work).wait().iter().all(Result::is_ok));
    assert_eq!(store.stats().unwrap().syncs, before + 1);
    store.close().unwrap();
    assert!(store.begin(&work).wait().iter().all(|answer| answer.as_ref().unwrap_err().code() == Code::Closed));
    drop(store);
    let reader = Options::new().read_only(true).open(folder.path().join("s")).unwrap();
    assert_eq!(reader.begin(&work[..1]).wait()[0].as_ref().unwrap_err().code(), Code::ReadOnly);
    assert_eq!(reader.group("g").unwrap().tasks, 100);
}

/// B8 S1: who stages outside the lock loses against those who are quicker, for ever.
#[test]
fn b8_s1_a_large_transaction_gets_through_beside_handles_that_never_rest() {
    const LARGE: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let open = || Options::new().durability(Durability::Opportunistic).open(folder.path().join("s")).unwrap();
    let large = open();
    let (done, rounds) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; 3]);
    thread::scope(|scope| {
        for round in &rounds {
            scope.spawn(|| {
                let store = open();
                while !done.load(Ordering::SeqCst) {
                    store.add("small", "x").unwrap();
                    round.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while rounds.iter().any(|round| round.load(Ordering::SeqCst) == 0) {
            thread::yield_now();
        }
        for _ in 0..5 {
            large.add_many("large", vec!["x"; LARGE]).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let small: u64 = rounds.iter().map(|round| round.load(Ordering::SeqCst)).sum();
    assert_eq!(large.group("large").unwrap().tasks, 5 * LARGE as u64);
    assert_eq!(large.group("small").unwrap().tasks, small);
}
