//! Finding one's place in the rows.

use alloc::format;
use core::borrow::BorrowMut;

use super::{RowLog, Rows, log::Seen, mark};
use crate::{
    error::{Code, Error, Result},
    frame::{Fault, Header, read_row},
    id::Position,
    port::Tail,
};

/// Whether a look at rows goes on.
enum Look {
    On,
    Enough,
}

impl<R: Rows, B: BorrowMut<R>, S: BorrowMut<Seen>> RowLog<R, B, S> {
    /// Visits rows from `from` on until `visit` has seen enough.
    fn peek(&mut self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> Result<Look>) -> Result<()> {
        let mut stopped = false;
        let read = self.parts().0.read(from, &mut |n, row| {
            match visit(n, row)? {
                Look::On => Ok(()),
                Look::Enough => {
                    stopped = true;
                    // It ends the read, and goes no further than this function.
                    Err(Error::new(Code::Cancelled, "the row that was looked for is found"))
                }
            }
        });
        if stopped { Ok(()) } else { read }
    }

    pub(super) fn floor_tail(&mut self) -> Result<Tail> {
        let (floor, bytes) = self.parts().0.floor()?;
        mark::decode(floor, &bytes)
    }

    /// Whether the entry before `at` is the one that `at` speaks of (J1).
    pub(super) fn anchored(&mut self, at: &Tail) -> Result<bool> {
        if self.parts().1.known == Some(*at) {
            return Ok(true);
        }
        let floor = self.floor_tail()?;
        if at.position < floor.position {
            return Err(below(at.position, floor.position));
        }
        if at.position == floor.position {
            return Ok(*at == floor);
        }
        let (salt, before) = (self.parts().1.salt, Position(at.position.0 - 1));
        let mut same = false;
        self.peek(before.0, |n, row| {
            let header = Header::read(salt, before, row);
            same = n == before.0
                && header.is_ok_and(|header| {
                    (header.link, header.revision, header.next_id) == (at.link, at.revision, at.next_id)
                });
            Ok(Look::Enough)
        })?;
        Ok(same)
    }

    /// The tail before the row at `position`, or before whatever comes after the last row.
    pub(super) fn tail_before(&mut self, position: Position, floor: Tail) -> Result<Tail> {
        // What this handle saw last is mostly a shorter way than the floor.
        let (_, seen) = self.parts();
        let start =
            seen.known.filter(|known| known.position >= floor.position && known.position <= position).unwrap_or(floor);
        let salt = seen.salt;
        let mut tail = start;
        self.peek(start.position.0, |n, row| {
            if tail.position >= position {
                return Ok(Look::Enough);
            }
            tail = in_row(n, &tail, read_row(salt, &tail, row))?.tail;
            Ok(Look::On)
        })?;
        Ok(tail)
    }
}

/// The entry of row `n`, which was read behind `tail`.
pub(super) fn in_row<T>(n: u64, tail: &Tail, read: Result<T, Fault>) -> Result<T> {
    if n != tail.position.0 {
        return Err(Error::new(
            Code::Corrupt,
            format!("row {} is missing, the next one is row {n}: restore the store from a backup", tail.position),
        ));
    }
    read.map_err(|fault| match fault {
        Fault::Future => {
            Error::new(Code::UpgradeNeeded, format!("row {n}: {fault}; a newer Tenure wrote it: upgrade this program"))
        }
        fault => Error::new(Code::Corrupt, format!("row {n}: {fault}; restore the store from a backup")),
    })
}

#[cold]
fn below(position: Position, floor: Position) -> Error {
    Error::new(
        Code::Truncated,
        format!("row {position} was let go, the first that is held is row {floor}: begin again from a snapshot"),
    )
}
