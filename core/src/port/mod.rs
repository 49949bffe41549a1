//! The port: what a host must offer so that a store can stand on it.
//!
//! A [`Journal`] is an append-only line of entries with *conditional append*: an append succeeds only if the frame
//! that the caller knows as the last is still the last one. Everything else in Tenure follows from that.
//!
//! Three kinds of host implement it:
//!
//! ```text
//!   Journal              entries                    what the engine's drivers use
//!     ├─ bytelog::ByteLog<D: Disk>    raw bytes     files, OPFS, the crash tests' disk
//!     └─ rows::RowLog<R: Rows>        one row an entry    memory, SQL, IndexedDB, a Python or JavaScript object
//! ```
//!
//! The contracts are numbered; the conformance suite checks each of them under its number.
//!
//! * **J1** An append at a tail succeeds only if the frame before that position exists with the checksum, the
//!   revision and the next id that the tail names, or the tail is that of the floor and nothing stands there.
//!   "Nothing stands at n+1" is not "the tail is n".
//! * **J2** `append` is all or nothing for each entry, and on every journal that is not a byte log for the whole
//!   call. A byte log may keep a prefix of whole entries when it fails.
//! * **J3** `append` answers committed, [`AppendError::Conflict`], [`AppendError::Refused`] (surely not there) or
//!   [`AppendError::Unknown`]; unknown is resolved only by seeing a frame at that position.
//! * **J4** `read` gives whole entries in order, each once, checked against the chain. Below the floor it answers
//!   [`Code::Truncated`](crate::error::Code::Truncated), never an empty list. A bad frame at the tail is *not yet*
//!   where no lock is held.
//! * **J5** Inside [`Journal::section`] catching up and appending are one unit; it is bounded by the caller. On
//!   journals that can't lock it adds nothing, and the append may conflict.
//! * **J6** A [`Syncer`] makes durable what was appended before it was made, and runs beside appends. After it
//!   failed nothing is acknowledged until [`Journal::heal`] worked.
//! * **J7** A published snapshot is whole and durable, or not there. Snapshots are named by the revision at which
//!   they end; the newest is the one with the highest.
//! * **J8** `truncate_before` only ever raises the floor, to the beginning of an entry at or before the one asked.
//! * **J9** The identity never changes while it is the same store; a store made anew has another one.
//! * **J10** Every call answers; none panics, whatever the storage holds.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod syncer;

pub use syncer::{Synced, Syncer};

use alloc::{boxed::Box, vec::Vec};

use crate::{
    entry::EntryKind,
    error::{Error, Result},
    id::{Author, Position, Revision, StoreId, TaskId},
    time::Millis,
};

/// What a handle knows of the last entry: enough to append behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tail {
    /// Where the next entry goes.
    pub position: Position,
    /// The revision of the last entry, 0 before the first.
    pub revision: Revision,
    /// The next task id after the last entry.
    pub next_id: TaskId,
    /// The stored checksum of the last frame: the link of the chain.
    pub link: u32,
}

impl Tail {
    /// The tail of a journal in which nothing stands yet.
    pub const fn empty(position: Position) -> Self {
        Self { position, revision: Revision(0), next_id: TaskId(1), link: 0 }
    }
}

/// An entry on its way into the journal. Revision and next id continue those of the tail it is appended at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What kind of entry.
    pub kind: EntryKind,
    /// Its revision.
    pub revision: Revision,
    /// The next task id after it.
    pub next_id: TaskId,
    /// Who writes it.
    pub author: Author,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// An entry as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored<'a> {
    /// What kind of entry.
    pub kind: EntryKind,
    /// Who wrote it.
    pub author: Author,
    /// Where its first frame begins.
    pub position: Position,
    /// Up to where its author knew the journal to be durable.
    pub durable: Position,
    /// The tail as it is behind this entry.
    pub tail: Tail,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Why an append did not commit.
#[derive(Debug)]
pub enum AppendError {
    /// The tail is no longer the last: catch up and try again.
    Conflict,
    /// Surely nothing of what the error speaks of is there. On a byte log a prefix of the entries may be: read.
    Refused(Error),
    /// It may be there, now or later.
    Unknown(Error),
}

/// A snapshot that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct SnapshotName {
    /// The revision at which its walk ended; it is usable only with the journal through there.
    pub end: Revision,
    /// Tells two snapshots of one revision apart; random.
    pub author: Author,
}

/// A piece of a snapshot that is published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Bytes that follow those before them.
    Bytes(Vec<u8>),
    /// All bytes were given, and this is its name: where a walk ends is known only when it has ended.
    Name(SnapshotName),
}

