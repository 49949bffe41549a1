//! Connections that break after the commit and before the answer: nothing is done twice, and nothing stays held by
//! somebody who never heard of it.
#![allow(clippy::unwrap_used)]

mod wire;

use std::time::{Duration, Instant};

use serde_json::Value;
use tenure::{Durability, Options, TaskState};
use wire::{
    Client, Served, config,
    proxy::{Fate, Proxy},
};

const CUTS: usize = 1000;

/// Sends a request whose answer never comes.
fn cut(proxy: &Proxy, path: &str, body: &str, fate: Fate) {
    proxy.set(fate);
    let mut client = Client::new(proxy.at);
    client.send("POST", path, &[("content-type", "application/json")], body);
    assert!(client.reply().is_none(), "the answer was cut off");
    proxy.set(Fate::Whole);
}

/// A client whose connection is passed on whole: the proxy has it by then.
fn through(proxy: &Proxy) -> Client {
    let mut client = Client::new(proxy.at);
    assert_eq!(client.get("/healthz").status, 200);
    client
}

fn served() -> (Served, Proxy) {
    let served = Served::with(config(), &Options::new().durability(Durability::Opportunistic));
    let proxy = Proxy::before(served.at);
    (served, proxy)
}

#[test]
fn an_update_whose_answer_is_lost_is_committed_once() {
    let (served, proxy) = served();
    let mut client = through(&proxy);
    for n in 0..CUTS {
        let body = format!(r#"{{"request_id":"u{n}","adds":[{{"group":"g","data":"{n}"}}]}}"#);
        cut(&proxy, "/v1/update", &body, Fate::CutAtAnswer);
        let again = client.post("/v1/update", &body).ok();
        assert_eq!(again["tasks"].as_array().unwrap().len(), 1);
    }
    assert_eq!((proxy.cuts(), served.store.group("g").unwrap().tasks), (CUTS, CUTS as u64));
}

/// What a claim with a request id comes to in the end: asked again until it is answered, and anew where what it got was
/// given back.
fn claim(client: &mut Client, name: &str, lost: impl FnOnce(&str)) -> Option<Value> {
    let body = |name: &str| format!(r#"{{"request_id":"{name}","owner":5,"groups":["g"],"lease":600000}}"#);
    lost(&body(name));
    for attempt in 0..10 {
        let name = if attempt == 0 { name.to_owned() } else { format!("{name}-{attempt}") };
        let got = client.post("/v1/claim", &body(&name)).ok();
        let task = got["tasks"].get(0)?.clone();
        if task["group"].is_string() {
            return Some(task);
        }
    }
    panic!("a claim never came to anything");
}

#[test]
fn a_claim_whose_answer_is_lost_holds_nothing_that_nobody_knows_of() {
    let (served, proxy) = served();
    served.store.add_many("g", (0..CUTS).map(|n| n.to_string())).unwrap();
    let mut client = through(&proxy);
    let (mut finished, mut n) = (0, 0);
    let began = Instant::now();
    while served.store.group("g").unwrap().tasks > 0 {
        assert!(began.elapsed() < Duration::from_mins(2), "tasks stay held: {:?}", served.store.group("g"));
        n += 1;
        let fate = if n % 4 == 0 { Fate::CutAtRequest } else { Fate::CutAtAnswer };
        let task = claim(&mut client, &format!("c{n}"), |body| cut(&proxy, "/v1/claim", body, fate));
        let Some(task) = task else { continue };
        let end = format!(r#"{{"owner":5,"deletes":[{{"id":{},"reason":"finished"}}]}}"#, task["id"]);
        let done = client.post("/v1/update", &end);
        // One that was given back just before it was asked for again is somebody else's.
        assert!(done.status == 200 || done.status == 409, "{done:?}");
        finished += usize::from(done.status == 200);
    }
    assert_eq!(finished, CUTS);
    assert!(proxy.cuts() >= CUTS, "{}", proxy.cuts());
}

#[test]
fn a_claim_that_nobody_asks_for_again_is_given_back() {
    let (served, proxy) = served();
    served.store.add_many("g", (0..500).map(|n| n.to_string())).unwrap();
    for n in 0..500 {
        let body = format!(r#"{{"request_id":"r{n}","groups":["g"],"lease":600000}}"#);
        cut(&proxy, "/v1/claim", &body, Fate::CutAtRequest);
    }
    // Those whose answer had gone out before the connection broke can't be known; the others come back, under new ids.
    let available = tenure::Filter { state: Some(TaskState::Available), ..tenure::Filter::default() };
    let given_back = || served.store.tasks(&available).unwrap().iter().filter(|task| task.id != task.origin).count();
    let began = Instant::now();
    while given_back() == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", served.store.group("g"));
        std::thread::yield_now();
    }
}
