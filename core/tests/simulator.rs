//! Workers that claim, renew, finish, fail, stall and die, over several handles on a journal that refuses, conflicts and
//! loses answers, with clocks that disagree. Everything follows from one number.
//!
//! `SIM_SEED` plays one run again, `SIM_STEPS` says how long a run is.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::{Handle, START, adds, oldest, renew, verb};
use tenure_core::{
    Claim, Committed, Kind, Limits, Millis, Order, Outcome, OwnerId, Request, Result, StoreId, Task, TaskId, Verb,
    driver::Driver,
    entry::{Op, Payload, Reason},
    rows::{MemoryRows, RowLog},
    state::dice::Dice,
    testing::{Faults, Faulty},
    txn::Ask,
};

const HANDLES: u64 = 4;
const WORKERS: u64 = 12;
const GROUPS: [&str; 3] = ["a", "b", "c"];

/// What a worker believes.
struct Worker {
    owner: OwnerId,
    handle: usize,
    held: Option<Task>,
    stalls: u64,
}

/// What was promised to somebody, by the request id that each write carries.
#[derive(Default)]
struct Promises {
    acknowledged: BTreeMap<String, Committed>,
    refused: BTreeSet<String>,
    unknown: BTreeMap<String, Request>,
    doubtful: BTreeSet<String>,
}

struct Simulation {
    seed: u64,
    dice: Dice,
    rows: MemoryRows,
    faults: Faults,
    handles: Vec<Handle>,
    workers: Vec<Worker>,
    time: Millis,
    drawn: u64,
    promises: Promises,
}

