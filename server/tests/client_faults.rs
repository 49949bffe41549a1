//! The client where something is wrong with the service, with the way to it, or with who asks.
#![allow(clippy::unwrap_used)]

mod proxy;
mod wire;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use proxy::Proxy;
use tenure::{Code, Options, Outcome};
use wire::Served;

fn url(at: SocketAddr) -> String {
    format!("http://{at}")
}

fn in_a_hurry() -> Options {
    Options::new().retry_for(Duration::ZERO).answer_within(Duration::from_secs(5))
}

#[test]
fn a_wrong_token_and_what_a_token_may_not_are_told_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    let text =
        r#"{"tokens":[{"name":"w","secret":"a secret of the worker","grants":[{"scope":"claim","groups":["map"]}]}]}"#;
    fs::write(&tokens, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&tokens, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut config = wire::config();
    config.tokens = Some(tokens);
    let served = Served::with(config, &Options::new());
    for options in [Options::new(), Options::new().token("a wrong one, surely")] {
        let error = options.connect(url(served.at)).unwrap_err();
        assert_eq!((error.code(), error.outcome()), (Code::Forbidden, Outcome::NotStarted), "{error}");
        assert!(error.message().contains("token"), "{error}");
    }
    let options = Options::new().token("a secret of the worker");
    assert!(!format!("{options:?}").contains("secret of"), "{options:?}");
    let store = options.connect(url(served.at)).unwrap();
    served.store.add("map", "x").unwrap();
    let task = store.claim(&["map"], Duration::from_mins(1)).unwrap().unwrap();
    store.finish(&task).unwrap();
    let error = store.add("map", "x").unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    assert!(error.message().contains("write"), "{error}");
    assert_eq!(Options::new().token("a\nb").connect(url(served.at)).unwrap_err().code(), Code::Invalid);
}

#[test]
fn a_service_is_believed_by_the_authority_that_is_given_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (own, foreign) = (made("localhost"), made("localhost"));
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    fs::write(&chain, own.cert.pem()).unwrap();
    fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let mut config = wire::config();
    config.tls = Some((chain, key));
    let served = Served::with(config, &Options::new());
    let secure = format!("https://{}", served.at);
    let store = Options::new().authorities(own.cert.pem()).connect(&secure).unwrap();
    assert_eq!(store.add("map", "x").unwrap().id.0, 1);
    for options in [in_a_hurry(), in_a_hurry().authorities(foreign.cert.pem())] {
        let error = options.connect(&secure).unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert!(error.message().contains("certificate"), "{error}");
    }
    for wrong in ["", "no certificate"] {
        assert_eq!(Options::new().authorities(wrong).connect(&secure).unwrap_err().code(), Code::Invalid);
    }
    // Without TLS it is no service at all.
    let error = in_a_hurry().connect(url(served.at)).unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotStarted, "{error}");
}

/// A server that answers each connection with these bytes, or keeps it open in silence.
fn answering(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            if bytes.is_empty() {
                silent.push(stream);
            } else {
                let _ = stream.write_all(bytes);
            }
        }
    });
    at
}

#[test]
fn what_is_no_service_of_tenure_is_told_for_what_it_is() {
    let cases: [(&[u8], Code); 8] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>", Code::Unsupported),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", Code::Unsupported),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Code::Unsupported),
        (b"HTTP/1.1 301 Moved\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", Code::Unsupported),
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", Code::Forbidden),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", Code::Unavailable),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", Code::Unavailable),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\nx", Code::OverLimit),
    ];
    for (bytes, code) in cases {
        let error = in_a_hurry().connect(url(answering(bytes))).unwrap_err();
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!((error.code(), error.outcome()), (code, Outcome::NotStarted), "{shown}: {error}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let error = in_a_hurry().connect(url(nobody)).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("tenure serve"), "{error}");
    for wrong in ["", "work.tenure", "ftp://host", "http://"] {
        assert_eq!(tenure::connect(wrong).unwrap_err().code(), Code::Invalid, "{wrong}");
    }
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for_longer_than_allowed() {
    let options = Options::new().answer_within(Duration::from_millis(100)).retry_for(Duration::from_millis(300));
    let began = Instant::now();
    let error = options.connect(url(answering(b""))).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Unavailable, Outcome::NotStarted), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
    // A change that was sent may have been made.
    let served = Served::new();
    let proxy = Proxy::new(served.at);
    let store = options.connect(url(proxy.at)).unwrap();
    proxy.stop_answering();
    let error = store.add("map", "x").unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Unknown, Outcome::Unknown), "{error}");
    assert_eq!(store.group("map").unwrap_err().outcome(), Outcome::NotStarted);
    assert_eq!(served.store.group("map").unwrap().tasks, 1, "the repeats were the same request");
}

#[test]
fn a_claim_whose_answer_comes_after_its_lease_ran_out_is_made_anew() {
    let served = Served::new();
    let proxy = Proxy::new(served.at);
    let store = tenure::connect(url(proxy.at)).unwrap();
    served.store.add("g", "first").unwrap();
    let other = served.store.clone();
    proxy.cut_next_after(move || {
        let taken = other.claim_wait(&["g"], Duration::from_mins(1), Duration::from_secs(30)).unwrap();
        assert_eq!(taken.unwrap().data.text(), Some("first"));
        other.add("g", "second").unwrap();
    });
    let task = store.claim_wait(&["g"], Duration::from_millis(1), Duration::from_secs(30)).unwrap().unwrap();
    assert_eq!((proxy.cuts(), task.data.text()), (1, Some("second")));
    store.finish(&task).unwrap();
    // Of several, those that are his still are told of.
    served.store.add_many("many", ["one", "two"]).unwrap();
    let other = served.store.clone();
    proxy.cut_next_after(move || {
        other.claim_wait(&["many"], Duration::from_mins(1), Duration::from_secs(30)).unwrap().unwrap();
    });
    let left = store.claim_many(&["many"], Duration::from_millis(1), 2).unwrap();
    assert_eq!((proxy.cuts(), left.len()), (2, 1));
    store.finish(&left[0]).unwrap();
    // Where the request id is the caller's own, he hears what became of it, and may name what he got.
    let again = tenure::Claim { groups: vec!["g".into()], request_id: Some("own".into()), ..tenure::Claim::default() };
    served.store.add("g", "third").unwrap();
    let third = store.claim_now(again.clone()).unwrap().into_task().unwrap();
    served.store.cancel(third.id, true).unwrap();
    let got = store.claim_now(again).unwrap();
    assert!(got.repeated);
    let gone = store.finish(&got.tasks[0]).unwrap_err();
    assert_eq!((gone.kind(), gone.outcome()), (tenure::Kind::Rejected, Outcome::Refused), "{gone}");
}
