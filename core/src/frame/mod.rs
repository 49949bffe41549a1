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
//! 52  link       4   CRC-32 of bytes 0..52: header checksum and link of the chain in one
//! 56  payload …
//! ```
//!
//! All numbers are little-endian. The length is believed only if the header is whole. The link covers the
//! payload's checksum, so a chain of links proves that history is one line; and it is the *stored field* that is
//! chained, never a checksum over bytes that end in their own checksum (that would be the same for all).
