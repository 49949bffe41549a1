//! What a child process is asked to do and what it reports.
//!
//! Every figure is taken in a fresh process: CPU time, memory and syncs are then its own, and a row with four processes
//! differs from one with one process by a number. A child says `ready` when its store is open and filled, waits for
//! `go`, works, and prints its report as one line of JSON.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::contender::{Answer, Failure, Terms};
use crate::meter::Used;

/// The hidden subcommand under which this program is its own child.
pub const SUBCOMMAND: &str = "child-job";

/// One child's job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Whose store.
    pub contender: String,
    /// Where it lies.
    pub dir: PathBuf,
    /// How it is opened.
    pub terms: Terms,
    /// What is done with it.
    pub work: Work,
}

/// The kinds of work. Tasks have 32 bytes of data unless it says otherwise; sizes are counts of tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Work {
    /// Adds tasks, `batch` in a transaction, then a snapshot if asked. Untimed preparation of other jobs.
    Fill { tasks: u64, batch: usize, snapshot: bool },
    /// Single adds for some time.
    Adds { seconds: f64 },
    /// Three phases over four groups: adds in batches of 100, claims singly, finishes singly.
    Phases { tasks: u64 },
    /// Each thread adds, claims, finishes, `batch` at a time, for some time.
    Cycle { threads: usize, batch: usize, seconds: f64 },
    /// Each thread claims and finishes singly what was filled in before, for some time or until nothing is left.
    Drain { threads: usize, tasks: u64, seconds: f64 },
    /// Opens the store and counts its tasks.
    Open,
    /// Fills, then finishes and adds as many again, `turns` times.
    Turnover { tasks: u64, turns: u32 },
    /// Latency of commits for some time, then while a snapshot of so many tasks runs.
    SnapshotLatency { tasks: u64, seconds: f64 },
    /// Claims in a store of so many tasks.
    Claims { tasks: u64, claims: u64, turns: u32 },
    /// Renews one task with so much data.
    Renew { bytes: usize, times: u32 },
    /// Adds, claims and finishes at a steady pace.
    Pace { transactions_per_second: u64, seconds: f64 },
    /// Stays open beside the others.
    Linger { seconds: f64 },
}

/// What a child measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// Tasks that went through the work.
    pub tasks: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// What the timed part used.
    pub used: Used,
    /// Further figures by name.
    pub more: BTreeMap<String, f64>,
}

#[derive(Serialize, Deserialize)]
enum Line {
    Done(Report),
    NotOffered(String),
    Broken(String),
}

/// Says to the parent that all is prepared, and waits until it lets all its children go.
pub fn pass_gate() -> Answer<()> {
    println!("ready");
    std::io::stdout().flush()?;
    let mut word = String::new();
    std::io::stdin().lock().read_line(&mut word)?;
    if word.trim() == "go" { Ok(()) } else { Err(Failure::Broken("the parent has gone".into())) }
}

/// The child's whole life: reads its job, does it, prints the report.
pub fn serve(spec: &str) -> Answer<()> {
    let job: Job = serde_json::from_str(spec)?;
    let line = match crate::work::perform(&job) {
        Ok(report) => Line::Done(report),
        Err(Failure::NotOffered(what)) => Line::NotOffered(what),
        Err(Failure::Broken(what)) => Line::Broken(what),
    };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

struct Running {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Running {
    fn start(job: &Job) -> Answer<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
            .arg(serde_json::to_string(job)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lost = || Failure::Broken("a child has no pipe".into());
        let says = BufReader::new(child.stdout.take().ok_or_else(lost)?);
        let hears = child.stdin.take().ok_or_else(lost)?;
        Ok(Self { child, says, hears })
    }

    fn line(&mut self) -> Answer<String> {
        let mut line = String::new();
        if self.says.read_line(&mut line)? == 0 {
            return Err(Failure::Broken(format!("a child ended without a word: {}", self.child.wait()?)));
        }
        Ok(line)
    }

    /// Until it is ready; a child that fails before says so in its report.
    fn ready(&mut self) -> Answer<()> {
        let line = self.line()?;
        if line.trim() == "ready" { Ok(()) } else { finished(&line).map(|_| ()) }
    }

    fn report(&mut self) -> Answer<Report> {
        let line = self.line()?;
        self.child.wait()?;
        finished(&line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that ended by itself is not there to be killed; that is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn finished(line: &str) -> Answer<Report> {
    match serde_json::from_str(line)? {
        Line::Done(report) => Ok(report),
        Line::NotOffered(what) => Err(Failure::NotOffered(what)),
        Line::Broken(what) => Err(Failure::Broken(what)),
    }
}

/// Runs the jobs side by side, each in a process of its own, all let go at the same moment.
pub fn run(jobs: &[Job]) -> Answer<Vec<Report>> {
    let mut running = jobs.iter().map(Running::start).collect::<Answer<Vec<_>>>()?;
    for child in &mut running {
        child.ready()?;
    }
    for child in &mut running {
        writeln!(child.hears, "go")?;
    }
    running.iter_mut().map(Running::report).collect()
}

/// Runs one job.
pub fn run_one(job: &Job) -> Answer<Report> {
    run(std::slice::from_ref(job))?.pop().ok_or_else(|| Failure::Broken("no report".into()))
}

/// Adds up the reports of jobs that ran side by side; the wall time is the longest.
pub fn sum(reports: &[Report]) -> Report {
    let mut all = Report::default();
    for report in reports {
        all.tasks += report.tasks;
        all.transactions += report.transactions;
        all.used.cpu += report.used.cpu;
        all.used.syncs += report.used.syncs;
        all.used.sync_seconds += report.used.sync_seconds;
        all.used.seconds = all.used.seconds.max(report.used.seconds);
    }
    all
}
