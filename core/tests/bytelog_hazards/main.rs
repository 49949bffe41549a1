//! Schedules that lose, fork or misjudge data in a naive byte log, each under its name.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod damage;
mod switches;
mod syncs;
mod tails;

use tenure_core::{
    Author, Code, Outcome, Position, Result, Revision, StoreId, TaskId,
    bytelog::{ByteLog, Options},
    entry::EntryKind,
    port::{AppendError, Draft, Journal, SnapshotName, Tail},
    testing::{Lost, SimDisk, Survive},
};

const STORE: StoreId = StoreId([9; 16]);
const SEGMENT: &str = "0000000001.seg";
/// Bytes of a segment before its first frame.
const SEGMENT_HEADER: usize = 96;
const FRAME_HEADER: usize = 56;

fn open(disk: SimDisk, author: u64) -> ByteLog<SimDisk> {
    try_open(disk, author).unwrap()
}

fn try_open(disk: SimDisk, author: u64) -> Result<ByteLog<SimDisk>> {
    ByteLog::create(disk, Options { segment_bytes: 4000, ..Options::new(Author(author)) }, STORE)
}

fn read_only(disk: SimDisk) -> Result<ByteLog<SimDisk>> {
    ByteLog::open(disk, Options { read_only: true, ..Options::new(Author(99)) })
}

fn drafts(at: &Tail, author: u64, payloads: &[&[u8]]) -> Vec<Draft> {
    (1..)
        .zip(payloads)
        .map(|(n, payload)| Draft {
            kind: EntryKind::Transaction,
            revision: Revision(at.revision.0 + n),
            next_id: TaskId(at.next_id.0 + n),
            author: Author(author),
            payload: payload.to_vec(),
        })
        .collect()
}

/// Catches up and appends, under the lock.
fn add(log: &mut ByteLog<SimDisk>, author: u64, payloads: &[&[u8]]) -> Tail {
    let mut behind = Tail::default();
    log.section(0, &mut |log| {
        let tail = end_of(log);
        behind = log.append(&tail, &drafts(&tail, author, payloads)).unwrap();
        Ok(())
    })
    .unwrap();
    behind
}

fn end_of(log: &mut dyn Journal) -> Tail {
    let floor = log.floor().unwrap();
    log.read(&floor, &mut |_| Ok(())).unwrap()
}

fn payloads(log: &mut dyn Journal) -> Vec<Vec<u8>> {
    let floor = log.floor().unwrap();
    let mut found = Vec::new();
    log.read(&floor, &mut |stored| {
        found.push(stored.payload.to_vec());
        Ok(())
    })
    .unwrap();
    found
}

fn sync(log: &mut ByteLog<SimDisk>) -> Result<Position> {
    let synced = log.syncer().sync()?;
    log.note_synced(&synced);
    Ok(synced.position)
}

/// Fills segments until so many were begun.
fn fill(log: &mut ByteLog<SimDisk>, author: u64, segments: u64) -> Tail {
    loop {
        let tail = add(log, author, &[&[1; 900]]);
        if log.stats().unwrap().segments >= segments {
            return tail;
        }
    }
}
