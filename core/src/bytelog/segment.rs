//! A segment: a file of frames, and the header before them.

use alloc::{format, string::String};

use crate::{
    error::{Code, Error, Result},
    id::{Author, Position, Revision, StoreId, TaskId},
    port::Tail,
};

/// Bytes of a segment before its first frame. They don't count as positions.
pub(super) const HEADER: usize = 96;
const MAGIC: [u8; 4] = *b"TNSG";
const FORMAT: u8 = 1;
const SUFFIX: &str = ".seg";
/// The end of a name that is not the file's own yet.
pub(super) const TEMPORARY: &str = ".tmp";

/// What a segment says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// The number in its name.
    pub sequence: u64,
    /// The store it belongs to.
    pub store: StoreId,
    /// The tail behind which its first frame goes; its position is the segment's base.
    pub tail: Tail,
    /// The handle that made it.
    pub author: Author,
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = FORMAT;
        bytes[8..24].copy_from_slice(&self.store.0);
        bytes[24..32].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.tail.position.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.tail.revision.0.wrapping_add(1).to_le_bytes());
        bytes[48..56].copy_from_slice(&self.tail.next_id.0.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.author.0.to_le_bytes());
        bytes[64..68].copy_from_slice(&self.tail.link.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads the header of the segment with this number.
    pub fn from_bytes(sequence: u64, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: &str| {
            Error::new(Code::Corrupt, format!("segment {} {what}: restore the folder from a backup", name(sequence)))
        };
        let Some(bytes) = bytes.first_chunk::<HEADER>() else {
            return Err(damaged("is shorter than its header"));
        };
        let sum = u32::from_le_bytes(array(&bytes[HEADER - 4..]));
        if bytes[..4] != MAGIC || sum != crc32fast::hash(&bytes[..HEADER - 4]) {
            return Err(damaged("has a damaged header"));
        }
        if bytes[4] != FORMAT {
            let text = format!("segment {} was written by a newer Tenure: upgrade this program", name(sequence));
            return Err(Error::new(Code::UpgradeNeeded, text));
        }
        let number = |at: usize| u64::from_le_bytes(array(&bytes[at..at + 8]));
        if number(24) != sequence {
            return Err(damaged("has another number inside than in its name"));
        }
        Ok(Self {
            sequence,
            store: StoreId(array(&bytes[8..24])),
            tail: Tail {
                position: Position(number(32)),
                revision: Revision(number(40).wrapping_sub(1)),
                next_id: TaskId(number(48)),
                link: u32::from_le_bytes(array(&bytes[64..68])),
            },
            author: Author(number(56)),
        })
    }

    /// The position of the first frame.
    pub fn base(&self) -> Position {
        self.tail.position
    }

    /// Where in the file a position lies that is not before the base.
    pub fn offset(&self, position: Position) -> u64 {
        position.0.saturating_sub(self.base().0).saturating_add(HEADER as u64)
    }

    /// The position at which a file of this length ends.
    pub fn end(&self, len: u64) -> Position {
        Position(self.base().0.saturating_add(len.saturating_sub(HEADER as u64)))
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// The name of the segment with this number. Not the revision it begins with: after a failed sync two segments can
/// begin with the same.
pub(super) fn name(sequence: u64) -> String {
    format!("{sequence:010}{SUFFIX}")
}

/// The number of the segment with this name.
pub(super) fn sequence(of: &str) -> Option<u64> {
    let number: u64 = of.strip_suffix(SUFFIX)?.parse().ok()?;
    (name(number) == of).then_some(number)
}

/// The name under which a segment is written before it has its own.
pub(super) fn temporary(sequence: u64, author: Author, attempt: u32) -> String {
    format!("{}.{:016x}-{attempt}{TEMPORARY}", name(sequence), author.0)
}

/// Whether a name is that of a segment that is being written.
pub(super) fn is_temporary(name: &str) -> bool {
    name.ends_with(TEMPORARY) && name.contains(".seg.")
}
