//! The rows of the table, each with what it must reach.

mod contended;
mod served;
mod single;
mod size;
mod standing;

use crate::bench::Bench;
use crate::contender::Answer;
use crate::figure::Findings;

/// One row.
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done.
    pub work: &'static str,
    /// Does it.
    pub run: fn(&Bench) -> Answer<Findings>,
}

/// All rows in the order of the table.
pub const ROWS: &[Row] = &[
    Row {
        name: "memory",
        work: "memory, 1 M tasks of 32 B in 4 groups, one thread: add in batches of 100, claim singly, finish singly",
        run: single::memory,
    },
    Row { name: "strict-1", work: "strict, one thread, single adds", run: single::strict },
    Row { name: "strict-64", work: "strict, 64 threads, claim + finish", run: contended::threads },
    Row {
        name: "opportunistic-1",
        work: "opportunistic on disk, one thread, add, claim, finish singly",
        run: single::opportunistic,
    },
    Row {
        name: "processes-strict",
        work: "4 processes on one store, strict, add, claim, finish singly",
        run: contended::processes_strict,
    },
    Row {
        name: "processes-opportunistic",
        work: "4 processes on one store, opportunistic, add, claim, finish, singly and in batches of 10",
        run: contended::processes_opportunistic,
    },
    Row {
        name: "open",
        work: "open with 1 M tasks, from a snapshot and from 1 M single-task entries",
        run: size::open,
    },
    Row {
        name: "resident",
        work: "memory for 1 M plain tasks of 32 B, after three full turnovers",
        run: size::resident,
    },
    Row {
        name: "snapshot-latency",
        work: "commit latency while a snapshot of 1 M tasks runs",
        run: standing::snapshot_latency,
    },
    Row { name: "claim-size", work: "claim in a store of 5 M tasks against one of 10 k", run: size::claims },
    Row { name: "renew-size", work: "renewing a task of 10 MiB against one of 10 B", run: size::renew },
    Row { name: "program-add", work: "`tenure add` of one task to a store of 1 M", run: size::program_add },
    Row { name: "idle", work: "16 idle handles beside a writer of 10 k transactions/s", run: standing::idle },
    Row {
        name: "service-cpu",
        work: "the service, opportunistic, 64 connections: claim + finish singly",
        run: served::cpu,
    },
    Row {
        name: "service-strict",
        work: "the service, strict, 64 connections: claim + finish singly",
        run: served::strict,
    },
    Row {
        name: "service-adds",
        work: "the service, opportunistic, 8 connections: adds in batches of 100",
        run: served::adds,
    },
    Row {
        name: "service-wake",
        work: "the service, opportunistic: an add until a waiting claim on another connection has it",
        run: served::wake,
    },
    Row { name: "service-waiting", work: "the service: 5,000 waiting claims", run: served::waiting },
];
