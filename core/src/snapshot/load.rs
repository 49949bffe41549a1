//! Reading a snapshot, piece by piece, into a state that replay can start from.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use super::{CHUNK_HEADER, CHUNK_MAX, ChunkKind, End, FORMAT, Head, Piece};
use crate::{
    data::Data,
    entry::{Image, Rest},
    error::{Code, Error, Result},
    id::{Position, StoreId},
    port::Tail,
    state::{Remembered, State, Value},
};

impl Head {
    fn begin_tail(&self) -> Tail {
        Tail { position: Position(self.position), revision: self.begin, next_id: self.next_id, link: self.link }
    }
}

/// A snapshot that was read whole.
#[derive(Debug)]
pub struct Loaded {
    /// The fuzzy state; replay of (begin, end] makes it a true one.
    pub state: State,
    /// Where replay starts.
    pub begin: Tail,
    /// Where the state must have `digest`.
    pub end: Tail,
    /// The digest at `end`.
    pub digest: u64,
}

/// Takes a snapshot's bytes in pieces of any size.
#[derive(Debug)]
pub struct Loader {
    store: StoreId,
    held: Vec<u8>,
    state: State,
    head: Option<Head>,
    end: Option<End>,
    pieces: u64,
}

fn damaged(what: impl Into<String>) -> Error {
    Error::new(Code::Corrupt, format!("the snapshot is damaged: {}", what.into()))
}

/// A chunk at the front of some bytes.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// What it holds.
    pub kind: ChunkKind,
    /// Its content, inflated.
    pub raw: Cow<'a, [u8]>,
    /// Bytes of the whole chunk.
    pub used: usize,
}

/// The chunk at the front of `bytes`, checked; `None` where they are too few.
pub fn take_chunk(bytes: &[u8]) -> Result<Option<Chunk<'_>>> {
    let used = want(bytes)?;
    if bytes.len() < CHUNK_HEADER || bytes.len() < used {
        return Ok(None);
    }
    let (kind, raw) = open_chunk(&bytes[..used])?;
    Ok(Some(Chunk { kind, raw, used }))
}

/// How many bytes the chunk that begins here has, as far as that is known.
fn want(bytes: &[u8]) -> Result<usize> {
    if bytes.len() < CHUNK_HEADER {
        return Ok(CHUNK_HEADER);
    }
    let (raw, stored) = (number(bytes, 4), number(bytes, 8));
    if raw > CHUNK_MAX || stored > CHUNK_MAX || bytes[1] > 1 {
        return Err(damaged("a chunk's header makes no sense"));
    }
    Ok(CHUNK_HEADER + stored)
}

/// A whole chunk, checked and inflated.
fn open_chunk(chunk: &[u8]) -> Result<(ChunkKind, Cow<'_, [u8]>)> {
    let (header, stored) = chunk.split_at(CHUNK_HEADER);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header[..12]);
    crc.update(stored);
    if crc.finalize() as usize != number(header, 12) {
        return Err(damaged("a chunk has another checksum than it says"));
    }
    let kind = ChunkKind::from_number(header[0]).ok_or_else(|| damaged("it has a chunk of unknown kind"))?;
    let raw_len = number(header, 4);
    if header[1] == 1 && !cfg!(feature = "inflate") {
        return Err(Error::new(Code::UpgradeNeeded, "the snapshot is deflated, and this build reads none of those"));
    }
    let raw = if cfg!(feature = "inflate") && header[1] == 1 {
        let raw = miniz_oxide::inflate::decompress_to_vec_with_limit(stored, raw_len)
            .map_err(|error| damaged(format!("a chunk does not inflate: {error}")))?;
        Cow::Owned(raw)
    } else {
        Cow::Borrowed(stored)
    };
    if raw.len() != raw_len {
        return Err(damaged("a chunk has another length than it says"));
    }
    Ok((kind, raw))
}

impl Loader {
    /// A loader for a snapshot of this store.
    pub fn new(store: StoreId) -> Self {
        Self { store, held: Vec::new(), state: State::new(), head: None, end: None, pieces: 0 }
    }

