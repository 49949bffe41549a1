//! The least CPU time of a claim, in microseconds; as `claims` in run.py does it. `claims memory`, or `claims FOLDER`.

use std::time::Duration;

use tenure::{Durability, Options, Store};

const BATCHES: u32 = 20;
const BATCH: u32 = 5_000;

fn main() -> tenure::Result<()> {
    let place = std::env::args().nth(1).unwrap_or_else(|| "memory".into());
    let options = Options::new().durability(Durability::Opportunistic);
    let store = if place == "memory" { Store::memory()? } else { options.open(&place)? };
    for _ in 0..BATCHES * BATCH / 10_000 {
        store.add_many("g", vec!["x".repeat(32); 10_000])?;
    }
    let mut least = Duration::MAX;
    for _ in 0..BATCHES {
        let began = used();
        for _ in 0..BATCH {
            std::hint::black_box(store.claim(&["g"], Duration::from_mins(1))?);
        }
        least = least.min(used().saturating_sub(began));
    }
    println!("{}", (least * 1_000_000 / BATCH).as_secs_f64());
    store.close()
}

/// What this thread has used.
fn used() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}
