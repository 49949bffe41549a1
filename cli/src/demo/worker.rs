//! One worker: claims, computes, commits, until its input ends.

use std::{
    io::{Read as _, Write as _, stdin, stdout},
    path::Path,
    thread,
    time::Duration,
};

use tenure::{Cancel, Error, Held, Options, Result, Store, Task};

use super::args::Worker;
use super::{
    corpus::Piece,
    fault,
    job::{Claimant, Computed, Job, Output, spell},
    unavailable, words,
};
use crate::open::Setting;

/// How many records one read fetches.
const PAGE: usize = 1000;

pub fn run(setting: &Setting, args: &Worker) -> Result<()> {
    let actor = format!("{}:{}", args.name, std::process::id());
    let store = setting.open(Options::new().create(false).actor(actor), &args.store)?;
    let job = Job::new(args.run);
    let stop = Cancel::new();
    let claims = store.claims([&job.reduce, &job.map]).lease(Duration::from_millis(args.lease)).stop(stop.clone());
    if !args.doomed {
        thread::spawn(move || {
            wait_for_end();
            stop.cancel();
        });
    }
    for held in claims {
        let held = held?;
        let task = held.task();
        let done = if *task.group == *job.map {
            let output = compute(&task, &args.corpus, args.parts)?;
            if args.doomed {
                return await_the_end(&held, store.actor(), output);
            }
            commit(&store, &job, &held, &output)
        } else {
            add_up(&store, &job, &held)
        };
        match done {
            // Another has it by now: whatever was computed is theirs to commit.
            Err(error) if error.is_lease_lost() => {}
            done => done?,
        }
    }
    store.close()
}

/// The input ends when whoever started this process wants no more of it, or is gone.
fn wait_for_end() {
    let _ = stdin().lock().read_to_end(&mut Vec::new());
}

/// Tells what was computed, and goes on holding the task until the process is killed.
fn await_the_end(held: &Held, actor: &str, output: Output) -> Result<()> {
    let task = held.task();
    let computed = Computed { origin: task.origin.0, claimant: Claimant::of(&task, actor), output };
    writeln!(stdout(), "{}", spell(&computed))
        .and_then(|()| stdout().flush())
        .map_err(|error| unavailable("can't tell what was computed", &error))?;
    wait_for_end();
    Ok(())
}

/// The work of a map task.
fn compute(task: &Task, corpus: &Path, parts: u64) -> Result<Output> {
    let piece: Piece = read(&task.data, "a map task")?;
    let mut counts = words::Counts::new();
    words::count(&piece.read(corpus)?, &mut counts);
    Ok(Output { dealt: words::deal(counts, parts) })
}

/// Ends a map task and writes its output, in one transaction.
fn commit(store: &Store, job: &Job, held: &Held, output: &Output) -> Result<()> {
    let origin = held.task().origin;
    if held.task().attempt > 1 && store.get(&job.notes, &Job::watched(origin))?.is_some() {
        // Its first claimant was killed. The demo wants to see the late commit refused while this claim is alive.
        let mut watch = store.watch()?;
        while store.get(&job.notes, &Job::tried(origin))?.is_none() {
            held.check()?;
            watch.next(Duration::from_secs(1))?;
        }
    }
    let by = Claimant::of(&held.task(), store.actor());
    let (puts, increments) = job.writes(origin, output, &by);
    store.transact(|tx| {
        tx.finish(held);
        for put in &puts {
            tx.put_record(put.clone());
        }
        for increment in &increments {
            tx.increment_within(increment.clone());
        }
        Ok(())
    })
}

/// The work of a reduce task: adds up a part's shares and puts the sums in their place.
fn add_up(store: &Store, job: &Job, held: &Held) -> Result<()> {
    let part: u64 = read(&held.data(), "a reduce task")?;
    let mut sums = words::Counts::new();
    let mut shares = Vec::new();
    loop {
        let after = shares.last().map(String::as_str);
        let page = store.scan(&job.mapped, &Job::share(part, None), after, PAGE)?;
        let full = page.len() == PAGE;
        for record in page {
            words::merge(&mut sums, read(&record.value, "a share")?);
            shares.push(record.key.to_string());
        }
        if !full {
            break;
        }
    }
    store.transact(|tx| {
        tx.finish(held);
        for share in &shares {
            tx.remove(&job.mapped, share);
        }
        for (word, n) in &sums {
            tx.put(&job.counts, word, n.to_string());
        }
        Ok(())
    })
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let unreadable =
        |error: serde_json::Error| -> Error { fault(format!("{what} of the demo can't be read: {error}")) };
    serde_json::from_slice(bytes).map_err(unreadable)
}
