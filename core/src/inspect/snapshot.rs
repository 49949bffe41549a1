//! The lines of a snapshot's content.

use alloc::vec::Vec;

use super::{
    item::Piece,
    line::{Head, Line, SnapshotTail},
};
use crate::{
    error::{Code, Error, Result},
    snapshot::{self, Chunk, ChunkKind, take_chunk},
};

/// Takes a snapshot's bytes in pieces of any size, and gives lines.
pub(super) struct Pieces {
    held: Vec<u8>,
    all: bool,
}

fn unreadable(error: &postcard::Error) -> Error {
    Error::new(Code::Corrupt, alloc::format!("a chunk can't be read: {error}"))
}

impl Pieces {
    pub fn new(all: bool) -> Self {
        Self { held: Vec::new(), all }
    }

    pub fn feed(&mut self, bytes: &[u8], put: &mut dyn FnMut(&Line<'_>) -> Result<()>) -> Result<()> {
        self.held.extend_from_slice(bytes);
        while let Some(Chunk { kind, raw, used }) = take_chunk(&self.held)? {
            match kind {
                ChunkKind::Head => {
                    let head: snapshot::Head = postcard::from_bytes(&raw).map_err(|error| unreadable(&error))?;
                    put(&Line::Head(Head::new(&head)))?;
                }
                ChunkKind::Items if self.all => {
                    let mut rest = &raw[..];
                    while !rest.is_empty() {
                        let (piece, behind) = postcard::take_from_bytes(rest).map_err(|error| unreadable(&error))?;
                        rest = behind;
                        put(&Line::Piece(Piece::new(piece)))?;
                    }
                }
                ChunkKind::Items => {}
                ChunkKind::End => {
                    let end: snapshot::End = postcard::from_bytes(&raw).map_err(|error| unreadable(&error))?;
                    put(&Line::Tail(SnapshotTail::new(&end)))?;
                }
            }
            drop(raw);
            self.held.drain(..used);
        }
        Ok(())
    }
}
