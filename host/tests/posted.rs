//! Requests that hold no thread while they are on their way, in a folder.
#![allow(clippy::unwrap_used)]

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use tenure::{Add, Claim, Code, Committed, Millis, Options, Posted, Request, Result, Store};

#[path = "suite/folder.rs"]
mod place;

#[path = "suite/posted.rs"]
mod suite;

const SOON: Duration = Duration::from_secs(10);

fn add(group: &str) -> Request {
    Request { adds: vec![Add { group: group.into(), ..Add::default() }], ..Request::default() }
}

fn claim(store: &Store, group: &str, wait: Millis) -> (Posted, Receiver<Result<Committed>>) {
    let (tell, told) = channel();
    let claim = Claim { groups: vec![group.into()], ..Claim::default() };
    let posted = store.post_claim(claim, Some(store.now() + wait), move |answer| tell.send(answer).unwrap());
    (posted, told)
}

#[test]
fn all_that_is_posted_together_shares_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("s")).unwrap();
    let before = store.stats().unwrap().syncs;
    let (tell, told) = channel();
    for _ in 0..500 {
        let tell = tell.clone();
        store.post(add("g"), move |answer| tell.send(answer).unwrap());
    }
    for _ in 0..500 {
        told.recv_timeout(SOON).unwrap().unwrap();
    }
    assert_eq!(store.group("g").unwrap().tasks, 500);
    let syncs = store.stats().unwrap().syncs - before;
    assert!(syncs < 250, "{syncs} syncs for 500 requests");
    store.close().unwrap();
}

#[test]
fn a_posted_claim_sees_what_another_handle_adds() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("s")).unwrap();
    let (_, told) = claim(&store, "g", 60_000);
    let other = Store::open(folder.path().join("s")).unwrap();
    other.add("g", "from elsewhere").unwrap();
    assert_eq!(told.recv_timeout(SOON).unwrap().unwrap().tasks.len(), 1);
    other.close().unwrap();
    store.close().unwrap();
}

#[test]
fn a_store_that_is_only_looked_at_takes_no_posts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    Store::open(&path).unwrap().close().unwrap();
    let store = Options::new().read_only(true).create(false).open(&path).unwrap();
    let (tell, told) = channel();
    store.post(add("g"), move |answer| tell.send(answer).unwrap());
    assert_eq!(told.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::ReadOnly);
}
