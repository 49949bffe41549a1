//! Reading a segment's frames through a window on its file.

use alloc::vec::Vec;

use super::{disk::DiskFile, recovery::Stop, segment::Header};
use crate::{
    error::Result,
    frame::{self, Fault, Reader, Step},
    id::Position,
    port::{Stored, Tail},
};

/// Bytes that are asked from the file at once.
const PIECE: u64 = 1 << 20;

/// A part of a segment's file in memory. It stays from one read to the next, so that what was checked under the
/// lock need not be fetched again to be handed out.
#[derive(Default, Debug)]
pub(super) struct Window {
    sequence: u64,
    position: u64,
    bytes: Vec<u8>,
    end: usize,
}

impl Window {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// Forgets what lies behind a position: it may have been read while it was being written.
    pub fn trust_until(&mut self, position: Position) {
        let trusted = usize::try_from(position.0.saturating_sub(self.position)).unwrap_or(usize::MAX);
        self.end = self.end.min(trusted);
    }

    /// Begins to look at a place; gives back where it lies in the window.
    fn look_at(&mut self, sequence: u64, position: u64) -> usize {
        let inside = position.checked_sub(self.position).and_then(|at| usize::try_from(at).ok());
        match inside {
            Some(at) if self.sequence == sequence && at <= self.end => at,
            _ => {
                (self.sequence, self.position, self.end) = (sequence, position, 0);
                0
            }
        }
    }

    /// Makes at least `needed` bytes follow `at`, of the `left` that the file has there; gives back where `at` is
    /// now, and whether they do.
    fn fill<F: DiskFile>(
        &mut self,
        file: &F,
        header: &Header,
        at: usize,
        needed: usize,
        left: u64,
    ) -> Result<(usize, bool)> {
        let mut at = at;
        let have = self.end - at;
        if at + needed > PIECE as usize {
            self.bytes.copy_within(at..self.end, 0);
            self.position += at as u64;
            (at, self.end) = (0, have);
        }
        let wanted = left.min(PIECE.saturating_sub(at as u64)).max(needed as u64).min(left) as usize;
        if self.bytes.len() < at + wanted {
            self.bytes.resize(at + wanted, 0);
        }
        let from = header.offset(Position(self.position + self.end as u64));
        let read = file.read_at(from, &mut self.bytes[self.end..at + wanted])?;
        self.end += read;
        Ok((at, self.end - at >= needed))
    }

    /// Gives back memory that a large frame took.
    fn shrink(&mut self) {
        if self.bytes.len() > 2 * PIECE as usize {
            self.bytes.truncate(PIECE as usize);
            self.bytes.shrink_to_fit();
            self.end = self.end.min(self.bytes.len());
        }
    }
}

/// Where a scan ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// At the position where it was to end.
    Limit,
    /// At a seal; the tail behind it.
    Seal(Tail),
    /// Elsewhere.
    Stop(Stop),
}

/// Reads from where `reader` stands to `limit`, or to the end of the file, and gives the entries to `visit`.
pub(super) fn scan<F: DiskFile>(
    file: &F,
    header: &Header,
    len: u64,
    limit: Option<Position>,
    reader: &mut Reader,
    window: &mut Window,
    visit: &mut dyn FnMut(Stored<'_>) -> Result<()>,
) -> Result<End> {
    let end = limit.map_or(header.end(len), |limit| limit.min(header.end(len)));
    let mut at = window.look_at(header.sequence, reader.at().0);
    let result = loop {
        if limit == Some(reader.at()) {
            break End::Limit;
        }
        let Some(left) = end.0.checked_sub(reader.at().0) else { break End::Stop(Stop::Shrunk) };
        let needed = match reader.next(&window.bytes[at..window.end]) {
            Step::Entry { used, stored } => {
                at += used;
                visit(stored)?;
                continue;
            }
            Step::Part { used } => {
                at += used;
                continue;
            }
            Step::Seal { behind } => {
                if limit == Some(behind.position) {
                    reader.pass(&behind);
                    break End::Limit;
                }
                break End::Seal(behind);
            }
            Step::Bad(fault) => {
                break End::Stop(match fault {
                    Fault::Header | Fault::Payload => Stop::Bad,
                    Fault::Chain | Fault::Order => Stop::Broken,
                    Fault::Future => Stop::Future,
                });
            }
            Step::More { needed } => needed,
        };
        let short = if left == 0 && !reader.unfinished() {
            Stop::Clean
        } else if left == 0 {
            Stop::Unfinished
        } else {
            Stop::Short
        };
        if left < needed as u64 {
            break End::Stop(short);
        }
        let (now, filled) = window.fill(file, header, at, needed, left)?;
        at = now;
        if !filled {
            // The file was cut while it was read.
            break End::Stop(Stop::Short);
        }
    };
    window.shrink();
    Ok(result)
}

/// The highest durable mark in any whole header that stands at or behind `from`, up to the end of the file.
pub(super) fn mark_behind<F: DiskFile>(
    file: &F,
    header: &Header,
    len: u64,
    from: Position,
    salt: frame::Salt,
    window: &mut Window,
) -> Result<Position> {
    let mut mark = Position(0);
    window.clear();
    let mut at = from;
    while let Some(left) = header.end(len).0.checked_sub(at.0).filter(|left| *left >= frame::HEADER as u64) {
        let begin = window.look_at(header.sequence, at.0);
        let (begin, _) = window.fill(file, header, begin, frame::HEADER, left)?;
        let bytes = &window.bytes[begin..window.end];
        let Some(places) = bytes.len().checked_sub(frame::HEADER - 1) else { break };
        for place in 0..places {
            if bytes[place] != frame::MAGIC[0] || !bytes[place..].starts_with(&frame::MAGIC) {
                continue;
            }
            let position = Position(at.0 + place as u64);
            if let Ok(found) = frame::Header::read(salt, position, &bytes[place..])
                && found.durable <= position
            {
                mark = mark.max(found.durable);
            }
        }
        at.0 += places as u64;
        window.clear();
    }
    window.shrink();
    Ok(mark)
}
