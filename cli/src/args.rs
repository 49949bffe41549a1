//! What the program understands: the commands. What each takes stands beside what it does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(feature = "serve")]
use crate::serve;
use crate::{demo, group, journal, list, records, snapshot, task, update};

/// A durable, transactional coordination store: claim work for a lease, commit each result once.
///
/// Every command but restore and demo begins with the store: its path, a folder, or the URL of a service (tenure serve).
#[derive(Debug, Parser)]
#[command(name = "tenure", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Answers, and errors, as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The label of who does it, in every entry [default: HOST:PID]
    #[arg(long, global = true, value_name = "LABEL")]
    pub actor: Option<String>,
    /// The token for a service [default: $TENURE_TOKEN]
    #[arg(long, global = true, value_name = "SECRET", hide_short_help = true)]
    pub token: Option<String>,
    /// The certificates by which a service is believed, PEM [default: the system's]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Durations: 500ms, 60s, 1.5h, 2d. Sizes: 100, 64KiB, 1.5MiB.\n\
    Exit codes: 0 done, 1 rejected, 2 wrong call, 3 nothing to claim, 4 damaged, 5 storage failed, 6 fenced or closed,\n\
    7 not found, 8 full, 9 timeout or interrupted, 10 unknown whether committed, 11 a fault of Tenure.";

/// The store that a command works on.
#[derive(Debug, Args)]
pub struct At {
    /// The store's folder, or the URL of a service.
    pub store: PathBuf,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a task, or one for each line; the store is made where there is none.
    ///
    /// Where nothing depends on the store's state it is not loaded, and its bounds (tasks, bytes of state) are judged by the
    /// next who knows it.
    Add(task::Add),
    /// Claim tasks for a lease.
    Claim(task::Claim),
    /// Lengthen a lease.
    Renew(task::Renew),
    /// Give a task back.
    Release(task::Release),
    /// End a task whose work is done.
    Finish(task::Finish),
    /// Give a task back with one more failure.
    Fail(task::Fail),
    /// End a task that nobody wants any more.
    Cancel(task::Cancel),
    /// Put a task into another group.
    Move(task::Move),
    /// Make a task as if it had never been claimed.
    Requeue(task::Requeue),
    /// Commit a request, given as JSON on stdin: all of it, or nothing.
    Update(update::Update),
    /// The groups and how many tasks each has.
    Groups(list::Groups),
    /// The tasks, by id.
    Tasks(list::Tasks),
    /// The live task that began under an id, or that has a key.
    Find(list::Find),
    /// Records: keyed values in named tables.
    #[command(subcommand)]
    Records(records::Records),
    /// Claims skip a group from now on.
    Pause(group::Pause),
    /// Claims no longer skip a group.
    Resume(group::Pause),
    /// Numbers about the store.
    Stats(list::Stats),
    /// What stands in the store's bytes: segments, frames, positions, snapshots.
    Inspect(journal::Inspect),
    /// Read every byte, replay everything, compare the digests.
    Verify(journal::Verify),
    /// Take a snapshot now, and let go of what it makes superfluous.
    Snapshot(snapshot::Snapshot),
    /// The last entries, and those that come.
    Tail(journal::Tail),
    /// Who did what.
    Log(journal::Log),
    /// Write a verified copy of a store, which may be in use, into one file.
    Backup(snapshot::Backup),
    /// Make a store from a backup.
    Restore(snapshot::Restore),
    /// Raise the store's format level to this program's.
    Upgrade(snapshot::Upgrade),
    /// Serve the store over HTTP, until SIGTERM or Ctrl-C.
    #[cfg(feature = "serve")]
    Serve(Box<serve::Serve>),
    /// See it at work.
    #[command(subcommand)]
    Demo(demo::Demo),
}
