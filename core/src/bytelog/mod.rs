//! The journal over raw bytes: segments of frames in a folder, shared by many handles and processes.
//!
//! ```text
//!   0000000001.seg    header | frame | frame | … | seal        segment.rs, frame/
//!   0000000002.seg    header | frame | …                       the last one grows
//!   00000000000000000812-7fa3….snap                            snapshots.rs
//!   guard                                                      guard.rs
//!   reserve           zeros                                      reserve.rs
//!   (64 shared bytes)                                          watermark.rs
//!
//!   segment header, 96 bytes, little-endian:
//!    0  magic      4   "TNSG"
//!    4  format     1   1
//!    5  reserved   3   0
//!    8  store     16   the store's id
//!   24  sequence   8   the number in the name
//!   32  base       8   the position of the first frame
//!   40  revision   8   of the first entry
//!   48  next id    8   the next task id before it
//!   56  author     8   the handle that made the segment
//!   64  link       4   the `link` of the frame before
//!   68  reserved  24   0
//!   92  checksum   4   CRC-32 of bytes 0..92
//! ```
//!
//! A *position* is a byte offset over all segments; headers of segments don't count. A segment ends where the next
//! one begins: behind its seal, or — where a sync failed and all behind the durable mark was written again into the
//! next one — before its own end. A segment gets its name only when it is whole and durable under another, so a
//! segment with a damaged header is damage and never a crash.
//!
//! Only the last segment can hold anything that is not durable.

mod append;
mod disk;
mod folder;
mod guard;
mod heal;
mod inspect;
mod journal;
mod open;
mod read;
mod recovery;
mod reserve;
mod scan;
mod segment;
mod snapshots;
mod sync;
mod watermark;

pub use disk::{Disk, DiskFile, SharedBytes};
pub use inspect::{Ending, Found, inspect};

use alloc::{sync::Arc, vec::Vec};

use crate::{
    frame::{self, Salt},
    id::{Author, Position, StoreId},
    port::Tail,
    time::Millis,
};

/// How a handle uses the folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The random number of this handle; no other handle may have it.
    pub author: Author,
    /// Whether it only reads: then it writes nothing and takes no lock.
    pub read_only: bool,
    /// Bytes after which a segment is ended.
    pub segment_bytes: u64,
    /// Bytes of payload in the largest frame; longer entries are split.
    pub max_frame: usize,
    /// Bytes that are kept for what frees space on a full disk.
    pub reserve_bytes: usize,
    /// How long calls that take the lock by themselves wait for it, in milliseconds.
    pub lock_wait: Millis,
}

impl Options {
    /// The defaults: a handle that writes, segments of 16 MiB, frames of 1 MiB, 10 s for the lock.
    pub const fn new(author: Author) -> Self {
        Self {
            author,
            read_only: false,
            segment_bytes: 16 << 20,
            max_frame: frame::MAX_FRAME,
            reserve_bytes: 256 << 10,
            lock_wait: 10_000,
        }
    }
}

/// A journal in a folder. See the [module](self) for its bytes.
#[derive(Debug)]
pub struct ByteLog<D: Disk> {
    disk: D,
    options: Options,
    store: StoreId,
    salt: Salt,
    /// The segments as they were when they were last looked for, in order. Never empty.
    segments: Vec<segment::Header>,
    active: folder::Active<D::File>,
    /// The file in which the last walk stopped.
    reached: Option<(segment::Header, Arc<D::File>)>,
    /// Behind the last whole entry that this handle has checked.
    tail: Tail,
    /// Behind the seal that stands at the tail, where one does and the next segment is missing.
    seal: Option<Tail>,
    /// Up to where this handle knows the journal to be durable.
    durable: Position,
    /// The tail behind the last entry before there that this handle came across.
    mark: Tail,
    locked: bool,
    /// Whether an append failed and what it left could not be removed.
    unsettled: bool,
    /// How far a read had given entries that failed then: whoever got them may know of more than this handle.
    given: Position,
    closed: bool,
    /// Frames on their way out.
    out: Vec<u8>,
    window: scan::Window,
    aborted: u64,
    /// Temporary names used so far.
    attempts: u32,
}
