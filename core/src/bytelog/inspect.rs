//! Looking at a folder's bytes as they are: no lock, no recovery, nothing changed, damage reported where it stands.

use alloc::{string::String, vec, vec::Vec};

use super::{
    disk::{Disk, DiskFile},
    folder::{read_header, sequences},
    segment, snapshots, watermark,
};
use crate::{
    error::{Error, Result},
    frame::{self, Fault, Reader, Salt, Step},
    id::{Author, Position, StoreId},
    port::{SnapshotName, Stored, Tail},
};

/// How the frames of a segment end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With the file, behind a whole entry or a seal.
    Whole,
    /// Where the next segment begins, though the file goes on: it was written again there.
    Superseded,
    /// With the file, behind a part of an entry.
    Unfinished,
    /// With the file, inside a frame.
    Short,
    /// At bytes that are no whole frame.
    Bad,
    /// At a whole frame that does not follow the one before.
    Broken,
    /// At a whole frame of a newer format.
    Newer,
}

impl Ending {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Superseded => "superseded",
            Self::Unfinished => "unfinished",
            Self::Short => "short",
            Self::Bad => "bad",
            Self::Broken => "broken",
            Self::Newer => "newer",
        }
    }
}

/// What stands in a folder, in the order in which it is met.
#[derive(Debug)]
pub enum Found<'a> {
    /// The store, and its watermark where one can be read.
    Store {
        /// The id in the first segment.
        store: StoreId,
        /// Up to where the shared bytes say that the journal is durable.
        watermark: Option<Position>,
    },
    /// A segment whose header is whole; its frames follow.
    Segment {
        /// The file's name.
        name: &'a str,
        /// The number in it.
        sequence: u64,
        /// The tail behind which the first frame stands.
        tail: Tail,
        /// The handle that made it.
        author: Author,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A segment whose header can't be read.
    Unreadable {
        /// The file's name.
        name: &'a str,
        /// Why.
        error: Error,
    },
    /// A frame that is whole and follows the one before.
    Frame {
        /// Where it stands.
        position: Position,
        /// Its header.
        header: frame::Header,
    },
    /// The entry that the last frame completed.
    Entry(Stored<'a>),
    /// The end of a segment's frames.
    End {
        /// Behind the last whole entry or seal.
        position: Position,
        /// How.
        ending: Ending,
        /// Bytes of the file behind that position.
        left: u64,
    },
    /// A snapshot's file; its pieces are read through the journal.
    Snapshot {
        /// The file's name.
        name: &'a str,
        /// What the name says.
        of: SnapshotName,
        /// Bytes of the file.
        bytes: u64,
    },
}

/// Gives everything in a folder to `visit`: segments by number, then snapshots by name. An error of `visit` ends it.
pub fn inspect<D: Disk>(disk: &mut D, visit: &mut dyn FnMut(Found<'_>) -> Result<()>) -> Result<()> {
    let mut names = disk.names()?;
    names.sort_unstable();
    let mut segments = Vec::new();
    for sequence in sequences(&names) {
        segments.push((segment::name(sequence), read_header(disk, sequence)));
    }
    if let Some((header, _)) = segments.iter().find_map(|(_, read)| read.as_ref().ok()) {
        let store = header.store;
        let mark = disk.read_shared().ok().and_then(|bytes| watermark::decode(&bytes));
        let watermark = mark.filter(|mark| mark.0 == store).map(|mark| mark.1);
        visit(Found::Store { store, watermark })?;
    }
    for (at, (name, read)) in segments.iter().enumerate() {
        match read {
            Ok((header, file)) => {
                let next = segments[at + 1..].iter().find_map(|(_, read)| read.as_ref().ok());
                frames(name, header, &**file, next.map(|(next, _)| next.base()), visit)?;
            }
            Err(error) => visit(Found::Unreadable { name, error: error.clone() })?,
        }
    }
    for (name, of) in names.iter().filter_map(|name| Some((name, snapshots::parse(name)?))) {
        let (bytes, _) = disk.open(name)?.len()?;
        visit(Found::Snapshot { name, of, bytes })?;
    }
    Ok(())
}

/// Gives one segment and what is in it to `visit`, up to where the next one begins.
fn frames<F: DiskFile>(
    name: &String,
    header: &segment::Header,
    file: &F,
    limit: Option<Position>,
    visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
) -> Result<()> {
    let (len, _) = file.len()?;
    let segment::Header { sequence, tail, author, store } = *header;
    visit(Found::Segment { name, sequence, tail, author, bytes: len })?;
    let salt = Salt::of(store);
    // A segment is as large as its last append made it: some MiB, and one entry at most.
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX).saturating_sub(segment::HEADER)];
    let read = file.read_at(segment::HEADER as u64, &mut bytes)?;
    bytes.truncate(read);
    let mut reader = Reader::new(salt, &tail);
    let mut at = 0;
    let ending = loop {
        if limit == Some(reader.at()) {
            break if at == bytes.len() { Ending::Whole } else { Ending::Superseded };
        }
        let position = reader.at();
        let frame = frame::Header::read(salt, position, &bytes[at..]);
        let unfinished = reader.unfinished();
        let (used, seal) = match reader.next(&bytes[at..]) {
            Step::Entry { used, stored } => {
                if let Ok(header) = frame {
                    visit(Found::Frame { position, header })?;
                }
                visit(Found::Entry(stored))?;
                at += used;
                continue;
            }
            Step::Part { used } => (used, None),
            Step::Seal { behind } => (frame::HEADER, Some(behind)),
            Step::More { .. } if at < bytes.len() => break Ending::Short,
            Step::More { .. } if unfinished => break Ending::Unfinished,
            Step::More { .. } => break Ending::Whole,
            Step::Bad(Fault::Header | Fault::Payload) => break Ending::Bad,
            Step::Bad(Fault::Chain | Fault::Order) => break Ending::Broken,
            Step::Bad(Fault::Future) => break Ending::Newer,
        };
        if let Ok(header) = frame {
            visit(Found::Frame { position, header })?;
        }
        at += used;
        if let Some(behind) = seal {
            reader.pass(&behind);
            break if at == bytes.len() { Ending::Whole } else { Ending::Superseded };
        }
    };
    let position = reader.tail().position;
    let left = header.end(len).0.saturating_sub(position.0);
    visit(Found::End { position, ending, left })
}
