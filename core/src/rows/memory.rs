//! Rows in memory, shared by every handle on them in one process.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format,
    sync::Arc,
    vec::Vec,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{RowSync, Rows};
use crate::{
    error::{Code, Error, Result},
    id::StoreId,
    port::{AppendError, SnapshotName},
    time::Millis,
};

/// How many rows a read takes out of the lock at once.
const BATCH: usize = 256;

/// Rows in memory. Clones are handles on the same rows; each row stays until it is let go. Appends count as durable:
/// nothing outlives the process anyway.
///
/// Sections exclude each other, and wait without a bound, since the core has no clock to measure one by. So a body
/// that begins a section of *another* handle on the same rows waits for itself.
#[derive(Clone, Debug)]
pub struct MemoryRows {
    identity: StoreId,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    held: Mutex<Held>,
    /// Taken while a section runs. It keeps sections of several handles from spoiling each other's appends; that
    /// none is lost is the condition of `append`, not this.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Held {
    identity: StoreId,
    floor: u64,
    mark: Vec<u8>,
    rows: VecDeque<Arc<[u8]>>,
    bytes: u64,
    snapshots: BTreeMap<SnapshotName, Vec<u8>>,
}

impl Held {
    const fn new(identity: StoreId) -> Self {
        Self { identity, floor: 1, mark: Vec::new(), rows: VecDeque::new(), bytes: 0, snapshots: BTreeMap::new() }
    }

    /// The position behind the last row.
    fn end(&self) -> u64 {
        self.floor + self.rows.len() as u64
    }
}

impl MemoryRows {
    /// New rows, with this identity; it should be random.
    pub fn new(identity: StoreId) -> Self {
        let shared = Shared { held: Mutex::new(Held::new(identity)), turn: Mutex::new(()) };
        Self { identity, shared: Arc::new(shared) }
    }

    /// Drops the rows and makes new ones in their place, as if a store had been deleted and created again. Handles
    /// that were opened before answer `Code::Replaced` from now on; the one that is given back does not.
    #[must_use]
    pub fn recreate(&self, identity: StoreId) -> Self {
        *self.any() = Held::new(identity);
        Self { identity, shared: self.shared.clone() }
    }

    fn any(&self) -> MutexGuard<'_, Held> {
        // No change is ever left half done, so rows that a panic met are whole.
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Result<MutexGuard<'_, Held>> {
        let held = self.any();
        if held.identity == self.identity {
            return Ok(held);
        }
        Err(Error::new(
            Code::Replaced,
            format!("the store is {} now, and was {} when it was opened: open it again", held.identity, self.identity),
        ))
    }
}

impl Rows for MemoryRows {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> Result<(u64, Vec<u8>)> {
        let held = self.held()?;
        Ok((held.floor, held.mark.clone()))
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let mut batch: Vec<Arc<[u8]>> = Vec::new();
        let mut next = from;
        loop {
            {
                let held = self.held()?;
                let Some(skip) = next.checked_sub(held.floor) else {
                    return Err(Error::new(
                        Code::Truncated,
                        format!("row {next} was let go, the first that is held is row {}", held.floor),
                    ));
                };
                let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(held.rows.len());
                let many = BATCH.min(held.rows.len() - skip);
                batch.extend(held.rows.range(skip..skip + many).cloned());
            }
            if batch.is_empty() {
                return Ok(());
            }
            for row in batch.drain(..) {
                visit(next, &row)?;
                next += 1;
            }
        }
    }

    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        let mut held = self.held().map_err(AppendError::Refused)?;
        if at != held.end() {
            return Err(AppendError::Conflict);
        }
        for row in rows {
            held.bytes += row.len() as u64;
            held.rows.push_back(Arc::from(&row[..]));
        }
        Ok(())
    }

    fn section(&mut self, _wait: Millis, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let shared = self.shared.clone();
        let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        body(self)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        None
    }

    fn truncate(&mut self, floor: u64, mark: &[u8]) -> Result<()> {
        let mut held = self.held()?;
        if floor <= held.floor {
            return Ok(());
        }
        if floor > held.end() {
            return Err(Error::new(
                Code::Invalid,
                format!("a floor at row {floor} lies beyond the end, which is row {}", held.end()),
            ));
        }
        while held.floor < floor {
            let gone = held.rows.pop_front().map_or(0, |row| row.len());
            held.bytes = held.bytes.saturating_sub(gone as u64);
            held.floor += 1;
        }
        held.mark = mark.to_vec();
        Ok(())
    }

    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> Result<()> {
        self.held()?.snapshots.insert(name, bytes);
        Ok(())
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        Ok(self.held()?.snapshots.keys().copied().collect())
    }

    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>> {
        self.held()?.snapshots.get(&name).cloned().ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("there is no snapshot of revision {} by {}: list them again", name.end, name.author),
            )
        })
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.held()?.snapshots.remove(&name);
        Ok(())
    }

    fn sizes(&mut self) -> Result<(u64, u64, u64)> {
        let held = self.held()?;
        let snapshots = held.snapshots.values().map(|bytes| bytes.len() as u64).sum();
        Ok((held.bytes, snapshots, held.rows.len() as u64))
    }

    fn reopen(&self) -> Result<Box<Self>> {
        drop(self.held()?);
        Ok(Box::new(self.clone()))
    }
}
