//! Reading frames.

use alloc::vec::Vec;
use core::fmt;

use super::{
    HEADER, SEAL,
    header::{Header, Part, Salt},
};
use crate::{
    entry::EntryKind,
    id::Position,
    port::{Stored, Tail},
};

/// What is wrong with a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No header stands here, or its checksum does not match.
    Header,
    /// The payload's checksum does not match.
    Payload,
    /// It is whole, but does not follow the frame before it.
    Chain,
    /// It is whole and follows, but its revision, next id or part does not.
    Order,
    /// It is whole, and in a form that only a newer program knows.
    Future,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "no whole frame header stands there",
            Self::Payload => "the payload does not match its checksum",
            Self::Chain => "the frame does not follow the one before it",
            Self::Order => "the frame's revision, next id or part does not follow the one before it",
            Self::Future => "the frame has a form that this program does not know",
        })
    }
}

/// What [`Reader::next`] found at the front of the bytes.
#[derive(Debug)]
pub enum Step<'a> {
    /// A whole entry. `used` bytes are behind the reader now.
    Entry {
        /// Bytes of the frame.
        used: usize,
        /// The entry; its payload lies in the bytes given, or in the reader where it came in parts.
        stored: Stored<'a>,
    },
    /// A part of an entry. `used` bytes are behind the reader now.
    Part {
        /// Bytes of the frame.
        used: usize,
    },
    /// A seal. The reader still stands before it, because a segment may also end there without it being part of
    /// the history; [`Reader::pass`] goes on behind it.
    Seal {
        /// The tail behind it.
        behind: Tail,
    },
    /// There are too few bytes: a frame that begins here has at least so many.
    More {
        /// Bytes needed, from the same beginning.
        needed: usize,
    },
    /// What stands here is no frame that can follow.
    Bad(Fault),
}

/// An entry of which the first part was read.
#[derive(Clone, Copy, Debug)]
struct Begun {
    header: Header,
    position: Position,
}

/// Reads entries, one step at a time, from bytes that the caller brings; checks all that can be checked.
#[derive(Debug)]
pub struct Reader {
    salt: Salt,
    tail: Tail,
    at: Position,
    link: u32,
    begun: Option<Begun>,
    joined: Vec<u8>,
    aborted: u64,
    durable: Position,
}

impl Reader {
    /// A reader of what stands behind `tail`.
    pub fn new(salt: Salt, tail: &Tail) -> Self {
        Self {
            salt,
            tail: *tail,
            at: tail.position,
            link: tail.link,
            begun: None,
            joined: Vec::new(),
            aborted: 0,
            durable: Position(0),
        }
    }

    /// The tail behind the last whole entry.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Where the next frame begins: behind the tail while an entry is unfinished.
    pub fn at(&self) -> Position {
        self.at
    }

    /// Whether an entry was begun and is not finished.
    pub fn unfinished(&self) -> bool {
        self.begun.is_some()
    }

    /// Aborted appends that were met and skipped.
    pub fn aborted(&self) -> u64 {
        self.aborted
    }

    /// The highest durable mark in any frame so far.
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// Goes on behind a seal, or in a segment that begins at the tail.
    pub fn pass(&mut self, behind: &Tail) {
        self.aborted += u64::from(self.begun.take().is_some());
        self.joined.clear();
        self.tail = *behind;
        self.at = behind.position;
        self.link = behind.link;
    }

    /// Goes back to the last whole entry.
    pub fn rewind(&mut self) {
        self.begun = None;
        self.joined.clear();
        self.at = self.tail.position;
        self.link = self.tail.link;
    }

