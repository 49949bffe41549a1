//! Several handles on one store that do what they do between any two calls of one another: they add, claim and finish,
//! sync, take snapshots, die and open the store again, as a seed says. Nothing is ever called damaged, all see one
//! history, and whatever a power cut leaves holds all that was made durable.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod acts;
mod baton;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use baton::{Baton, Dice, Turns, pass_before_each_call};
use tenure_core::{
    Author, Code, Kind, Limits, Result, StoreId, Task,
    bytelog::{ByteLog, Options},
    driver::Driver,
    engine::Setup,
    testing::{SimDisk, Survive},
};

const NOW: u64 = 1_000_000;
const USERS: usize = 4;
const STEPS: usize = 20;
const STORE: StoreId = StoreId([9; 16]);

fn setup(number: u64) -> Setup {
    support::setup(number, Limits::DEFAULT)
}

fn options(number: u64, read_only: bool) -> Options {
    Options { segment_bytes: 1500, max_frame: 400, read_only, ..Options::new(Author(number)) }
}

fn open(disk: SimDisk, number: u64, read_only: bool) -> Result<Driver> {
    let options = options(number, read_only);
    let log = if read_only { ByteLog::open(disk, options) } else { ByteLog::create(disk, options, STORE) };
    Driver::open(Box::new(log?), setup(number), 0, &|| NOW)
}

/// One who uses the store.
#[derive(Default)]
struct User {
    open: Option<(SimDisk, Driver)>,
    held: Vec<Task>,
}

/// What is known of the history.
#[derive(Default)]
struct Known {
    digests: BTreeMap<u64, u64>,
    durable: u64,
    opened: u64,
    snapshots: u64,
    deaths: u64,
}

impl Known {
    fn see(&mut self, driver: &Driver, who: &str) {
        let state = driver.engine().state();
        let (revision, digest) = (state.revision().0, state.digest());
        let known = *self.digests.entry(revision).or_insert(digest);
        assert_eq!(known, digest, "{who} has another state at revision {revision}");
    }
}

struct World {
    disk: SimDisk,
    baton: Arc<Baton>,
    known: Mutex<Known>,
}

impl World {
    /// A number that nobody else has.
    fn number(&self) -> u64 {
        let mut known = self.known.lock().unwrap();
        known.opened += 1;
        known.opened
    }
}

/// What a user does, as the dice say.
fn use_store(world: &World, who: usize, mut dice: Dice, what: &str) {
    world.baton.begin(who);
    let _turns = Turns(&world.baton, who);
    let mut user = User::default();
    for _ in 0..STEPS {
        let disk = match &user.open {
            Some((disk, _)) => disk.handle(),
            None => world.disk.process(),
        };
        if user.open.is_none() {
            pass_before_each_call(&disk, 1, world.baton.clone(), who);
        }
        match dice.throw(16) {
            0 => disk.die_at(1 + dice.throw(40)),
            1 => disk.fail_at(1 + dice.throw(40)),
            2 => world.disk.set_capacity(Some(world.disk.used() + dice.throw(2000) as usize)),
            3..7 => world.disk.set_capacity(None),
            _ => {}
        }
        let done = acts::act(world, who, &mut user, &disk, &mut dice);
        if disk.is_off() {
            user = User::default();
            world.known.lock().unwrap().deaths += 1;
        } else if let Err(error) = done {
            // Somebody else has the lock, or the store changes too fast under this handle, or it was loaded anew.
            const USUAL: [Code; 6] =
                [Code::LockTimeout, Code::Unavailable, Code::Cancelled, Code::Suspect, Code::NoSpace, Code::Unknown];
            let usual = USUAL.contains(&error.code()) || error.kind() == Kind::Fenced;
            assert!(usual, "{what}: {error}");
        } else if let Some((_, driver)) = &user.open {
            world.known.lock().unwrap().see(driver, what);
        }
        let how = dice.throw(8);
        judge(world, what, how, dice.throw(1000));
    }
}

/// Looks at the store as somebody who opens it now, or after a power cut.
fn judge(world: &World, what: &str, how: u64, seed: u64) {
    let survive = match how {
        0 => return look(world, what),
        1 => Survive::Kept,
        2 => Survive::Dropped,
        3 => Survive::Torn,
        4 => Survive::Seed(seed),
        _ => return,
    };
    let left = match open(world.disk.after_crash(survive), 900, false) {
        Ok(left) => left,
        Err(error) => panic!("{what}, {survive:?}: {error}"),
    };
    let mut known = world.known.lock().unwrap();
    let revision = left.engine().tail().revision.0;
    assert!(revision >= known.durable, "{what}, {survive:?}: {revision} of {} durable ones", known.durable);
    known.see(&left, what);
}

fn look(world: &World, what: &str) {
    match open(world.disk.process(), 800, true) {
        Ok(fresh) => world.known.lock().unwrap().see(&fresh, what),
        // Before anybody has opened it.
        Err(error) => assert_eq!(error.code(), Code::NoStore, "{what}: {error}"),
    }
}

fn live(seed: u64) -> (u64, u64) {
    let baton = Arc::new(Baton::new(Dice(seed), USERS));
    let world = World { disk: SimDisk::new(), baton, known: Mutex::default() };
    let what = format!("seed {seed}");
    #[expect(clippy::disallowed_methods, reason = "the users are threads, of which one goes on at a time")]
    thread::scope(|scope| {
        for who in 0..USERS {
            let (world, what) = (&world, &what);
            scope.spawn(move || use_store(world, who, Dice(seed * 1000 + who as u64), what));
        }
    });
    look(&world, &what);
    for how in 1..5 {
        judge(&world, &what, how, seed);
    }
    let known = world.known.into_inner().unwrap();
    (known.snapshots, known.deaths)
}

/// So many lives, unless `TENURE_SEEDS` says otherwise.
fn seeds() -> u64 {
    std::env::var("TENURE_SEEDS").map_or(300, |text| text.parse().unwrap())
}

#[test]
fn handles_that_act_between_any_two_calls_of_one_another_keep_one_history() {
    let (mut snapshots, mut deaths) = (0, 0);
    for seed in 0..seeds() {
        let (taken, died) = live(seed);
        snapshots += taken;
        deaths += died;
    }
    assert!(snapshots > 2 * seeds() && deaths > seeds(), "{snapshots} snapshots, {deaths} deaths");
}
