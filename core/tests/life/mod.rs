//! A scripted life of a store: two drivers over one simulated folder that add, claim, finish, write records, repeat
//! requests, take snapshots and fill segments; and what is known of it afterwards.

use std::collections::BTreeMap;

use tenure_core::{
    Add, Author, Claim, Code, Committed, Data, Delete, IfExists, Increment, Limits, Outcome, OwnerId, Put, Request,
    Result, Revision, StoreId, Task, Update, Verb, When,
    bytelog::{ByteLog, Options},
    driver::Driver,
    engine::Setup,
    testing::SimDisk,
    txn::Ask,
};

pub const STORE: StoreId = StoreId([9; 16]);
pub const NOW: u64 = 1_000_000;
/// Steps of a whole life.
pub const STEPS: u64 = 44;

/// What is known to those who used the store.
#[derive(Default, Debug, Clone)]
pub struct Known {
    /// The last revision that was acknowledged strictly.
    pub acked: u64,
    /// The last revision that may have been begun.
    pub tried: u64,
    /// The digest at each revision at which a driver stood.
    pub digests: BTreeMap<u64, u64>,
    /// Steps whose transaction was acknowledged, and those that were surely refused.
    pub done: Vec<u64>,
    pub refused: Vec<u64>,
}

fn options(author: u64) -> Options {
    Options { segment_bytes: 3000, max_frame: 700, reserve_bytes: 400, ..Options::new(Author(author)) }
}

/// Opens a driver; the store is made where it is not there.
pub fn open(disk: SimDisk, number: u64) -> Result<Driver> {
    let setup = Setup {
        limits: Limits::DEFAULT,
        owner: OwnerId(number),
        actor: format!("test:{number}").into(),
        author: Author(number),
        seed: number,
    };
    Driver::open(Box::new(ByteLog::create(disk, options(number), STORE)?), setup, 0, &|| NOW)
}

fn data(step: u64, len: usize) -> Data {
    let bytes: Vec<u8> = (0..len).map(|i| (i as u64 * 31 + step) as u8).collect();
    Data::from(bytes)
}

/// The record that says that a step was done.
fn mark(step: u64) -> Put {
    Put { table: "log".into(), key: format!("{step:03}"), value: data(step, step as usize % 40), ..Put::default() }
}

/// A life under way.
pub struct Life {
    drivers: Vec<Driver>,
    pub known: Known,
}

impl Life {
    pub fn begin(disks: Vec<SimDisk>) -> Result<Self> {
        let drivers = disks.into_iter().zip(1..).map(|(disk, number)| open(disk, number)).collect::<Result<_>>()?;
        Ok(Self { drivers, known: Known::default() })
    }

    /// All steps; ends at the first that fails.
    #[allow(dead_code, reason = "of the tests that share this file, not each needs it")]
    pub fn live(&mut self) -> Result<()> {
        (0..STEPS).try_for_each(|step| self.step(step))?;
        self.drivers.drain(..).try_for_each(|mut driver| driver.journal().close())
    }

    /// All steps, whatever becomes of each.
    #[allow(dead_code, reason = "of the tests that share this file, not each needs it")]
    pub fn live_on(&mut self) {
        for step in 0..STEPS {
            let _ = self.step(step);
        }
    }

    fn top(&self) -> u64 {
        self.drivers.iter().map(|driver| driver.engine().tail().revision.0).max().unwrap_or(0)
    }

    /// A task that is held, by what the driver knows that has seen most.
    fn held(&self, owner: OwnerId) -> Option<Task> {
        let driver = self.drivers.iter().max_by_key(|driver| driver.engine().tail().revision)?;
        let mut tasks = driver.engine().state().list(Some("map"), 0.into(), 99, NOW, |_| true);
        tasks.retain(|task| task.owner == owner);
        tasks.pop()
    }

