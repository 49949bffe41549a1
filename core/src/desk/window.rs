//! The rows that a host has fetched, as the journal that the engine reads.

use alloc::{boxed::Box, format, vec::Vec};

use crate::{
    error::{Code, Error, Result},
    id::StoreId,
    port::{AppendError, SnapshotName},
    rows::{RowSync, Rows},
    time::Millis,
};

/// What a host fetched of its rows, at one moment.
///
/// It is read and then dropped; appending goes through the host, by what [`Desk::open_turn`](super::Desk::open_turn)
/// gives.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Whose rows these are; zeros where the host found none.
    pub identity: StoreId,
    /// The first position that the host still holds.
    pub floor: u64,
    /// What was kept with the floor; see [`Rows::floor`].
    pub mark: Vec<u8>,
    /// The position of the first row here.
    pub from: u64,
    /// The rows from there on, one behind the other.
    pub rows: Vec<Vec<u8>>,
    /// The snapshots that the host holds, with their bytes; needed when the state is loaded, and only then.
    pub snapshots: Vec<(SnapshotName, Vec<u8>)>,
}

impl Window {
    /// Bytes of the rows.
    pub fn bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.len() as u64).sum()
    }
}

#[cold]
fn not_here(what: &str) -> Error {
    Error::new(Code::Unsupported, format!("rows that were fetched are there to be read, and can't {what}"))
}

impl Rows for Window {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> Result<(u64, Vec<u8>)> {
        Ok((self.floor, self.mark.clone()))
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        if from < self.floor {
            let why = format!("row {from} was let go, the first that is held is row {}", self.floor);
            return Err(Error::new(Code::Truncated, why));
        }
        let Some(skip) = from.checked_sub(self.from) else {
            let why = format!("row {from} was not fetched, the first that was is row {}; report this", self.from);
            return Err(Error::new(Code::Internal, why));
        };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        for (row, n) in self.rows.iter().skip(skip).zip(from..) {
            visit(n, row)?;
        }
        Ok(())
    }

    fn append(&mut self, _at: u64, _rows: &[Vec<u8>]) -> Result<(), AppendError> {
        Err(AppendError::Refused(not_here("grow")))
    }

    fn section(&mut self, _wait: Millis, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        body(self)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        None
    }

    fn truncate(&mut self, _floor: u64, _mark: &[u8]) -> Result<()> {
        Err(not_here("shrink"))
    }

    fn publish_snapshot(&mut self, _name: SnapshotName, _bytes: Vec<u8>) -> Result<()> {
        Err(not_here("take a snapshot"))
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        Ok(self.snapshots.iter().map(|(name, _)| *name).collect())
    }

    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>> {
        let found = self.snapshots.iter().find(|(other, _)| *other == name);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| Error::new(Code::NotFound, "there is no such snapshot"))
    }

    fn remove_snapshot(&mut self, _name: SnapshotName) -> Result<()> {
        Err(not_here("lose a snapshot"))
    }

    fn sizes(&mut self) -> Result<(u64, u64, u64)> {
        let snapshots = self.snapshots.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        Ok((self.bytes(), snapshots, self.rows.len() as u64))
    }

    fn reopen(&self) -> Result<Box<Self>> {
        Ok(Box::new(self.clone()))
    }
}
