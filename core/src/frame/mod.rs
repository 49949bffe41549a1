//! Frames: the bytes around an entry, with checksums and a chain.
//!
//! ```text
//!  0  magic      4   "TNUR"
//!  4  format     1   1
//!  5  kind       1   EntryKind, or 255 for a seal
//!  6  part       1   0 whole entry · 1 first part · 2 middle · 3 last
//!  7  reserved   1   0
//!  8  length     4   bytes of payload behind this header
//! 12  previous   4   the `link` of the frame before, 0 for the first of a store
//! 16  revision   8
//! 24  next id    8   the next task id after this entry
//! 32  author     8
//! 40  durable    8   up to where the author knew the journal to be durable
//! 48  payload    4   CRC-32 of the payload
//! 52  link       4   CRC-32 of the store's id (16), this frame's position (8) and these 56 bytes with 0 in this
//!                    place: header checksum and link of the chain in one
//! 56  payload …
//! ```
//!
//! All numbers are little-endian. The length is believed only if the header is whole. The link covers the
//! payload's checksum, so a chain of links proves that history is one line; and it is the *stored field* that is
//! chained, never a checksum over bytes that end in their own checksum (that would be the same for all).
//!
//! The link also covers the store's id and the place where the frame stands, neither of which is in the frame.
//! So bytes that merely look like a frame are none: a segment that somebody put into a task's data, a frame of
//! another store, or one that an offset error moved. That counts when recovery looks for frames *behind* damage.
//!
//! An entry longer than the largest frame goes out in parts, which have everything but length, checksums,
//! previous link and part number in common; the link of an entry is the link of its last frame. A part that is
//! followed by the beginning of another entry is an aborted append: it is no entry, and stays in the chain.
//!
//! A seal ends a segment: it has no payload, and the revision and next id of the entry before it.

mod encode;
mod header;
mod reader;
#[cfg(test)]
mod tests;

pub use encode::{encode, encode_all, encode_row, encode_seal};
pub use header::{Header, Salt};
pub use reader::{Fault, Reader, Step, read_row};

/// The first bytes of a frame.
pub const MAGIC: [u8; 4] = *b"TNUR";
/// The format of frames that this program writes.
pub const FORMAT: u8 = 1;
/// The kind of a seal frame.
pub const SEAL: u8 = 255;
/// Bytes of a frame before its payload.
pub const HEADER: usize = 56;
/// The payload bytes of the largest frame of a byte log, unless asked otherwise.
pub const MAX_FRAME: usize = 1 << 20;
