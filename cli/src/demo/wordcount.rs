//! The process that adds the tasks, starts, kills and checks.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tenure::{Code, Delete, Error, OwnerId, Reason, Record, Request, Result, Store, TaskId};

use super::args::Wordcount;
use super::{
    corpus::Corpus,
    crew::{Crew, Doomed},
    fault,
    job::{Claimant, Job, RUNS, spell},
    screen, unavailable,
    words::Counts,
};
use crate::{
    open::{Setting, invalid, url},
    progress::Progress,
};

/// The lease of a worker that lives, in milliseconds: long enough for a machine that is busy.
const LEASE: u64 = 30_000;
/// The lease of one that will be killed: so long its task waits for another.
const SHORT_LEASE: u64 = 2_000;
/// Words of a part go out in one transaction, so there are at most that many bytes of text for each.
const PART_BYTES: u64 = 2 << 20;
/// How many tasks one transaction adds.
const BATCH: usize = 1000;

/// A task that was done twice.
pub struct Redone {
    pub file: String,
    pub killed: Claimant,
    pub again: Claimant,
    pub refusal: Error,
}

/// All that the last screen shows.
pub struct Report {
    pub files: usize,
    pub pieces: usize,
    pub workers: usize,
    pub took: Duration,
    pub counts: Counts,
    pub redone: Vec<Redone>,
}

pub fn run(setting: &Setting, args: &Wordcount) -> Result<()> {
    if args.workers == 0 || args.kill >= args.workers {
        let why = format!("--workers {} --kill {}: at least one worker has to live", args.workers, args.kill);
        return Err(Error::new(Code::Invalid, why));
    }
    if let Some(text) = args.url.as_deref().filter(|text| url(Path::new(text)).is_none()) {
        return Err(invalid(format!("--url {text}: give the URL of a service, as http://127.0.0.1:8048")));
    }
    let began = Instant::now();
    let corpus = Corpus::find(&args.path)?;
    let temporary = tempfile::tempdir().map_err(|error| unavailable("can't make a temporary folder", &error))?;
    let path = args.url.as_ref().map(PathBuf::from).or_else(|| args.store.clone());
    let path = path.unwrap_or_else(|| temporary.path().join("demo.tenure"));
    let store = setting.present_or_new(&path)?;
    let run = store.increment(RUNS, "runs", 1, None, None)?;
    let parts = (corpus.bytes() / PART_BYTES).clamp(4, 1000);
    let folder = std::path::absolute(&args.path).map_err(|error| unavailable("can't find the folder", &error))?;
    let crew = Crew::new(setting.clone(), path, folder.clone(), run, parts);
    let job = Job::new(run);
    let group = job.map.clone();
    let mut demo = Running { store, job, crew, progress: Progress::new(), group, all: 0 };
    let (pieces, redone) = demo.map(args, &corpus)?;
    demo.reduce(parts)?;
    demo.crew.dismiss()?;
    demo.progress.clear();
    let counts = demo.counts()?;
    compare(&corpus.count(&folder)?, &counts, demo.words()?)?;
    demo.store.close()?;
    let took = began.elapsed();
    let files = corpus.files.len();
    let kept = args.url.as_deref().map(Path::new).or(args.store.as_deref());
    screen::show(&Report { files, pieces, workers: args.workers, took, counts, redone }, kept);
    Ok(())
}

struct Running {
    store: Store,
    job: Job,
    crew: Crew,
    progress: Progress,
    /// The group whose tasks are being done, and how many it began with.
    group: String,
    all: u64,
}

impl Running {
    /// Every piece is counted, by workers of which some are killed.
    fn map(&mut self, args: &Wordcount, corpus: &Corpus) -> Result<(usize, Vec<Redone>)> {
        let share = corpus.bytes() / (args.workers as u64 * 16);
        let about = args.piece.unwrap_or_else(|| share.clamp(4 << 10, 256 << 10)).max(1);
        let pieces = corpus.pieces(&self.crew.corpus, about)?;
        if pieces.len() < args.kill {
            let why = format!("--kill {}: the folder gives only {} tasks: give more text", args.kill, pieces.len());
            return Err(Error::new(Code::Invalid, why));
        }
        let mut tasks = Vec::with_capacity(pieces.len());
        for batch in pieces.chunks(BATCH) {
            tasks.extend(self.store.add_many(&self.job.map, batch.iter().map(spell))?);
        }
        self.all = tasks.len() as u64;
        let mut doomed = Vec::new();
        for n in 1..=args.kill {
            let worker = self.crew.doom(&format!("worker-{n}"), SHORT_LEASE)?;
            self.store.put(&self.job.notes, &Job::watched(worker.origin()), "")?;
            doomed.push(worker);
        }
        for n in args.kill + 1..=args.workers {
            self.crew.hire(&format!("worker-{n}"), LEASE)?;
        }
        // In the midst of the work, where there is that much.
        let third = (self.all - args.kill as u64).div_ceil(3);
        self.until(|demo, left| Ok((demo.all - left >= third).then_some(())))?;
        let mut last = Vec::new();
        for worker in &mut doomed {
            worker.kill()?;
            last.push(self.last_claim(worker)?);
        }
        let mut waiting: Vec<(Doomed, Claimant)> = doomed.into_iter().zip(last).collect();
        let mut redone = Vec::new();
        // In the order in which they are claimed again: whoever has claimed one waits for it.
        while !waiting.is_empty() {
            let at = self.until(|demo, _| demo.claimed_again(&waiting))?;
            let (worker, killed) = waiting.swap_remove(at);
            let refusal = self.commit_late(&worker, &killed)?;
            self.store.put(&self.job.notes, &Job::tried(worker.origin()), "")?;
            redone.push((worker.origin(), killed, refusal));
        }
        self.until(|_, left| Ok((left == 0).then_some(())))?;
        let redone = redone.into_iter().map(|(origin, killed, refusal)| {
            let file = tasks.iter().position(|task| task.origin == origin).map(|at| pieces[at].file.clone());
            Ok(Redone { file: file.unwrap_or_default(), again: self.committed(origin)?, killed, refusal })
        });
        Ok((pieces.len(), redone.collect::<Result<_>>()?))
    }

