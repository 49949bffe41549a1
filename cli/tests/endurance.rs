//! The service as a program, and what befalls it: a kill, a full disk, a signal, ten thousand who say nothing.
#![allow(clippy::unwrap_used)]
#![cfg(all(target_os = "linux", feature = "serve"))]

mod program;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use program::Desk;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde_json::Value;

/// A service that does not outlive its test.
struct Running {
    child: Child,
    at: String,
}

impl Running {
    fn start(desk: &Desk, store: &str, more: &[&str]) -> Self {
        let mut args = vec!["serve", store, "--listen", "127.0.0.1:0"];
        args.extend(more);
        let mut child = desk.command(&args).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let at = line.trim().rsplit_once("//").map(|(_, at)| at.to_owned());
        Self { child, at: at.unwrap_or_else(|| panic!("no address in {line:?}")) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Asks on a connection of its own, and answers with the status and the body.
    fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        call(&mut self.connect(), &self.at, method, path, token, body).unwrap()
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.call("POST", path, "", body)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn call(
    stream: &mut TcpStream,
    at: &str,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> io::Result<(u16, String)> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    );
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().to_ascii_lowercase().split_once(' ') {
            None => break,
            Some(("content-length:", value)) => length = value.trim().parse().unwrap(),
            Some(("http/1.1", rest)) => status = rest[..3].parse().unwrap(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body).unwrap()))
}

/// How often each data stands in a group.
fn counted(service: &Running, group: &str) -> BTreeMap<String, usize> {
    let (status, text) = service.call("GET", &format!("/v1/tasks?group={group}&limit=10000"), "", "");
    assert_eq!(status, 200, "{text}");
    let page: Value = serde_json::from_str(&text).unwrap();
    assert!(page["next"].is_null(), "more than one page");
    let mut counted = BTreeMap::new();
    for task in page["tasks"].as_array().unwrap() {
        *counted.entry(task["data"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counted
}

fn add(name: &str) -> String {
    format!(r#"{{"request_id":"{name}","adds":[{{"group":"g","data":"{name}"}}]}}"#)
}

#[test]
fn a_kill_in_the_middle_of_requests_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    const CLIENTS: usize = 8;
    let desk = Desk::new();
    let mut service = Running::start(&desk, "s", &[]);
    let answered = AtomicUsize::new(0);
    let mut half = service.connect();
    half.write_all(
        b"POST /v1/update HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
    )
    .unwrap();
    let at = service.at.clone();
    let done: Vec<(usize, usize)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (at, answered) = (&at, &answered);
                scope.spawn(move || {
                    let mut stream = TcpStream::connect(at).unwrap();
                    for n in 0.. {
                        match call(&mut stream, at, "POST", "/v1/update", "", &add(&format!("{client}-{n}"))) {
                            Ok((status, text)) => assert_eq!(status, 200, "{text}"),
                            // Whether this one was committed is open.
                            Err(_) => return (client, n),
                        }
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                    unreachable!("the service is killed")
                })
            })
            .collect();
        while answered.load(Ordering::SeqCst) < 300 {
            thread::yield_now();
        }
        service.child.kill().unwrap();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    service.child.wait().unwrap();
    let service = Running::start(&desk, "s", &[]);
    let mut expected = 0;
    for (client, open) in done {
        let (status, text) = service.post("/v1/update", &add(&format!("{client}-{open}")));
        assert_eq!(status, 200, "{text}");
        expected += open + 1;
        // Another repeat changes nothing.
        assert_eq!(service.post("/v1/update", &add(&format!("{client}-{open}"))).0, 200);
        let held = counted(&service, "g");
        for n in 0..=open {
            assert_eq!(held.get(&format!("{client}-{n}")), Some(&1), "{client}-{n} of {open}");
        }
    }
    assert_eq!(counted(&service, "g").values().sum::<usize>(), expected);
}

#[test]
fn tokens_are_read_anew_on_a_hangup_and_a_file_that_is_wrong_changes_nothing() {
    let desk = Desk::new();
    let file = desk.path("tokens.json");
    let write = |secret: &str, mode: u32| {
        let text = format!(r#"{{"tokens":[{{"name":"a","secret":"{secret}","grants":[{{"scope":"read"}}]}}]}}"#);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    };
    let (first, second) = ("the-first-secret-of-it", "the-second-secret-of-it");
    write(first, 0o606);
    let said = desk.run_with(&["serve", "s", "--listen", "127.0.0.1:0", "--tokens", "tokens.json"], "");
    assert_eq!(said.code, 2, "everybody may write it: {}", said.err);
    write(first, 0o600);
    let mut service = Running::start(&desk, "s", &["--tokens", "tokens.json"]);
    let mut log = BufReader::new(service.child.stderr.take().unwrap()).lines();
    let mut until_told = |what: &str| {
        let line = log.by_ref().map(Result::unwrap).find(|line| line.contains("tokens"));
        assert!(line.as_ref().is_some_and(|line| line.contains(what)), "{line:?}");
    };
    let status = |secret: &str| service.call("GET", "/v1/groups", secret, "").0;
    assert_eq!((status(first), status(second)), (200, 401));
    write(second, 0o600);
    service.signal(Signal::HUP);
    until_told("read anew");
    assert_eq!((status(first), status(second)), (401, 200));
    for (secret, mode) in [("short", 0o600), (first, 0o602)] {
        write(secret, mode);
        service.signal(Signal::HUP);
        until_told("the former ones stay");
        assert_eq!((status(first), status(second)), (401, 200), "{secret}");
    }
}

/// A small file system in memory, gone with the value.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(at);
        let mounted = rustix::process::geteuid().is_root() && mount.status().is_ok_and(|status| status.success());
        mounted.then_some(Self(at))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn on_a_full_disk_adds_are_refused_as_full_and_the_service_goes_on() {
    let desk = Desk::new();
    let place = desk.path("small");
    let Some(_small) = Small::mount(&place) else {
        eprintln!("SKIPPED on_a_full_disk_…: only root can mount a small tmpfs; run the tests as root for it");
        return;
    };
    let service = Running::start(&desk, "small/s", &[]);
    let mut acknowledged = 0;
    let add = |n: usize| service.post("/v1/update", &format!(r#"{{"adds":[{{"group":"g","data":"{n:03000}"}}]}}"#));
    for _ in 0..5 {
        assert_eq!(add(acknowledged).0, 200);
        acknowledged += 1;
    }
    let (_, text) = service.post("/v1/claim", r#"{"owner":7,"groups":["g"],"lease":600000}"#);
    let claimed: Value = serde_json::from_str(&text).unwrap();
    // A file that takes all the room there is.
    let _ = fs::write(place.join("filler"), vec![1; 8 << 20]);
    let refused = loop {
        let (status, text) = add(acknowledged);
        if status != 200 {
            break (status, serde_json::from_str::<Value>(&text).unwrap());
        }
        acknowledged += 1;
        assert!(acknowledged < 10_000, "the disk is never full");
    };
    assert_eq!((refused.0, refused.1["code"].as_str()), (503, Some("no_space")), "{}", refused.1);
    assert_eq!(service.call("GET", "/healthz", "", "").0, 200);
    assert_eq!(counted(&service, "g").len(), acknowledged, "what was acknowledged is there");
    let id = &claimed["tasks"][0]["id"];
    let end = format!(r#"{{"owner":7,"deletes":[{{"id":{id},"reason":"finished"}}]}}"#);
    let (status, text) = service.post("/v1/update", &end);
    assert_eq!(status, 200, "what frees room goes on: {text}");
    fs::remove_file(place.join("filler")).unwrap();
    let (status, text) = add(acknowledged);
    assert_eq!(status, 200, "there is room again: {text}");
    assert_eq!(counted(&service, "g").len(), acknowledged);
}

#[test]
fn ten_thousand_who_say_nothing_keep_nobody_out() {
    const IDLE: usize = 10_000;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    // Some are the test program's own.
    let most = limit.maximum.map_or(IDLE, |most| usize::try_from(most).unwrap_or(IDLE).saturating_sub(500).min(IDLE));
    if most < IDLE {
        eprintln!(
            "ONLY {most} connections: this process may have no more descriptors; raise its hard limit for {IDLE}"
        );
    }
    let desk = Desk::new();
    let service = Running::start(&desk, "s", &["--opportunistic"]);
    let idle: Vec<TcpStream> = (0..most)
        .map(|_| {
            let mut stream = service.connect();
            // One that never said anything would not be let be for long.
            assert_eq!(call(&mut stream, &service.at, "GET", "/healthz", "", "").unwrap().0, 200);
            stream
        })
        .collect();
    let began = Instant::now();
    for n in 0..100 {
        assert_eq!(service.post("/v1/update", &add(&n.to_string())).0, 200);
        assert_eq!(service.post("/v1/claim", r#"{"groups":["g"]}"#).0, 200);
    }
    let (_, text) = service.call("GET", "/metrics", "", "");
    let open = text.lines().find_map(|line| line.strip_prefix("tenure_connections ")).unwrap();
    // Where the machine was so busy that a minute has gone by, the first ones were hung up on.
    println!("200 requests beside {open} of {most} idle connections: {:?}", began.elapsed());
    drop(idle);
}
