//! Which segments there are, and going from one to the next.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
    recovery::Stop,
    scan::{self, End},
    segment::{self, Header},
    sync::SyncState,
};
use crate::{
    error::{Code, Error, Result},
    frame::Reader,
    id::Position,
    port::{Stored, Tail},
};

/// How often a folder that changes while it is read is read again.
pub(super) const ATTEMPTS: usize = 8;

/// The segment in which this handle's tail lies.
#[derive(Debug)]
pub(super) struct Active<F> {
    pub header: Header,
    pub file: Arc<F>,
    pub state: Arc<SyncState>,
    /// Whether this handle knows its name to be durable.
    pub named: bool,
    /// Where the file ended when this handle opened it. Whether writing what lies before it failed once, and was
    /// told to somebody else, this handle can't know: up to here it writes everything again before it relies on a
    /// sync of its own.
    pub foreign: Position,
}

impl<F> Clone for Active<F> {
    fn clone(&self) -> Self {
        Self { file: self.file.clone(), state: self.state.clone(), ..*self }
    }
}

/// What ended a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stopped {
    pub stop: Stop,
    /// The segment in which it stopped.
    pub header: Header,
    /// Its length at that time.
    pub len: u64,
    /// Whether no segment follows.
    pub last: bool,
    /// The tail behind the seal at which it stopped.
    pub seal: Option<Tail>,
}

/// The numbers of the segments among these names, in order.
pub(super) fn sequences(names: &[String]) -> Vec<u64> {
    let mut found: Vec<u64> = names.iter().filter_map(|name| segment::sequence(name)).collect();
    found.sort_unstable();
    found
}

/// Reads a segment's header.
pub(super) fn read_header<D: Disk>(disk: &mut D, sequence: u64) -> Result<(Header, Arc<D::File>)> {
    let file = disk.open(&segment::name(sequence))?;
    let mut bytes = [0; segment::HEADER];
    let read = file.read_at(0, &mut bytes)?;
    Ok((Header::from_bytes(sequence, &bytes[..read])?, file))
}

/// The headers of all segments, and the last one's file.
type Segments<D> = (Vec<Header>, Option<Arc<<D as Disk>::File>>);

/// Reads the headers of all segments, and opens the last. A segment that vanishes meanwhile was let go: the folder is read
/// again.
pub(super) fn read_headers<D: Disk>(disk: &mut D) -> Result<Segments<D>> {
    'again: for _ in 0..ATTEMPTS {
        let names = disk.names()?;
        let (mut headers, mut last) = (Vec::new(), None);
        for sequence in sequences(&names) {
            match read_header(disk, sequence) {
                Ok((header, file)) => {
                    headers.push(header);
                    last = Some(file);
                }
                Err(error) if error.code() == Code::NotFound => continue 'again,
                Err(error) => return Err(error),
            }
        }
        return Ok((headers, last));
    }
    Err(Error::new(Code::Unavailable, "the folder's segments change faster than they can be read: try again"))
}

impl<D: Disk> ByteLog<D> {
    /// Looks again which segments there are. Another store in their place is `Code::Replaced`.
    pub(super) fn refresh(&mut self) -> Result<()> {
        let (headers, _) = read_headers(&mut self.disk)?;
        let Some(first) = headers.first() else {
            return Err(Error::new(
                Code::Replaced,
                "the store's files are gone: it was removed while it was open; close this handle",
            ));
        };
        if first.store != self.store {
            return Err(Error::new(
                Code::Replaced,
                format!("the folder holds store {} now, not store {}: open it anew", first.store, self.store),
            ));
        }
        if headers.iter().any(|header| header.store != self.store) {
            return Err(Error::new(Code::Corrupt, "the folder holds segments of two stores: restore it from a backup"));
        }
        self.segments = headers;
        Ok(())
    }

    /// The last segment that begins at or before a position. Before the first it is `Code::Truncated`.
    pub(super) fn locate(&self, position: Position) -> Result<usize> {
        let after = self.segments.partition_point(|header| header.base() <= position);
        after.checked_sub(1).ok_or_else(|| {
            let floor = self.segments.first().map_or(Position(0), Header::base);
            Error::new(
                Code::Truncated,
                format!("position {position} lies before {floor}, where the journal begins: load a snapshot"),
            )
        })
    }