/// What gives a snapshot piece by piece, the name last; it is not asked for more after that.
pub type Pieces<'a> = &'a mut dyn FnMut() -> Result<Piece>;

/// The pieces of a snapshot whose name is known beforehand.
pub fn under_name<'a>(
    name: SnapshotName,
    mut bytes: impl FnMut() -> Result<Option<Vec<u8>>> + 'a,
) -> impl FnMut() -> Result<Piece> + 'a {
    move || Ok(bytes()?.map_or(Piece::Name(name), Piece::Bytes))
}

/// What a journal says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JournalStats {
    /// Bytes between the floor and the tail.
    pub journal_bytes: u64,
    /// Bytes of all snapshots.
    pub snapshot_bytes: u64,
    /// Segments, or rows.
    pub segments: u64,
    /// Up to where this handle knows the journal to be durable.
    pub durable: Position,
    /// The oldest position that is still held.
    pub floor: Position,
    /// Aborted appends that were met and skipped.
    pub aborted: u64,
}

/// The body of a section, or what is done while its lock is waited for.
pub type Body<'a> = &'a mut dyn FnMut(&mut dyn Journal) -> Result<()>;

/// What takes the entries of a read, one by one. An error ends the read and is given back.
pub type Visit<'a> = &'a mut dyn FnMut(Stored<'_>) -> Result<()>;

/// An append-only line of entries with conditional append. See the [module](self) for the contracts.
pub trait Journal: Send {
    /// The store's identity (J9).
    fn identity(&self) -> StoreId;

    /// The oldest position that is still held, with the tail from which a reader there begins (J8).
    fn floor(&mut self) -> Result<Tail>;

    /// Gives the entries after `from` to `visit`, in order, and answers with the tail behind the last of them (J4).
    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail>;

    /// Runs `body` with catching up and appending as one unit (J5). `wait` bounds the wait for a lock.
    fn section(&mut self, wait: Millis, body: Body<'_>) -> Result<()> {
        self.section_after(wait, &mut |_| Ok(()), body)
    }

    /// As [`section`](Self::section); `meanwhile` runs any number of times before the lock is held, so that what can
    /// be read without it is, and the lock is held for less long.
    fn section_after(&mut self, wait: Millis, meanwhile: Body<'_>, body: Body<'_>) -> Result<()>;

    /// Appends behind `at` (J1 to J3) and answers with the new tail.
    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError>;

    /// Whether the storage is full but for a reserve, which is for what frees space. Where that is known.
    fn is_short(&mut self) -> bool {
        false
    }

    /// What makes durable all that was appended before this call (J6).
    fn syncer(&mut self) -> Box<dyn Syncer>;

    /// Up to where the journal is known to be durable, by this handle or by another (J6).
    fn durable(&mut self) -> Position;

    /// Tells the journal what a [`Syncer`] of it made durable.
    fn note_synced(&mut self, synced: &Synced);

    /// Makes durable, by writing it again elsewhere, what lies behind the last durable position (J6).
    fn heal(&mut self, wait: Millis) -> Result<()>;

    /// Publishes a snapshot, whole and durable, or not at all (J7). An error of `pieces` ends it and is given back.
    fn publish_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()>;

    /// The snapshots, newest first (J7).
    fn snapshots(&mut self) -> Result<Vec<SnapshotName>>;

    /// Whether a snapshot that is listed stands there from its beginning to its end, where that can be told without reading
    /// all of it. One that does not is damaged.
    fn is_finished(&mut self, name: SnapshotName) -> Result<bool> {
        let _ = name;
        Ok(true)
    }

    /// Gives a snapshot's bytes to `visit`, piece by piece (J7).
    fn read_snapshot(&mut self, name: SnapshotName, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;

    /// Removes a snapshot that is no longer needed.
    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()>;

    /// Lets go of entries before `position` (J8). What can't be let go yet stays.
    fn truncate_before(&mut self, position: Position) -> Result<()>;

    /// Inside a section, caught up: nobody has the store for itself, its level is the first, and both has been durable for as
    /// long as it is so. Whatever says otherwise to those who only look at the last entry may go.
    fn lift_guard(&mut self) -> Result<()> {
        Ok(())
    }

    /// Sizes and marks.
    fn stats(&mut self) -> Result<JournalStats>;

    /// A second handle on the same journal, for a snapshot's reader or a follower.
    fn reopen(&self) -> Result<Box<dyn Journal>>;

    /// Ends the handle: everything appended is made durable first.
    fn close(&mut self) -> Result<()>;
}