    /// Asks, and makes the answers durable, as a strict store does. What was not made durable is not known.
    fn ask(&mut self, who: usize, steps: &[u64], asks: &[Ask<'_>]) -> Result<Vec<Committed>> {
        self.known.tried = self.known.tried.max(self.top() + asks.len() as u64);
        let driver = &mut self.drivers[who];
        let answers = driver.run(asks, &|| NOW);
        self.known.digests.insert(driver.engine().tail().revision.0, driver.engine().state().digest());
        let durable = sync(driver);
        let mut done = Vec::new();
        let mut failed = None;
        for (step, answer) in steps.iter().zip(answers) {
            match (answer, &durable) {
                (Ok(answer), Ok(())) => {
                    self.known.acked = self.known.acked.max(answer.committed.revision.0);
                    self.known.done.push(*step);
                    done.push(answer.committed);
                }
                (Ok(_), Err(error)) => failed = Some(error.clone()),
                (Err(error), _) => {
                    if error.outcome() != Outcome::Unknown {
                        self.known.refused.push(*step);
                    }
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(done), Err)
    }

    /// A step that adds, and no sync after it.
    #[allow(dead_code, reason = "of the tests that share this file, not each needs it")]
    pub fn step_unsynced(&mut self, step: u64) -> Result<()> {
        let adds = vec![Add { group: "map".into(), data: data(step, 60), ..Add::default() }];
        let request = Request { adds, puts: vec![mark(step)], ..Request::default() };
        let driver = &mut self.drivers[0];
        driver.ask(Ask::Update(&request), &|| NOW)?;
        self.known.digests.insert(driver.engine().tail().revision.0, driver.engine().state().digest());
        Ok(())
    }

    fn update(&mut self, who: usize, step: u64, mut request: Request) -> Result<Vec<Task>> {
        request.puts.push(mark(step));
        let mut done = self.ask(who, &[step], &[Ask::Update(&request)])?;
        Ok(done.pop().map(|committed| committed.tasks).unwrap_or_default())
    }

    /// One step. Each that writes leaves its mark, so that it can be told whether it was done.
    pub fn step(&mut self, step: u64) -> Result<()> {
        let who = (step / 3 % 2) as usize % self.drivers.len();
        let owner = OwnerId(1);
        let add = |len| Add { group: "map".into(), data: data(step, len), ..Add::default() };
        match step % 11 {
            0 => drop(self.update(who, step, Request { adds: vec![add(30), add(900)], ..Request::default() })?),
            1 | 6 => {
                let claim = Claim { owner, groups: vec!["map".into()], limit: 2, ..Claim::default() };
                drop(self.ask(who, &[], &[Ask::Claim(&claim)])?);
            }
            2 | 8 => {
                let Some(task) = self.held(owner) else { return Ok(()) };
                let deletes = vec![Delete { id: task.id, ..Delete::default() }];
                drop(self.update(who, step, Request { owner, deletes, ..Request::default() })?);
            }
            3 => {
                let increments =
                    vec![Increment { table: "counts".into(), key: "n".into(), by: 1, ..Increment::default() }];
                let request_id = Some(format!("order-{step}"));
                let request = Request { owner, request_id, increments, puts: vec![mark(step)], ..Request::default() };
                drop(self.ask(who, &[step], &[Ask::Update(&request)])?);
                // The other one repeats it, and gets the first outcome.
                let again = self.ask(self.drivers.len() - 1 - who, &[step], &[Ask::Update(&request)])?;
                assert!(again[0].repeated, "{again:?}");
            }
            4 => {
                let keyed = Add { key: Some("big".into()), if_exists: IfExists::Keep, ..add(5000) };
                drop(self.update(who, step, Request { adds: vec![keyed], ..Request::default() })?);
            }
            5 => {
                let requests: Vec<Request> = (0..3)
                    .map(|i| Request {
                        adds: vec![add(i * 50)],
                        puts: vec![mark(500 + step * 3 + i as u64)],
                        ..Request::default()
                    })
                    .collect();
                let steps: Vec<u64> = (0..3).map(|i| 500 + step * 3 + i).collect();
                let asks: Vec<Ask<'_>> = requests.iter().map(Ask::Update).collect();
                drop(self.ask(who, &steps, &asks)?);
            }
            7 => {
                let Some(task) = self.held(owner) else { return Ok(()) };
                let verb = if step.is_multiple_of(2) { Verb::Renew } else { Verb::Release };
                let update = Update { id: task.id, verb, available: Some(When::After(5000)), ..Update::default() };
                let updates = vec![update];
                drop(self.update(who, step, Request { owner, updates, ..Request::default() })?);
            }
            9 => drop(self.update(who, step, Request { adds: vec![add(2000)], ..Request::default() })?),
            _ => {
                // The marker is an entry too.
                self.known.tried = self.known.tried.max(self.top() + 1);
                let driver = &mut self.drivers[who];
                driver.snapshot(&|| NOW)?;
                self.known.acked = self.known.acked.max(driver.engine().tail().revision.0);
                self.known.digests.insert(driver.engine().tail().revision.0, driver.engine().state().digest());
            }
        }
        Ok(())
    }
}

/// Makes everything durable, and writes it again elsewhere where a sync failed.
pub fn sync(driver: &mut Driver) -> Result<()> {
    let until = driver.engine().tail().position;
    match driver.syncer().sync() {
        Ok(synced) => {
            driver.note_synced(&synced);
            assert!(synced.position >= until, "a sync covers what was appended before it");
        }
        Err(_) => driver.heal()?,
    }
    assert!(driver.durable() >= until, "what was healed is durable");
    Ok(())
}

/// Opens what is left and checks it against what is known: the acknowledged history, or that plus what was in flight.
/// `digests` are those of a life that nothing disturbed, or what was seen of this one. Answers with the revision.
#[allow(dead_code, reason = "of the tests that share this file, not each needs it")]
pub fn check(disk: &SimDisk, known: &Known, digests: &BTreeMap<u64, u64>, what: &str) -> u64 {
    let mut driver = open(disk.process(), 7).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let state = driver.engine().state();
    let revision = state.revision().0;
    assert!(known.acked <= revision && revision <= known.tried, "{what}: revision {revision} of {known:?}");
    if let Some(digest) = digests.get(&revision) {
        assert_eq!(state.digest(), *digest, "{what}: another state at revision {revision}");
    }
    state.check().unwrap_or_else(|error| panic!("{what}: {error}"));
    let there = |step: &u64| state.tables().get("log", &format!("{step:03}")).is_some();
    if let Some(lost) = known.done.iter().find(|step| !there(step)) {
        panic!("{what}: step {lost} was acknowledged and is lost");
    }
    if let Some(ghost) = known.refused.iter().find(|step| there(step) && !known.done.contains(step)) {
        panic!("{what}: step {ghost} was refused and is there");
    }
    // It goes on from there, and that stays.
    let request = Request { puts: vec![mark(999)], ..Request::default() };
    driver.ask(Ask::Update(&request), &|| NOW).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    sync(&mut driver).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let (digest, next) = (driver.engine().state().digest(), driver.engine().state().revision());
    assert_eq!(next, Revision(revision + 1), "{what}");
    let again = open(disk.after_crash(tenure_core::testing::Survive::Dropped), 8)
        .unwrap_or_else(|error| panic!("{what}, again: {error:?}"));
    assert_eq!(again.engine().state().digest(), digest, "{what}, again");
    revision
}

/// The files with this ending, in order.
pub fn named(files: &[String], ending: &str) -> Vec<String> {
    files.iter().filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == ending)).cloned().collect()
}

/// Whether an error says that nothing can be read here, which is never wrong of a damaged store.
pub fn is_refusal(code: Code) -> bool {
    matches!(code, Code::Corrupt | Code::UpgradeNeeded | Code::NoStore | Code::NotAStore)
}