    /// Reads from where `reader` stands, through all segments, until it can't go on.
    pub(super) fn walk(
        &mut self,
        reader: &mut Reader,
        visit: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<Stopped> {
        let mut refreshed = 0;
        let mut index = self.locate(reader.at())?;
        self.window.trust_until(self.tail.position);
        loop {
            if refreshed > ATTEMPTS {
                return Err(Error::new(
                    Code::Unavailable,
                    "the folder's segments change faster than they can be read: try again",
                ));
            }
            let Some(&header) = self.segments.get(index) else { return Err(lost(reader.at())) };
            let file = match self.file_of(&header) {
                Err(error) if error.code() == Code::NotFound => None,
                file => Some(file?),
            };
            let (len, linked) = match &file {
                Some(file) => file.len()?,
                None => (0, false),
            };
            let Some(file) = file.filter(|_| linked) else {
                refreshed += 1;
                self.refresh()?;
                index = self.locate(reader.at())?;
                continue;
            };
            let limit = self.segments.get(index + 1).map(Header::base);
            let end = scan::scan(&*file, &header, len, limit, reader, &mut self.window, visit)?;
            let last = limit.is_none();
            match end {
                End::Limit => {
                    index += 1;
                    self.enter(reader, index)?;
                }
                End::Stop(stop) => {
                    self.reached = Some((header, file));
                    return Ok(Stopped { stop, header, len, last, seal: None });
                }
                End::Seal(behind) => {
                    if last {
                        refreshed += 1;
                        self.refresh()?;
                    }
                    let next = self.segments.iter().position(|other| other.sequence > header.sequence);
                    if let Some(next) = next.filter(|_| last) {
                        let base = self.segments[next].base();
                        if base == behind.position {
                            reader.pass(&behind);
                        } else if base <= reader.tail().position {
                            // The segment was written again from its durable mark, without the seal.
                            reader.rewind();
                        } else {
                            // Others may have let go of this segment and of those behind it meanwhile, which is
                            // `Truncated`. What is still there must go on.
                            self.locate(reader.tail().position)?;
                        }
                        index = next;
                        match self.enter(reader, index) {
                            Err(error) if error.code() == Code::NotFound => {
                                self.refresh()?;
                                index = self.locate(reader.at())?;
                            }
                            entered => entered?,
                        }
                    } else {
                        self.reached = Some((header, file));
                        return Ok(Stopped { stop: Stop::Seal, header, len, last, seal: Some(behind) });
                    }
                }
            }
        }
    }

    /// Checks that a segment holds the history that `reader` has seen, so that it can go on there.
    fn enter(&mut self, reader: &mut Reader, index: usize) -> Result<()> {
        let Some(header) = self.segments.get(index).copied() else { return Err(lost(reader.at())) };
        let behind = *reader.tail();
        let mut own = Reader::new(self.salt, &header.tail);
        if header.base() < behind.position {
            let file = self.file_of(&header)?;
            let (len, _) = file.len()?;
            scan::scan(&*file, &header, len, Some(behind.position), &mut own, &mut self.window, &mut |_| Ok(()))?;
        }
        if *own.tail() == behind && !reader.unfinished() {
            return Ok(());
        }
        let text = format!(
            "segment {} does not continue the journal at position {}: restore the folder from a backup",
            segment::name(header.sequence),
            behind.position
        );
        Err(Error::new(Code::Corrupt, text))
    }

    /// The file of a segment, already open where it is the active one.
    pub(super) fn file_of(&mut self, header: &Header) -> Result<Arc<D::File>> {
        if header.sequence == self.active.header.sequence {
            return Ok(self.active.file.clone());
        }
        if let Some((reached, file)) = &self.reached
            && reached.sequence == header.sequence
        {
            return Ok(file.clone());
        }
        let (found, file) = read_header(&mut self.disk, header.sequence)?;
        if found.store != self.store {
            return Err(Error::new(Code::Replaced, "the folder holds another store now: open it anew"));
        }
        Ok(file)
    }

    /// Takes over what a reader has seen, where that is further than this handle's own tail.
    pub(super) fn adopt(&mut self, reader: &Reader, stopped: &Stopped) -> Result<()> {
        self.aborted += if self.tail.position < reader.tail().position { reader.aborted() } else { 0 };
        self.durable = self.durable.max(reader.durable());
        if stopped.header.sequence != self.active.header.sequence && reader.tail().position >= self.tail.position {
            let file = self.file_of(&stopped.header)?;
            self.activate(stopped.header, file, false, stopped.header.end(stopped.len));
        }
        if reader.tail().position >= self.tail.position {
            self.tail = *reader.tail();
            self.seal = stopped.seal;
        }
        Ok(())
    }

    /// Makes a segment the one in which the tail lies.
    pub(super) fn activate(&mut self, header: Header, file: Arc<D::File>, named: bool, foreign: Position) {
        self.active = Active { header, file, state: Arc::default(), named, foreign };
        // What came before the last segment is durable before that one is made.
        self.durable = self.durable.max(header.base());
        self.seal = None;
    }
}

/// What a handle is told that has read entries which are gone.
pub(super) fn lost(position: Position) -> Error {
    Error::new(
        Code::Closed,
        format!(
            "entries that this handle had read, up to position {position}, were lost before they were durable; \
             nothing acknowledged strictly is gone: open the store anew"
        ),
    )
}
