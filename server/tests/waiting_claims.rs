//! Thousands of claims that wait, in a process of their own, so that what it takes up is theirs.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod wire;

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use tenure::{Durability, Options};
use wire::{Served, config};

fn opportunistic() -> Served {
    Served::with(config(), &Options::new().durability(Durability::Opportunistic))
}

/// Bytes of memory that this process takes up.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The time that the service's threads have spent computing.
fn computed() -> Duration {
    let mut ticks = 0;
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let (name, rest) = stat.split_once(") ").unwrap();
        if name.contains("(tenure-") {
            ticks += rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>();
        }
    }
    Duration::from_millis(ticks * 10)
}

fn request(at: &str, path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn five_thousand_waiting_claims_hold_no_threads_and_take_no_time() {
    const CLAIMS: usize = 5000;
    let served = opportunistic();
    served.client().get("/healthz");
    let before = resident();
    let text = request(&served.at.to_string(), "/v1/claim", r#"{"groups":["g"],"wait":60000}"#);
    let waiting: Vec<TcpStream> = (0..CLAIMS)
        .map(|_| {
            let mut stream = TcpStream::connect(served.at).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream
        })
        .collect();
    let until = Instant::now() + Duration::from_secs(30);
    let count = || {
        let text = String::from_utf8(served.client().get("/metrics").body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("tenure_waiting_claims ")).unwrap().to_owned();
        line.parse::<usize>().unwrap()
    };
    while count() < CLAIMS {
        assert!(Instant::now() < until, "only {} wait", count());
    }
    let grown = resident().saturating_sub(before);
    let (idle, began) = (computed(), Instant::now());
    thread::sleep(Duration::from_secs(1));
    let spent = computed().saturating_sub(idle).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("{CLAIMS} waiting claims: {} KiB more, {:.1} % of a core", grown >> 10, spent * 100.0);
    assert!(grown <= 40 << 20, "{grown} bytes");
    assert!(spent <= 0.05, "{spent}");
    drop(waiting);
}
