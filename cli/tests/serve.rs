//! The program as a service.
#![allow(clippy::unwrap_used)]
#![cfg(all(unix, feature = "serve"))]

mod program;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Child,
    time::Duration,
};

use program::{Desk, service};

fn call(at: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: application/json\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn terminate(child: &Child) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM).unwrap();
}

#[test]
fn a_service_keeps_what_it_acknowledged_and_ends_cleanly_when_told_to() {
    let desk = Desk::new();
    let (mut child, url) = service::start(&desk, &[]);
    let at = url.strip_prefix("http://").unwrap();
    let added = call(at, "POST", "/update", r#"{"clientid":1,"adds":[{"group":"g","data":"x"}]}"#);
    assert!(added.contains("\"data\":\"x\""), "{added}");
    // A worker beside it, on the same folder.
    desk.ok("add s g --data y");
    assert!(call(at, "GET", "/group/g", "").contains("\"y\""));
    terminate(&child.0);
    assert!(child.0.wait().unwrap().success());
    let tasks = desk.ok("tasks s --group g --json");
    assert!(tasks.contains("\"x\"") && tasks.contains("\"y\""), "{tasks}");
}

#[test]
fn a_wrong_call_is_refused_before_it_listens() {
    let desk = Desk::new();
    for (args, code) in [
        (vec!["serve", "s", "--listen", "nowhere"], 2),
        (vec!["serve", "s", "--tls-cert", "c.pem"], 2),
        (vec!["serve", "s", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem", "--tls-key", "k.pem"], 2),
        (vec!["serve", "none", "--read-only"], 7),
    ] {
        let said = desk.run_with(&args, "");
        assert_eq!(said.code, code, "{args:?}: {}", said.err);
        assert!(!desk.path("s").exists() && !desk.path("none").exists(), "{args:?} made a store");
    }
}

/// Huge pages come back by themselves where memory was given back, at some later time: so the setting is what is looked at.
#[cfg(target_os = "linux")]
#[test]
fn a_service_that_does_nothing_is_not_made_larger_by_the_kernel() {
    let desk = Desk::new();
    let (child, _) = service::start(&desk, &[]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
    // Kernels before 5.0 do not tell.
    let told = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"));
    assert!(told.is_none_or(|told| told.trim() == "0"), "{status}");
}
