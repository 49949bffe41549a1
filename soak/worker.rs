//! A worker of the soak: README.md beside it says what it does. `worker.py` and `worker.js` do the same.

use std::{
    env,
    error::Error,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tenure::{Add, Kind, Options, Request, Store};

const LEASE: Duration = Duration::from_secs(3);
const WAIT: Duration = Duration::from_millis(300);

/// Numbers between 0 and 1 from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default()) / 4_294_967_296.0
    }
}

struct Worker {
    store: Store,
    draw: Draw,
    ledger: File,
}

impl Worker {
    fn note(&mut self, what: &str, data: &str) -> std::io::Result<()> {
        self.ledger.write_all(format!("{what} {data}\n").as_bytes())
    }

    fn add(&mut self, data: &str) -> tenure::Result<Option<(&'static str, String)>> {
        let add = Add { group: "work".into(), data: data.into(), ..Add::default() };
        self.store.update(Request { adds: vec![add], request_id: Some(data.into()), ..Request::default() })?;
        Ok(Some(("added", data.into())))
    }

    fn work(&mut self) -> tenure::Result<Option<(&'static str, String)>> {
        let Some(task) = self.store.claim_wait(&["work"], LEASE, WAIT)? else { return Ok(None) };
        let fate = self.draw.next();
        if fate < 0.08 {
            self.store.fail(&task, "on purpose", Duration::ZERO)?;
        } else if fate < 0.12 {
            self.store.release(&task, Duration::ZERO)?;
        } else if fate >= 0.14 {
            let data = task.data.text().unwrap_or_default().to_owned();
            self.store.transact(|tx| {
                tx.finish(&task);
                tx.increment("done", &data, 1);
                Ok(())
            })?;
            return Ok(Some(("done", data)));
        }
        // The lease of what is left runs out.
        Ok(None)
    }
}

fn run(place: &str, name: &str, seed: &str, control: &Path) -> Result<(), Box<dyn Error>> {
    let store = if place.starts_with("http") {
        Options::new().retry_for(Duration::from_mins(2)).connect(place)?
    } else {
        Options::new().lock_wait(Duration::from_mins(1)).open(place)?
    };
    let ledger = File::options().append(true).create(true).open(control.join(format!("{name}.ledger")))?;
    let seed = seed.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut worker = Worker { store, draw: Draw(seed), ledger };
    let mut added = 0;
    while !control.join("stop").exists() {
        let step = if worker.draw.next() < 0.47 && !control.join("drain").exists() {
            added += 1;
            worker.add(&format!("{name}-{added}"))
        } else {
            worker.work()
        };
        match step {
            Ok(Some((what, data))) => worker.note(what, &data)?,
            Ok(None) => {}
            Err(error) if error.kind() == Kind::Rejected => worker.note("refused", error.code().slug())?,
            Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::Unknown | Kind::Timeout) => {
                worker.note("unknown", error.code().slug())?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(worker.store.close()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [place, name, seed, control] = &args[..] else { return Err("give a place, a name, a seed, a folder".into()) };
    run(place, name, seed, &PathBuf::from(control))
}