    /// The next bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<()> {
        // Whole chunks are read where they lie; only a cut one is put together.
        while !self.held.is_empty() && !bytes.is_empty() {
            let wanted = want(&self.held)?;
            let take = wanted.saturating_sub(self.held.len()).min(bytes.len());
            self.held.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.held.len() >= CHUNK_HEADER && self.held.len() >= want(&self.held)? {
                let held = core::mem::take(&mut self.held);
                self.chunk(&held)?;
            }
        }
        while bytes.len() >= CHUNK_HEADER {
            let wanted = want(bytes)?;
            if bytes.len() < wanted {
                break;
            }
            self.chunk(&bytes[..wanted])?;
            bytes = &bytes[wanted..];
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<()> {
        let (kind, raw) = open_chunk(chunk)?;
        if self.end.is_some() || (self.head.is_none() != (kind == ChunkKind::Head)) {
            return Err(damaged("its chunks are out of order"));
        }
        match kind {
            ChunkKind::Head => self.head(&raw),
            ChunkKind::Items => self.items(&raw),
            ChunkKind::End => {
                let end: End = postcard::from_bytes(&raw).map_err(|error| damaged(format!("{error}")))?;
                self.end = Some(end);
                Ok(())
            }
        }
    }

    fn head(&mut self, raw: &[u8]) -> Result<()> {
        let head: Head = postcard::from_bytes(raw).map_err(|error| damaged(format!("{error}")))?;
        if head.format != FORMAT {
            let why =
                format!("the snapshot has format {}, this program knows {FORMAT}: upgrade this program", head.format);
            return Err(Error::new(Code::UpgradeNeeded, why));
        }
        if head.store != self.store {
            self.head = Some(head);
            return Err(Error::new(Code::Replaced, "the snapshot is of another store"));
        }
        let tail = head.begin_tail();
        self.state.stand_at(&tail, head.level, head.exclusive);
        self.head = Some(head);
        Ok(())
    }

    fn items(&mut self, mut raw: &[u8]) -> Result<()> {
        while !raw.is_empty() {
            self.pieces += 1;
            if let Some((image, rest)) = quick_task(raw) {
                raw = rest;
                self.task(&image)?;
                continue;
            }
            let (piece, rest) =
                postcard::take_from_bytes::<Piece<'_>>(raw).map_err(|error| damaged(format!("{error}")))?;
            raw = rest;
            match piece {
                Piece::Task(image) => self.task(&image)?,
                Piece::Record { table, key, revision, expires_at, value } => {
                    let value = Value { data: Data::from(&*value), revision, expires_at };
                    self.state.load_record(&table, &key, value);
                }
                Piece::Request { owner, id, revision, fingerprint, ids, counts } => {
                    self.state.load_request(owner, &id, Remembered { revision, fingerprint, ids, counts });
                }
            }
        }
        Ok(())
    }

    fn task(&mut self, image: &Image<'_>) -> Result<()> {
        let fits = image.id.0 != 0 && image.id.0 <= crate::id::MAX_ID && image.available_at <= crate::time::MAX_TIME;
        if !fits || !self.state.load_new(image) {
            return Err(damaged(format!("task {} makes no sense in it", image.id)));
        }
        Ok(())
    }

    /// All bytes were given.
    pub fn finish(mut self) -> Result<Loaded> {
        let (Some(head), Some(end)) = (self.head, self.end) else {
            return Err(damaged("it ends too early"));
        };
        if !self.held.is_empty() || end.end < head.begin || end.pieces != self.pieces {
            return Err(damaged("its end does not fit its beginning"));
        }
        let begin = head.begin_tail();
        let end_tail =
            Tail { position: Position(end.position), revision: end.end, next_id: end.next_id, link: end.link };
        self.state.tidy_index();
        Ok(Loaded { state: self.state, begin, end: end_tail, digest: end.digest })
    }
}

/// Where the replay of a snapshot begins, once enough of its first bytes are given.
pub fn begin_of(bytes: &[u8]) -> Result<Option<Position>> {
    Ok(begin_tail(bytes)?.map(|tail| tail.position))
}

/// The tail from which the replay of a snapshot begins, once enough of its first bytes are given.
pub fn begin_tail(bytes: &[u8]) -> Result<Option<Tail>> {
    let used = want(bytes)?;
    if bytes.len() < CHUNK_HEADER || bytes.len() < used {
        return Ok(None);
    }
    let mut loader = Loader::new(StoreId::default());
    match loader.chunk(&bytes[..used]) {
        Err(error) if error.code() != Code::Replaced => Err(error),
        _ => match loader.head {
            Some(head) => Ok(Some(head.begin_tail())),
            None => Err(damaged("it has no head")),
        },
    }
}

/// A task at the front of some pieces, where it is spelled as this program spells it.
fn quick_task(raw: &[u8]) -> Option<(Image<'_>, &[u8])> {
    let mut rest = Rest(raw.strip_prefix(&[0])?);
    Some((rest.image()?, rest.0))
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}
