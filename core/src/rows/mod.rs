//! A journal whose host keeps one row an entry: memory, SQL, IndexedDB, an object of the host's language.
//!
//! A row is one frame, never split. Row `n` stands at position `n`; the first is 1.
//!
//! ```text
//!   row 7   row 8   row 9   row 10 │            position of the tail: 11
//!           ▲
//!           floor 8, and with it a mark: the tail that stood before row 8
//!
//!   mark:   position 8 │ revision 8 │ next id 8 │ link 4 │ CRC-32 of the 28 bytes before 4     little-endian
//! ```
//!
//! [`RowLog`] is a journal over any [`Rows`]; [`MemoryRows`] are rows that several handles in one process share;
//! [`Ephemeral`] is a journal that keeps nothing but its tail, for a store that lives and dies with its handle.

mod ephemeral;
mod log;
mod lookup;
mod mark;
#[cfg(feature = "std")]
mod memory;
mod syncer;

pub use ephemeral::Ephemeral;
pub use log::RowLog;
pub use mark::encode as mark_of;
#[cfg(feature = "std")]
pub use memory::MemoryRows;

use alloc::{boxed::Box, vec::Vec};

use crate::{
    error::Result,
    id::StoreId,
    port::{AppendError, SnapshotName},
    time::Millis,
};

/// What makes rows durable, beside the appends.
pub type RowSync = Box<dyn FnMut() -> Result<()> + Send>;

/// What the rows of a journal stand on.
///
/// * **R1** `append(at, rows)` adds rows at `at`, `at+1`, … in one atomic step, only if `at` is exactly one past
///   the last row, and — where `at` is not the floor — the row at `at-1` exists. Otherwise `Conflict`.
/// * **R2** `read(from, visit)` gives the rows from `from` on, in order, without a gap. Where `from` lies below the floor
///   it answers `Code::Truncated`. An error of `visit` ends the read and is given back.
/// * **R3** `identity` is drawn when the rows are created, and never changes while they are the same. It is what the
///   handle found when it was opened; once other rows stand in their place, `read`, `append` and `floor` answer
///   `Code::Replaced`.
/// * **R4** `truncate` never lowers the floor. A call with a floor at or below the present one does nothing.
/// * **R5** A sync that succeeds after one that failed covers what that one did not.
pub trait Rows: Send {
    /// The store's identity (R3).
    fn identity(&self) -> StoreId;
    /// The first position still held (1 in a new one), and the mark that stands for what came before it:
    /// the bytes that `truncate` was given with it, empty in a new one.
    fn floor(&mut self) -> Result<(u64, Vec<u8>)>;
    /// Gives the rows from `from` on (R2).
    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()>;
    /// Appends (R1).
    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError>;
    /// Runs `body` as one unit with the appends in it, where the host can; otherwise just runs it.
    fn section(&mut self, wait: Millis, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()>
    where
        Self: Sized;
    /// What makes durable all that was appended before this call, and runs beside appends; always `None` where
    /// `append` answers only when its rows are durable.
    fn syncer(&mut self) -> Option<RowSync>;
    /// Lets go of the rows before `floor` and keeps `mark` for whoever begins to read there (R4).
    fn truncate(&mut self, floor: u64, mark: &[u8]) -> Result<()>;
    /// Stores a snapshot, whole or not at all.
    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> Result<()>;
    /// The snapshots, in any order.
    fn snapshots(&mut self) -> Result<Vec<SnapshotName>>;
    /// A snapshot's bytes; `Code::NotFound` where there is none of this name.
    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>>;
    /// Removes a snapshot; one that is gone already is no error.
    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()>;
    /// Bytes of rows, bytes of snapshots, number of rows.
    fn sizes(&mut self) -> Result<(u64, u64, u64)>;
    /// A second handle on the same rows.
    fn reopen(&self) -> Result<Box<Self>>
    where
        Self: Sized;
}
