//! The watermark: up to where the journal is durable, shared by all handles on a folder.
//!
//! ```text
//!  0  magic      4   "TNWM"
//!  4  format     1   1
//!  5  reserved   3   0
//!  8  store     16   the store's id
//! 24  position   8   everything before it is durable
//! 32  reserved  28   0
//! 60  checksum   4   CRC-32 of bytes 0..60
//! ```
//!
//! It is written without a lock and without a sync. So it may be torn, or older than the last one written; it is
//! never newer than the truth, because it is written after the sync that makes it true.

use crate::id::{Position, StoreId};

const MAGIC: [u8; 8] = *b"TNWM\x01\0\0\0";

/// The shared bytes that say so.
pub(super) fn encode(store: StoreId, position: Position) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(&store.0);
    bytes[24..32].copy_from_slice(&position.0.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..60]);
    bytes[60..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The watermark in the shared bytes, with its store; nothing where they are torn or no watermark.
pub(super) fn decode(bytes: &[u8; 64]) -> Option<(StoreId, Position)> {
    let mut sum = [0; 4];
    sum.copy_from_slice(&bytes[60..]);
    if bytes[..8] != MAGIC || u32::from_le_bytes(sum) != crc32fast::hash(&bytes[..60]) {
        return None;
    }
    let (mut store, mut position) = ([0; 16], [0; 8]);
    store.copy_from_slice(&bytes[8..24]);
    position.copy_from_slice(&bytes[24..32]);
    Some((StoreId(store), Position(u64::from_le_bytes(position))))
}
