//! The state in one piece, from which replay starts.
//!
//! A snapshot is taken by a *fuzzy walk*: in short slices, while commits go on, from revision r (begin) to e (end).
//! It holds every item as some moment between r and e saw it. Replay starts at r, tolerates in (r, e] what the walk saw
//! early or late, and at e the digest must be the one that the live state had there.
//!
//! ```text
//! chunk   kind 1 | packed 1 | 0 0 | raw length 4 | stored length 4 | CRC-32 of bytes 0..12 and of the stored bytes 4 | bytes
//! file    head chunk | items chunk … | end chunk
//! head    postcard Head   format, store, r, tail at r, level, exclusive author, tasks to expect
//! items   postcard Piece, Piece, …      tasks by slot, then records by key, then remembered requests
//! end     postcard End    e, next id, digest at e, tasks, records, requests, pieces
//! ```
//!
//! A chunk is deflated where that shrinks it by an eighth or more, and stored otherwise.

mod load;
mod rank;
mod transplant;
mod walk;

pub use load::{Chunk, Loaded, Loader, begin_of, begin_tail, take_chunk};
pub(crate) use rank::Ranked;
pub use transplant::transplant;
pub use walk::{Walk, pack};

use alloc::{borrow::Cow, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    entry::Image,
    id::{Author, Revision, StoreId, TaskId},
};

/// The snapshot format.
pub const FORMAT: u32 = 1;

/// Bytes of a chunk's header.
pub const CHUNK_HEADER: usize = 16;

/// The most raw bytes that a chunk may say it has: no input may make a reader allocate more than this at once.
pub const CHUNK_MAX: usize = 80 << 20;

/// What a chunk holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ChunkKind {
    /// A [`Head`].
    Head = 1,
    /// [`Piece`]s.
    Items = 2,
    /// An [`End`].
    End = 3,
}

impl ChunkKind {
    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Head,
            2 => Self::Items,
            3 => Self::End,
            _ => return None,
        })
    }
}

/// How a snapshot begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// The store that it is of.
    pub store: StoreId,
    /// The revision r at which the walk began: replay starts behind it.
    pub begin: Revision,
    /// The journal's position behind r.
    pub position: u64,
    /// The link of the chain at r.
    pub link: u32,
    /// The next task id at r.
    pub next_id: TaskId,
    /// The store's format level at r.
    pub level: u32,
    /// The author who had the store for itself at r, 0 for nobody.
    pub exclusive: Author,
    /// Tasks at r.
    pub tasks: u64,
}

/// How a snapshot ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct End {
    /// The revision e at which the walk ended.
    pub end: Revision,
    /// The journal's position behind e.
    pub position: u64,
    /// The link of the chain at e.
    pub link: u32,
    /// The next task id at e.
    pub next_id: TaskId,
    /// The state's digest at e.
    pub digest: u64,
    /// Pieces in the snapshot.
    pub pieces: u64,
}

/// One item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Piece<'a> {
    /// A task.
    Task(#[serde(borrow)] Image<'a>),
    /// A record.
    Record {
        /// The table.
        #[serde(borrow)]
        table: Cow<'a, str>,
        /// The key.
        #[serde(borrow)]
        key: Cow<'a, str>,
        /// The revision that last wrote it.
        revision: Revision,
        /// From when it is hidden, 0 for never.
        expires_at: u64,
        /// The value.
        #[serde(borrow, with = "serde_bytes")]
        value: Cow<'a, [u8]>,
    },
    /// A remembered request.
    Request {
        /// Who asked.
        owner: u64,
        /// Under which id.
        #[serde(borrow)]
        id: Cow<'a, str>,
        /// The revision that it became.
        revision: Revision,
        /// A hash of what was asked.
        fingerprint: u64,
        /// The ids that were answered, as runs of (first, how many).
        ids: Vec<(u64, u32)>,
        /// The numbers that the increments left.
        counts: Vec<i64>,
    },
}
