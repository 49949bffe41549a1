//! Many clients at once: what they cost, and how soon they hear. `--nocapture` prints the figures.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod wire;

use std::{
    fs,
    io::Read as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use tenure::{Durability, Options};
use wire::{Served, config};

fn opportunistic() -> Served {
    Served::with(config(), &Options::new().durability(Durability::Opportunistic))
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

#[test]
fn an_add_wakes_a_claim_on_another_connection_soon() {
    const ROUNDS: usize = 300;
    let served = opportunistic();
    let (mut adding, mut waiting) = (served.client(), served.client());
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let json = [("content-type", "application/json")];
            waiting.send("POST", "/v1/claim", &json, r#"{"groups":["g"],"wait":30000}"#);
            // It waits by the time that another look is answered.
            adding.post("/v1/claim", r#"{"groups":["none"]}"#);
            let began = Instant::now();
            adding.send("POST", "/v1/update", &json, r#"{"adds":[{"group":"g"}]}"#);
            assert_eq!(waiting.reply().unwrap().ok()["tasks"].as_array().unwrap().len(), 1);
            let took = began.elapsed();
            adding.reply().unwrap();
            took
        })
        .collect();
    took.sort_unstable();
    let (half, most) = (took[ROUNDS / 2], took[ROUNDS * 99 / 100]);
    println!("from an add to the waiting claim: half within {half:?}, 99 of 100 within {most:?}");
    assert!(half < Duration::from_millis(100), "{half:?}");
}

#[test]
fn sixty_four_connections_claim_and_finish_each_task_once() {
    const CONNECTIONS: usize = 64;
    const EACH: usize = 100;
    let served = opportunistic();
    served.store.add_many("g", (0..CONNECTIONS * EACH).map(|n| n.to_string())).unwrap();
    let (before, began) = (computed(), Instant::now());
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|n| {
            let mut client = served.client();
            thread::spawn(move || {
                let claim = format!(r#"{{"owner":{},"groups":["g"]}}"#, n + 1);
                for _ in 0..EACH {
                    let got = client.post("/v1/claim", &claim).ok();
                    let id = &got["tasks"][0]["id"];
                    client.post("/v1/update", &format!(r#"{{"owner":{},"deletes":[{id}]}}"#, n + 1)).ok();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let requests = u32::try_from(2 * CONNECTIONS * EACH).unwrap();
    let spent = computed().saturating_sub(before);
    println!("{requests} requests in {:?}, {:?} of the service's own time each", began.elapsed(), spent / requests);
    assert_eq!(served.store.group("g").unwrap().tasks, 0);
}

#[test]
fn ten_thousand_idle_connections_do_not_keep_others_out() {
    let mut few = config();
    few.connections = 1000;
    let served = Served::with(few, &Options::new().durability(Durability::Opportunistic));
    let mut idle = Vec::new();
    for n in 0..10_000 {
        idle.push(TcpStream::connect(served.at).unwrap());
        // Those that were hung up on need no descriptor of this process.
        if n % 1000 == 999 {
            assert_eq!(served.client().get("/healthz").status, 200);
            idle.drain(..idle.len() - 100);
        }
    }
    let mut last = [0; 1];
    let stream = idle.last_mut().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(stream.read(&mut last).is_err(), "the newest one is still open");
}
