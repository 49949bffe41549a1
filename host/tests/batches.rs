//! Several requests in one batch, in a folder.
#![allow(clippy::unwrap_used)]

use tenure::{Add, Code, Options, Request, Store, Work};

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