    /// Reads the frame at the front of `bytes`, which begin at [`Reader::at`].
    pub fn next<'a>(&'a mut self, bytes: &'a [u8]) -> Step<'a> {
        if bytes.len() < HEADER {
            return Step::More { needed: HEADER };
        }
        let header = match Header::read(self.salt, self.at, bytes) {
            Ok(header) => header,
            Err(fault) => return Step::Bad(fault),
        };
        if header.previous != self.link {
            return Step::Bad(Fault::Chain);
        }
        if header.kind == SEAL {
            return self.seal(&header);
        }
        let Some(kind) = EntryKind::from_number(header.kind) else { return Step::Bad(Fault::Future) };
        if header.durable > self.at || !self.in_order(&header) {
            return Step::Bad(Fault::Order);
        }
        let used = header.frame_len();
        let Some(payload) = bytes.get(HEADER..used) else { return Step::More { needed: used } };
        if crc32fast::hash(payload) != header.payload {
            return Step::Bad(Fault::Payload);
        }

        let first = header.part == Part::Whole as u8 || header.part == Part::First as u8;
        if self.begun.is_none() || first {
            self.aborted += u64::from(self.begun.is_some());
            self.joined.clear();
            self.begun = Some(Begun { header, position: self.at });
        }
        self.durable = self.durable.max(header.durable);
        self.at.0 = self.at.0.saturating_add(used as u64);
        self.link = header.link;
        if header.part != Part::Whole as u8 {
            self.joined.extend_from_slice(payload);
        }
        if header.part == Part::First as u8 || header.part == Part::Middle as u8 {
            return Step::Part { used };
        }
        let position = self.begun.take().map_or(self.at, |begun| begun.position);
        self.tail = Tail { position: self.at, revision: header.revision, next_id: header.next_id, link: header.link };
        let payload = if header.part == Part::Whole as u8 { payload } else { &self.joined[..] };
        Step::Entry {
            used,
            stored: Stored { kind, author: header.author, position, durable: header.durable, tail: self.tail, payload },
        }
    }

    fn seal<'a>(&mut self, header: &Header) -> Step<'a> {
        let alike = header.part == Part::Whole as u8
            && header.length == 0
            && header.revision == self.tail.revision
            && header.next_id == self.tail.next_id;
        if !alike || header.durable > self.at {
            return Step::Bad(Fault::Order);
        }
        self.durable = self.durable.max(header.durable);
        let position = Position(self.at.0.saturating_add(HEADER as u64));
        Step::Seal { behind: Tail { position, link: header.link, ..self.tail } }
    }

    fn in_order(&self, header: &Header) -> bool {
        if header.part == Part::Whole as u8 || header.part == Part::First as u8 {
            return header.revision.0 == self.tail.revision.0.wrapping_add(1) && header.next_id >= self.tail.next_id;
        }
        (header.part == Part::Middle as u8 || header.part == Part::Last as u8)
            && self.begun.is_some_and(|begun| {
                begun.header.kind == header.kind
                    && begun.header.revision == header.revision
                    && begun.header.next_id == header.next_id
                    && begun.header.author == header.author
            })
    }
}

/// Reads a row: one whole frame that stands at the tail's position; the next row stands one further.
pub fn read_row<'a>(salt: Salt, at: &Tail, row: &'a [u8]) -> Result<Stored<'a>, Fault> {
    let header = Header::read(salt, at.position, row)?;
    if header.part != Part::Whole as u8 {
        return Err(Fault::Order);
    }
    let mut reader = Reader::new(salt, at);
    let mut tail = match reader.next(row) {
        Step::Entry { used, stored } if used == row.len() => stored.tail,
        Step::Bad(fault) => return Err(fault),
        Step::Entry { .. } | Step::More { .. } => return Err(Fault::Payload),
        Step::Part { .. } | Step::Seal { .. } => return Err(Fault::Order),
    };
    tail.position = Position(at.position.0.saturating_add(1));
    let Some(kind) = EntryKind::from_number(header.kind) else { return Err(Fault::Future) };
    Ok(Stored {
        kind,
        author: header.author,
        position: at.position,
        durable: header.durable,
        tail,
        payload: &row[HEADER..],
    })
}