    /// Every part is added up.
    fn reduce(&mut self, parts: u64) -> Result<()> {
        self.store.add_many(&self.job.reduce, (0..parts).map(|part| part.to_string()))?;
        self.group.clone_from(&self.job.reduce);
        self.all = parts;
        self.until(|_, left| Ok((left == 0).then_some(())))
    }

    /// Waits until `see` finds what it looks for, while the bar moves and the workers live.
    fn until<T>(&mut self, mut see: impl FnMut(&Self, u64) -> Result<Option<T>>) -> Result<T> {
        let mut watch = self.store.watch()?;
        loop {
            let group = self.store.group(&self.group)?;
            let more = format!("{} held by workers", group.held);
            self.progress.draw(&self.group, self.all.saturating_sub(group.tasks), self.all, &more);
            if let Some(found) = see(self, group.tasks)? {
                return Ok(found);
            }
            self.crew.check()?;
            match watch.next(Duration::from_millis(200)) {
                Err(error) if error.code() != Code::Truncated => return Err(error),
                _ => {}
            }
        }
    }

    /// The claim under which a killed worker held its task to the last: it renewed it while it lived.
    fn last_claim(&self, worker: &Doomed) -> Result<Claimant> {
        let told = &worker.computed.claimant;
        let present = self.store.find(worker.origin())?.filter(|task| task.owner == worker.computed.owner());
        Ok(Claimant { id: present.map_or(told.id, |task| task.id.0), ..told.clone() })
    }

    /// Which of these tasks another than the killed worker holds.
    fn claimed_again(&self, waiting: &[(Doomed, Claimant)]) -> Result<Option<usize>> {
        for (at, (worker, killed)) in waiting.iter().enumerate() {
            let task = self.store.find(worker.origin())?;
            if task.is_some_and(|task| task.owner != OwnerId(0) && task.owner != OwnerId(killed.owner)) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Tries to commit what the killed worker had computed, in its name: it has to be refused.
    fn commit_late(&self, worker: &Doomed, killed: &Claimant) -> Result<Error> {
        let origin = worker.origin();
        let (puts, increments) = self.job.writes(origin, &worker.computed.output, killed);
        let finish =
            Delete { id: TaskId(killed.id), origin: Some(origin), reason: Reason::Finished, ..Delete::default() };
        let late =
            Request { owner: OwnerId(killed.owner), deletes: vec![finish], puts, increments, ..Request::default() };
        match self.store.update(late) {
            Err(error) if error.is_lease_lost() => Ok(error),
            Err(error) => Err(error),
            Ok(_) => Err(fault(format!("the late commit of task {} got through: it would count twice", killed.id))),
        }
    }

    /// Who committed a task.
    fn committed(&self, origin: TaskId) -> Result<Claimant> {
        let record = self.store.get(&self.job.notes, &Job::committed(origin))?;
        let claimant = record.and_then(|record| serde_json::from_slice(&record.value).ok());
        claimant.ok_or_else(|| fault(format!("nobody has committed the task that began as {origin}")))
    }

    /// The result.
    fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.scan(&self.job.counts, "", after.as_deref(), BATCH)?;
            let Some(last) = page.last() else { return Ok(counts) };
            after = Some(last.key.to_string());
            counts.extend(page.iter().map(|record| (record.key.to_string(), number(record))));
        }
    }

    /// How many words all map tasks counted, as their commits added it up.
    fn words(&self) -> Result<u64> {
        Ok(self.store.get(&self.job.notes, "words")?.as_ref().map_or(0, number))
    }
}

/// The number in a record; no number counts as none.
fn number(record: &Record) -> u64 {
    record.value.text().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// An error unless the job counted what a direct count does.
fn compare(direct: &Counts, counted: &Counts, words: u64) -> Result<()> {
    let all: u64 = direct.values().sum();
    if words != all {
        return Err(fault(format!("the commits of all map tasks add up to {words} words, a direct count finds {all}")));
    }
    let word = direct.keys().chain(counted.keys()).find(|word| direct.get(*word) != counted.get(*word));
    word.map_or(Ok(()), |word| {
        let n = |counts: &Counts| counts.get(word).copied().unwrap_or_default();
        let (counted, direct) = (n(counted), n(direct));
        Err(fault(format!("{word:?} was counted {counted} times, and a direct count finds {direct}")))
    })
}
