//! Claims that wait for so long that their connections give up their buffers meanwhile: nobody sees a difference.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{
    io::Read as _,
    time::{Duration, Instant},
};

use tenure::Options;
use wire::{Client, Served, config};

/// Longer than a connection keeps its buffers for.
const LONG: u64 = 150;

fn body(wait: u64) -> String {
    format!(r#"{{"owner":5,"groups":["g"],"lease":60000,"wait":{wait}}}"#)
}

/// A claim as bytes, with this version and these lines of its head.
fn claim(client: &Client, version: &str, lines: &str, wait: u64) -> String {
    let (host, body) = (&client.host, body(wait));
    let length = body.len();
    format!(
        "POST /v1/claim {version}\r\nhost: {host}\r\n{lines}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn waiting(served: &Served) -> usize {
    let text = String::from_utf8(served.client().get("/metrics").body).unwrap();
    text.lines().find_map(|line| line.strip_prefix("tenure_waiting_claims ")).unwrap().parse().unwrap()
}

/// Until so many claims wait, and have waited for long.
fn until_waiting(served: &Served, claims: usize) {
    let began = Instant::now();
    let mut since = None;
    loop {
        assert!(began.elapsed() < Duration::from_secs(30), "{} wait", waiting(served));
        let they_do = waiting(served) == claims;
        since = they_do.then(|| since.unwrap_or_else(Instant::now));
        if since.is_some_and(|since: Instant| since.elapsed() > Duration::from_millis(LONG)) {
            return;
        }
    }
}

#[test]
fn a_connection_goes_on_after_each_claim_that_waited() {
    let served = Served::new();
    let mut client = served.client();
    for n in 0..3 {
        assert!(client.post("/v1/claim", &body(LONG)).ok()["tasks"].as_array().unwrap().is_empty());
        assert_eq!(client.get("/healthz").status, 200);
        client.send("POST", "/v1/claim", &[("content-type", "application/json")], &body(30_000));
        until_waiting(&served, 1);
        served.store.add("g", n.to_string()).unwrap();
        assert_eq!(client.reply().unwrap().ok()["tasks"][0]["data"], n.to_string());
    }
}

#[test]
fn what_is_sent_ahead_of_a_waiting_claim_is_answered_in_its_order() {
    let served = Served::new();
    let mut client = served.client();
    let ahead = format!("GET /v1/groups HTTP/1.1\r\nhost: {}\r\n\r\n", client.host);
    let (longer, claim) = (claim(&client, "HTTP/1.1", "", 30_000), claim(&client, "HTTP/1.1", "", LONG));
    // With the claim, in the same piece.
    client.raw(format!("{claim}{ahead}{claim}{ahead}").as_bytes());
    for _ in 0..2 {
        assert!(client.reply().unwrap().ok()["tasks"].is_array());
        assert!(client.reply().unwrap().ok()["groups"].is_array());
    }
    // While it waits, and more of it than the service takes in.
    client.raw(longer.as_bytes());
    until_waiting(&served, 1);
    let requests = 100_000 / ahead.len();
    client.raw(ahead.repeat(requests).as_bytes());
    served.store.add("g", "x").unwrap();
    assert_eq!(client.reply().unwrap().ok()["tasks"][0]["data"], "x");
    for n in 0..requests {
        assert!(client.reply().unwrap_or_else(|| panic!("no answer {n}")).ok()["groups"].is_array());
    }
}

#[test]
fn an_answer_is_written_as_the_request_wants_it_whether_it_waited_or_not() {
    let mut config = config();
    config.origins = vec!["https://board.example".to_owned()];
    let served = Served::with(config, &Options::new());
    let answer = |version: &str, lines: &str, wait: u64| {
        let mut client = served.client();
        let ended = claim(&client, version, lines, wait);
        let last = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", client.host);
        client.raw(format!("{ended}{last}").as_bytes());
        let mut text = String::new();
        // A connection that is closed while there is more to read ends with a reset.
        let _ = client.stream.read_to_string(&mut text);
        assert!(text.contains("200 OK") && text.contains("\"tasks\":[]"), "{text}");
        let same = |line: &&str| !line.starts_with("date:") && !line.starts_with("tenure-now:");
        text.lines().filter(same).collect::<Vec<_>>().join("\n")
    };
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        for lines in ["", "connection: close\r\n", "connection: keep-alive\r\n", "origin: https://board.example\r\n"] {
            assert_eq!(answer(version, lines, LONG), answer(version, lines, 0), "{version} {lines}");
        }
    }
}

#[test]
fn a_waiting_claim_whose_client_goes_takes_nothing() {
    let served = Served::new();
    let mut client = served.client();
    client.send("POST", "/v1/claim", &[("content-type", "application/json")], &body(30_000));
    until_waiting(&served, 1);
    drop(client);
    until_waiting(&served, 0);
    served.store.add("g", "x").unwrap();
    assert_eq!(served.client().post("/v1/claim", &body(0)).ok()["tasks"][0]["data"], "x");
}

#[test]
fn waiting_claims_are_answered_when_the_service_stops() {
    let mut served = Served::new();
    let mut clients: Vec<Client> = (0..5).map(|_| served.client()).collect();
    for client in &mut clients {
        client.send("POST", "/v1/claim", &[("content-type", "application/json")], &body(30_000));
    }
    until_waiting(&served, 5);
    let began = Instant::now();
    served.server.take().unwrap().stop();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for client in &mut clients {
        assert!(client.reply().expect("an answer").ok()["tasks"].as_array().unwrap().is_empty());
        assert!(client.reply().is_none(), "the connection is closed");
    }
}
