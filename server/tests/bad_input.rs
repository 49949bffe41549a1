//! What nobody should send, and what is answered.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{
    io::Read as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tenure::Options;
use tenure_server::Config;
use wire::{Client, Served, config};

#[test]
fn every_bad_body_gets_a_problem_and_the_server_lives() {
    let served = Served::new();
    let mut client = served.client();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_in = format!(r#"{{"adds":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"x\"",
        "{\"adds\":[{\"group\":\"g\",\"data\":\"\u{fffd}\"}",
        r#"{"adds":[{"group":"g"}]} x"#,
        r#"{"adds":[{"group":"g"}],"adds":[]}"#,
        r#"{"adds":[{"group":7}]}"#,
        r#"{"deletes":[9007199254740992]}"#,
        r#"{"deletes":[1e400]}"#,
        r#"{"deletes":[-1]}"#,
        r#"{"owner":9007199254740992,"adds":[{"group":"g"}]}"#,
        r#"{"adds":[{"group":"g","data":"x","data_base64":"eA=="}]}"#,
        r#"{"adds":[{"group":"g","data_base64":"%"}]}"#,
        &deep,
        &deep_in,
    ] {
        let reply = client.post("/v1/update", body);
        assert_eq!(reply.problem(), (400, "invalid".into()), "{body:.60}");
        let root = client.post("/update", body);
        assert!(root.json()["errors"][0].is_string(), "{body:.60}");
    }
    assert_eq!(client.post("/v1/claim", r#"{"groups":[]}"#).problem().0, 400);
    assert_eq!(client.get("/v1/nothing").problem(), (404, "no_route".into()));
    assert_eq!(client.get("/v1/update").problem(), (405, "wrong_method".into()));
    assert_eq!(client.get("/v1/tasks/x").problem(), (400, "invalid".into()));
    assert_eq!(client.get("/v1/tasks/9007199254740992").problem(), (400, "invalid".into()));
    assert_eq!(client.get("/group/%ff").problem(), (400, "invalid".into()));
    assert_eq!(served.get("/groups"), json!([]), "nothing of it has happened");
}

#[test]
fn what_takes_no_body_refuses_one_and_null_is_no_value() {
    let served = Served::new();
    let mut client = served.client();
    for path in ["/v1/flush", "/v1/snapshot"] {
        for (body, status) in [("", 200), ("{}", 200), ("\u{0}", 400), ("[]", 400), (r#"{"now":true}"#, 400)] {
            assert_eq!(client.post(path, body).status, status, "{path} {body:?}");
        }
    }
    let json = [("content-type", "application/json")];
    for body in [r#"{"value":null,"value_base64":""}"#, r#"{"value":"1","expires_at":null}"#] {
        let reply = client.call("PUT", "/v1/tables/t/records/k", &json, body);
        assert_eq!(reply.problem(), (400, "invalid".into()), "{body}");
    }
    for body in [r#"{"by":9007199254740992}"#, r#"{"by":1,"min":-9007199254740992}"#, r#"{"by":-9223372036854775808}"#]
    {
        let reply = client.post("/v1/tables/t/records/n/increment", body);
        assert_eq!(reply.problem(), (400, "invalid".into()), "{body}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    let served = Served::new();
    let mut client = served.client();
    let head = format!(
        "POST /v1/update HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n",
        client.host
    );
    client.raw(head.as_bytes());
    client.raw(b"{\"adds\":[{\"group\":\"\xff\xfe\",\"data\":1}]}"[..32].as_ref());
    assert_eq!(client.reply().unwrap().problem(), (400, "invalid".into()));
}

#[test]
fn a_body_over_the_limit_is_refused_without_being_read() {
    let mut small = config();
    small.body_bytes = 1000;
    let served = Served::with(small, &Options::new());
    let mut client = served.client();
    let head = format!("host: {}\r\ncontent-type: application/json\r\n", client.host);
    client.raw(format!("POST /v1/update HTTP/1.1\r\n{head}content-length: 99999999999\r\n\r\n").as_bytes());
    assert_eq!(client.reply().unwrap().problem(), (413, "over_limit".into()));
    let mut client = served.client();
    client.raw(format!("POST /v1/update HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n").as_bytes());
    for _ in 0..3 {
        client.raw(format!("1f4\r\n{}\r\n", " ".repeat(500)).as_bytes());
    }
    assert_eq!(client.reply().unwrap().problem(), (413, "over_limit".into()));
    assert_eq!(served.client().get("/healthz").status, 200);
}

#[test]
fn what_is_no_http_gets_a_problem_answer_and_the_end_of_the_connection() {
    let served = Served::new();
    let at = served.at;
    let long = "x".repeat(100_000);
    for (request, status, code) in [
        ("GARBAGE\r\n\r\n".to_owned(), 400, "invalid"),
        (format!("GET /groups?a=b c HTTP/1.1\r\nhost: {at}\r\n\r\n"), 400, "invalid"),
        (format!("GET /groups HTTP/1.1\r\nhost: {at}\r\nbroken\r\n\r\n"), 400, "invalid"),
        (format!("GET /groups HTTP/3.7\r\nhost: {at}\r\n\r\n"), 400, "invalid"),
        (format!("GET /{long} HTTP/1.1\r\nhost: {at}\r\n\r\n"), 431, "over_limit"),
        (format!("GET /groups HTTP/1.1\r\nhost: {at}\r\nx: {long}\r\n\r\n"), 431, "over_limit"),
        (format!("GET /groups HTTP/1.1\r\nhost: {at}\r\n{}\r\n", "x: y\r\n".repeat(70)), 431, "over_limit"),
    ] {
        let mut client = served.client();
        // One that is answered goes before.
        assert_eq!(client.get("/healthz").status, 200);
        client.raw(request.as_bytes());
        let reply = client.reply().unwrap_or_else(|| panic!("no answer to {request:.80}"));
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{request:.80}");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(reply.problem(), (status, code.into()), "{request:.80}");
        assert!(client.reply().is_none(), "{request:.80}");
    }
    assert_eq!(served.client().get("/healthz").status, 200);
}

#[test]
fn a_request_without_a_host_or_with_two_is_refused() {
    let served = Served::new();
    for head in [
        "GET /groups HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET /groups HTTP/1.1\r\nhost: {0}\r\nhost: {0}\r\n\r\n", served.at),
    ] {
        let mut client = served.client();
        client.raw(head.as_bytes());
        assert!(client.reply().unwrap().status >= 400, "{head}");
    }
    for noise in ["\r\n\r\n\r\n", "GARBAGE\r\n\r\n", "\u{0}\u{1}\u{2}"] {
        served.client().raw(noise.as_bytes());
    }
    assert_eq!(served.client().get("/healthz").status, 200);
}

#[test]
fn an_answer_is_sent_whatever_follows_its_request() {
    let served = Served::new();
    let body = r#"{"adds":[{"group":"g","data":"x"}]}"#;
    let add = format!(
        "POST /v1/update HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let get = "GET /v1/groups HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for (request, statuses) in [
        (format!("{add}no request\r\n\r\n"), &[200, 400][..]),
        (format!("{get}half a re"), &[200]),
        (format!("{get}{get}{add}"), &[200, 200, 200]),
        ("GET /v1/groups HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\nmore".to_owned(), &[200]),
        ("GET /v1/groups?a=\" HTTP/1.1\r\nhost: localhost\r\n\r\nmore".to_owned(), &[400]),
        ("no request\r\n\r\nmore".to_owned(), &[400]),
    ] {
        let mut client = served.client();
        client.raw(request.as_bytes());
        for status in statuses {
            assert_eq!(client.reply().map(|reply| reply.status), Some(*status), "{request:?}");
        }
    }
}

fn impatient() -> Config {
    let mut config = config();
    let soon = Duration::from_millis(300);
    config.patience = tenure_server::Patience { idle: soon, head: soon, stall: soon };
    config
}

/// Whether the server hangs up before long.
fn is_hung_up_on(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).is_ok()
}

#[test]
fn whoever_sends_too_slowly_is_hung_up_on() {
    let served = Served::with(impatient(), &Options::new());
    let mut silent = served.client();
    let mut half_a_head = served.client();
    half_a_head.raw(b"GET /groups HTTP/1.1\r\nhost: ");
    let mut half_a_body = served.client();
    let head = format!("host: {}\r\ncontent-type: application/json\r\ncontent-length: 100", served.at);
    half_a_body.raw(format!("POST /v1/update HTTP/1.1\r\n{head}\r\n\r\n{{").as_bytes());
    let mut used = served.client();
    assert_eq!(used.get("/healthz").status, 200);
    for client in [&mut silent, &mut half_a_head, &mut half_a_body, &mut used] {
        assert!(is_hung_up_on(client.stream.get_ref()));
    }
    let mut waiting = served.client();
    let began = Instant::now();
    assert_eq!(waiting.post("/v1/claim", r#"{"groups":["g"],"wait":2500}"#).status, 200, "who waits is not slow");
    // The store's time is in whole milliseconds: the one that it began in is the first of them.
    assert!(began.elapsed() > Duration::from_millis(2499));
}

#[test]
fn a_drip_of_header_lines_does_not_buy_time() {
    let served = Served::with(impatient(), &Options::new());
    let mut client = served.client();
    client.raw(b"GET /groups HTTP/1.1\r\n");
    let began = Instant::now();
    let mut hung_up = false;
    while began.elapsed() < Duration::from_secs(20) && !hung_up {
        use std::io::Write as _;
        hung_up = client.stream.get_mut().write_all(b"x: y\r\n").is_err();
        thread::sleep(Duration::from_millis(50));
    }
    assert!(hung_up);
}

#[test]
fn who_comes_when_all_places_are_taken_gets_that_of_the_longest_idle() {
    let mut few = config();
    few.connections = 8;
    let served = Served::with(few, &Options::new());
    let mut idle: Vec<Client> = (0..8).map(|_| served.client()).collect();
    for client in &mut idle {
        assert_eq!(client.get("/healthz").status, 200);
    }
    for _ in 0..30 {
        assert_eq!(served.client().get("/healthz").status, 200);
    }
    assert!(is_hung_up_on(idle[0].stream.get_ref()));
}

#[test]
fn a_request_that_breaks_off_commits_nothing() {
    let served = Served::new();
    let body = r#"{"adds":[{"group":"g","data":"x"}]}"#;
    for cut in [0, 1, 10, body.len() - 1] {
        let mut client = served.client();
        let head = format!("host: {}\r\ncontent-type: application/json\r\ncontent-length: {}", served.at, body.len());
        client.raw(format!("POST /v1/update HTTP/1.1\r\n{head}\r\n\r\n{}", &body[..cut]).as_bytes());
    }
    assert_eq!(served.client().get("/healthz").status, 200);
    assert_eq!(served.get("/groups"), json!([]));
}
