//! The mark of a floor: the tail that stood before the first row that is still held.

use alloc::vec::Vec;

use crate::{
    error::{Code, Error, Result},
    id::{Position, Revision, TaskId},
    port::Tail,
};

const MARK: usize = 32;

/// The bytes that [`Rows::truncate`](super::Rows::truncate) keeps for a floor: the tail that stood before it.
pub fn encode(tail: &Tail) -> Vec<u8> {
    let mut bytes = [0; MARK];
    bytes[..8].copy_from_slice(&tail.position.0.to_le_bytes());
    bytes[8..16].copy_from_slice(&tail.revision.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&tail.next_id.0.to_le_bytes());
    bytes[24..28].copy_from_slice(&tail.link.to_le_bytes());
    let check = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&check.to_le_bytes());
    bytes.to_vec()
}

/// The tail that stands before the row at `floor`.
pub(super) fn decode(floor: u64, mark: &[u8]) -> Result<Tail> {
    if mark.is_empty() && floor == 1 {
        return Ok(Tail::empty(Position(floor)));
    }
    let tail = mark.first_chunk::<MARK>().filter(|_| mark.len() == MARK).and_then(|bytes| {
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        // Link and check lie in the last eight bytes, one behind the other.
        let (link, check) = (number(24) as u32, (number(24) >> 32) as u32);
        (check == crc32fast::hash(&bytes[..28])).then(|| Tail {
            position: Position(number(0)),
            revision: Revision(number(8)),
            next_id: TaskId(number(16)),
            link,
        })
    });
    tail.filter(|tail| tail.position.0 == floor).ok_or_else(|| {
        Error::new(
            Code::Corrupt,
            alloc::format!("the mark of the floor at row {floor} is damaged: restore the store from a backup"),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_comes_back_and_any_changed_byte_is_noticed() {
        let tail = Tail { position: Position(9), revision: Revision(7), next_id: TaskId(12), link: 0xDEAD_BEEF };
        let mark = encode(&tail);
        assert_eq!(decode(9, &mark).unwrap(), tail);
        for at in 0..mark.len() {
            let mut mark = mark.clone();
            mark[at] ^= 1;
            assert_eq!(decode(9, &mark).unwrap_err().code(), Code::Corrupt, "byte {at}");
        }
    }

    #[test]
    fn a_mark_of_another_floor_or_length_is_refused() {
        let mark = encode(&Tail::empty(Position(1)));
        assert!(decode(1, &mark).is_ok());
        assert!(decode(2, &mark).is_err());
        assert!(decode(1, &mark[..31]).is_err());
        assert!(decode(2, &[]).is_err());
        assert_eq!(decode(1, &[]).unwrap(), Tail::empty(Position(1)));
    }
}
