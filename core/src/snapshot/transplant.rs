//! The snapshot of one store as the beginning of another.

use alloc::vec::Vec;

use super::{Chunk, ChunkKind, End, Head, pack};
use crate::{
    error::{Code, Error, Result},
    id::{Author, StoreId},
    port::Tail,
};

/// A chunk of a snapshot that begins and ends at one revision, as a chunk of one of `store` that begins and ends at
/// `tail`, with nobody who has that store for himself. Tasks, records and requests stay as they are.
pub fn transplant(chunk: &Chunk<'_>, store: StoreId, tail: &Tail) -> Result<Vec<u8>> {
    let unreadable = |error: postcard::Error| {
        Error::new(Code::Corrupt, alloc::format!("a chunk of the snapshot can't be read: {error}"))
    };
    let raw = match chunk.kind {
        ChunkKind::Items => return Ok(pack(chunk.kind, &chunk.raw)),
        ChunkKind::Head => {
            let head: Head = postcard::from_bytes(&chunk.raw).map_err(unreadable)?;
            let head = Head {
                store,
                begin: tail.revision,
                position: tail.position.0,
                link: tail.link,
                next_id: tail.next_id,
                exclusive: Author(0),
                ..head
            };
            postcard::to_allocvec(&head)
        }
        ChunkKind::End => {
            let end: End = postcard::from_bytes(&chunk.raw).map_err(unreadable)?;
            let end =
                End { end: tail.revision, position: tail.position.0, link: tail.link, next_id: tail.next_id, ..end };
            postcard::to_allocvec(&end)
        }
    };
    Ok(pack(chunk.kind, &raw.map_err(unreadable)?))
}