fn limits() -> Limits {
    Limits { request_window: 1 << 40, ..Limits::DEFAULT }
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let rows = MemoryRows::new(StoreId([3; 16]));
        let faults = Faults::new(seed ^ 0xFA);
        let handles = (0..HANDLES).map(|at| Self::open(&rows, &faults, 100 + at, START)).collect();
        let workers = (0..WORKERS)
            .map(|at| Worker { owner: OwnerId(at + 1), handle: (at % HANDLES) as usize, held: None, stalls: 0 })
            .collect();
        // Some runs are rough.
        faults.fail_by_chance(20 + seed % 7 * 60, 5 + seed % 5 * 30);
        let promises = Promises::default();
        Self { seed, dice: Dice::new(seed), rows, faults, handles, workers, time: START, drawn: 0, promises }
    }

    fn open(rows: &MemoryRows, faults: &Faults, author: u64, now: Millis) -> Handle {
        let setup = support::setup(author, limits());
        for _ in 0..100 {
            let journal = Faulty::new(Box::new(RowLog::new(rows.clone())), faults.clone());
            if let Ok(driver) = Driver::open(Box::new(journal), setup.clone(), 1_000, &|| now) {
                return Handle::of(driver, rows, setup, now);
            }
        }
        panic!("a store could not be opened a hundred times");
    }

    fn below(&mut self, end: u64) -> u64 {
        self.dice.below(end)
    }

    fn request_id(&mut self) -> String {
        self.drawn += 1;
        format!("{}", self.drawn)
    }

    /// Asks, notes what was promised, and gives the answer of a commit.
    fn update(&mut self, handle: usize, owner: OwnerId, mut request: Request) -> Option<Result<Committed>> {
        let id = self.request_id();
        request.owner = owner;
        request.request_id = Some(id.clone());
        let now = self.handles[handle].now.get();
        let answer = self.handles[handle].driver.ask(Ask::Update(&request), &|| now).map(|done| done.committed);
        self.note(&id, &answer, Some(request));
        match &answer {
            Err(error) if error.outcome() == Outcome::Unknown => None,
            _ => Some(answer),
        }
    }

    fn note(&mut self, id: &str, answer: &Result<Committed>, request: Option<Request>) {
        match answer {
            Ok(done) => drop(self.promises.acknowledged.insert(id.into(), done.clone())),
            Err(error) if error.outcome() == Outcome::Unknown => {
                assert_eq!(error.kind(), Kind::Unknown, "seed {}: {error:?}", self.seed);
                self.promises.doubtful.insert(id.into());
                self.promises.unknown.extend(request.map(|request| (id.to_string(), request)));
            }
            // What was unknown may still be under way while a repeat is refused.
            Err(_) if self.promises.doubtful.contains(id) => {}
            Err(_) => drop(self.promises.refused.insert(id.into())),
        }
    }

    fn step(&mut self) {
        self.time += self.below(200);
        for handle in &self.handles {
            let skew = handle.now.get().cast_signed() - self.time.cast_signed();
            // Clocks drift, and are set right now and then.
            let skew = if self.dice.below(50) == 0 { self.dice.below(20_000).cast_signed() - 10_000 } else { skew };
            handle.now.set(self.time.saturating_add_signed(skew.clamp(-300_000, 300_000)));
        }
        match self.below(100) {
            0..15 => self.add(),
            15 => self.restart(),
            16..18 => self.snapshot(),
            18..21 => self.ask_again(),
            _ => {
                let worker = self.below(WORKERS) as usize;
                self.work(worker);
            }
        }
    }

    fn add(&mut self) {
        let handle = self.below(HANDLES) as usize;
        let group = GROUPS[self.below(3) as usize];
        self.update(handle, OwnerId(500), adds(&[(group, "work")]));
    }

    fn restart(&mut self) {
        let at = self.below(HANDLES);
        let now = self.handles[at as usize].now.get();
        self.handles[at as usize] = Self::open(&self.rows, &self.faults, 100 + at, now);
    }

    fn snapshot(&mut self) {
        let handle = &mut self.handles[self.dice.below(HANDLES) as usize];
        let now = handle.now.get();
        // It may fail: then there is none.
        let _ = handle.driver.snapshot(&|| now);
    }

    /// Whoever did not learn what became of a request asks again under the same id.
    fn ask_again(&mut self) {
        let Some((id, request)) = self.promises.unknown.pop_first() else { return };
        let handle = self.below(HANDLES) as usize;
        let now = self.handles[handle].now.get();
        let answer = self.handles[handle].driver.ask(Ask::Update(&request), &|| now).map(|done| done.committed);
        self.note(&id, &answer, Some(request));
    }

    fn work(&mut self, at: usize) {
        if self.workers[at].stalls > 0 {
            self.workers[at].stalls -= 1;
            return;
        }
        let (handle, owner) = (self.workers[at].handle, self.workers[at].owner);
        let Some(held) = self.workers[at].held.take() else {
            return self.claim(at);
        };
        match self.below(12) {
            0 => self.workers[at].stalls = self.below(60),
            // It dies; another takes its place.
            1 => return,
            2..5 => {
                let request = Request { updates: vec![renew(held.id, 2_000)], ..Request::default() };
                let answer = self.update(handle, owner, request);
                self.workers[at].held = self.outcome(answer, &held);
                return;
            }
            5 => {
                let word = [Verb::Fail, Verb::Release, Verb::Update][self.below(3) as usize];
                let request = Request { updates: vec![verb(held.id, word)], ..Request::default() };
                let answer = self.update(handle, owner, request);
                self.outcome(answer, &held);
                return;
            }
            6..9 => {
                let mut request = support::delete(held.id, Reason::Finished);
                request.adds = adds(&[("done", "result")]).adds;
                let answer = self.update(handle, owner, request);
                self.outcome(answer, &held);
                return;
            }
            _ => {}
        }
        self.workers[at].held = Some(held);
    }

    fn claim(&mut self, at: usize) {
        let (handle, owner) = (self.workers[at].handle, self.workers[at].owner);
        let order = if self.below(2) == 0 { Order::Random } else { Order::Oldest };
        let id = self.request_id();
        let claim = Claim { owner, lease: 2_000, order, request_id: Some(id.clone()), ..oldest(&GROUPS, 1) };
        let now = self.handles[handle].now.get();
        let answer = self.handles[handle].driver.ask(Ask::Claim(&claim), &|| now).map(|done| done.committed);
        self.note(&id, &answer, None);
        self.workers[at].held = answer.ok().and_then(Committed::into_task);
    }

    /// What the worker holds after a commit, or after it was refused.
    fn outcome(&mut self, answer: Option<Result<Committed>>, held: &Task) -> Option<Task> {
        match answer? {
            Ok(done) => done.into_task(),
            Err(error) => {
                let kinds = [Kind::Rejected, Kind::Unavailable, Kind::Timeout];
                assert!(kinds.contains(&error.kind()), "seed {}: {error:?}", self.seed);
                (error.kind() != Kind::Rejected).then(|| held.clone())
            }
        }
    }

    /// Everything that must be true of the journal as it is, read by a handle that saw none of it.
    fn judge(&mut self, history: &History) {
        let seed = self.seed;
        for (id, done) in &self.promises.acknowledged {
            let wrote = history.requests.get(id);
            if done.tasks.is_empty() && wrote.is_none() {
                continue;
            }
            let revision = wrote.unwrap_or_else(|| panic!("seed {seed}: request {id} was acknowledged and is lost"));
            assert_eq!(*revision, done.revision.0, "seed {seed}: request {id} is elsewhere than it was said to be");
        }
        for id in &self.promises.refused {
            assert!(!history.requests.contains_key(id), "seed {seed}: request {id} was refused and is there");
        }
        self.faults.calm();
        let mut digests = BTreeSet::new();
        for handle in &mut self.handles {
            handle.catch_up();
            handle.sound();
            digests.insert((handle.state().digest(), handle.state().next_id(), handle.state().revision()));
        }
        assert_eq!(digests.len(), 1, "seed {seed}: handles ended apart");
        let live: BTreeSet<u64> = history.live.iter().copied().collect();
        let state: BTreeSet<u64> = self.handles[0].all().iter().map(|task| task.id.0).collect();
        assert_eq!(live, state, "seed {seed}: the journal and the handles disagree on what lives");
        self.handles[0].opens_alike();
    }
}

