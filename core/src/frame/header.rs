//! The 56 bytes before a payload.

use crc32fast::Hasher;

use super::{FORMAT, HEADER, MAGIC, reader::Fault};
use crate::id::{Author, Position, Revision, StoreId, TaskId};

/// What the link of a frame covers beside the frame: the store that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Salt(u32);

impl Salt {
    /// The salt of a store.
    pub fn of(store: StoreId) -> Self {
        Self(crc32fast::hash(&store.0))
    }

    /// The checksum of a header that stands at `position`.
    fn link(self, position: Position, header: &[u8; HEADER]) -> u32 {
        // One piece of 64 bytes: CRC-32 goes fastest over pieces of 16.
        let mut covered = [0; 8 + HEADER];
        covered[..8].copy_from_slice(&position.0.to_le_bytes());
        covered[8..60].copy_from_slice(&header[..52]);
        // Going on from the checksum of the id is the checksum of the id and what follows it.
        let mut hasher = Hasher::new_with_initial(self.0);
        hasher.update(&covered);
        hasher.finalize()
    }
}

/// Which part of an entry a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Part {
    Whole = 0,
    First = 1,
    Middle = 2,
    Last = 3,
}

/// A frame's header, read and found whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The number of its kind.
    pub kind: u8,
    /// The number of its part.
    pub part: u8,
    /// Bytes of payload behind it.
    pub length: u32,
    /// The link of the frame before.
    pub previous: u32,
    /// The revision.
    pub revision: Revision,
    /// The next task id after this entry.
    pub next_id: TaskId,
    /// Who wrote it.
    pub author: Author,
    /// Up to where its author knew the journal to be durable.
    pub durable: Position,
    /// The checksum of the payload.
    pub payload: u32,
    /// Its own link.
    pub link: u32,
}

impl Header {
    /// Reads the header of a frame at `position`. Nothing in it is believed before its checksum is.
    pub fn read(salt: Salt, position: Position, bytes: &[u8]) -> Result<Self, Fault> {
        let Some(bytes) = bytes.first_chunk::<HEADER>() else { return Err(Fault::Header) };
        if bytes[..4] != MAGIC || u32_at(bytes, 52) != salt.link(position, bytes) {
            return Err(Fault::Header);
        }
        if bytes[4] != FORMAT {
            return Err(Fault::Future);
        }
        Ok(Self {
            kind: bytes[5],
            part: bytes[6],
            length: u32_at(bytes, 8),
            previous: u32_at(bytes, 12),
            revision: Revision(u64_at(bytes, 16)),
            next_id: TaskId(u64_at(bytes, 24)),
            author: Author(u64_at(bytes, 32)),
            durable: Position(u64_at(bytes, 40)),
            payload: u32_at(bytes, 48),
            link: u32_at(bytes, 52),
        })
    }

    /// The header as bytes, with its link, which is filled in here and given back.
    pub(super) fn write(&self, salt: Salt, position: Position) -> ([u8; HEADER], u32) {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = FORMAT;
        bytes[5] = self.kind;
        bytes[6] = self.part;
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.previous.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.revision.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.next_id.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.author.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.durable.0.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.payload.to_le_bytes());
        let link = salt.link(position, &bytes);
        bytes[52..].copy_from_slice(&link.to_le_bytes());
        (bytes, link)
    }

    /// Bytes of the whole frame.
    pub fn frame_len(&self) -> usize {
        HEADER.saturating_add(self.length as usize)
    }
}

fn u32_at(bytes: &[u8; HEADER], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