/// The journal, entry by entry, as a reader without any of the engine sees it.
#[derive(Default)]
struct History {
    next: u64,
    live: BTreeSet<u64>,
    last_id: u64,
    requests: BTreeMap<String, u64>,
}

impl History {
    fn follow(&mut self, rows: &MemoryRows, from: &mut tenure_core::port::Tail, seed: u64) {
        *from = support::journal(rows)
            .read(from, &mut |stored| {
                assert_eq!(stored.tail.revision.0, self.next + 1, "seed {seed}: a gap");
                self.next += 1;
                let payload = Payload::read(stored.payload)?;
                if let Some(mark) = &payload.head.request {
                    let again = self.requests.insert(mark.id.to_string(), stored.tail.revision.0);
                    assert_eq!(again, None, "seed {seed}: request {} was done twice", mark.id);
                }
                for op in payload {
                    match op? {
                        Op::Save { replaces, task } => self.change(replaces, task.id, seed),
                        Op::Retitle(retitle) => self.change(retitle.old, retitle.id, seed),
                        Op::Remove { id, .. } => {
                            assert!(self.live.remove(&id.0), "seed {seed}: a commit with the old id {id}");
                        }
                        _ => {}
                    }
                }
                Ok(())
            })
            .unwrap();
    }

    fn change(&mut self, old: TaskId, id: TaskId, seed: u64) {
        if old.0 != 0 {
            assert!(self.live.remove(&old.0), "seed {seed}: a commit with the old id {old}");
        }
        assert!(id.0 > self.last_id, "seed {seed}: id {id} after {}", self.last_id);
        self.last_id = id.0;
        self.live.insert(id.0);
    }
}

fn run(seed: u64, steps: u64) -> Vec<(&'static str, u64)> {
    let mut simulation = Simulation::new(seed);
    let mut history = History::default();
    let mut tail = support::journal(&simulation.rows).floor().unwrap();
    for _ in 0..steps {
        simulation.step();
        history.follow(&simulation.rows, &mut tail, seed);
        // At most one worker holds the present id of a task.
        let mut held = BTreeSet::new();
        for task in simulation.workers.iter().filter_map(|worker| worker.held.as_ref()) {
            let present = history.live.contains(&task.id.0);
            assert!(!present || held.insert(task.origin), "seed {seed}: two hold task {}", task.origin);
        }
    }
    simulation.faults.forget();
    history.follow(&simulation.rows, &mut tail, seed);
    simulation.judge(&history);
    simulation.faults.met()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[test]
fn nothing_is_lost_or_done_twice_whatever_the_journal_does() {
    let steps = number("SIM_STEPS").unwrap_or(2_000);
    let seeds = number("SIM_SEED").map_or(1..=8, |seed| seed..=seed);
    let mut met: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds {
        println!("SIM_SEED={seed} SIM_STEPS={steps}");
        for (name, count) in run(seed, steps) {
            *met.entry(name).or_default() += count;
        }
    }
    println!("{met:?}");
    if number("SIM_SEED").is_none() && steps >= 2_000 {
        for name in ["refused", "conflict", "answer lost", "request lost", "late", "read broke off"] {
            assert!(met.contains_key(name), "no {name} was met: {met:?}");
        }
    }
}
