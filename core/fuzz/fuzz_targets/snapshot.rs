//! Arbitrary bytes as a snapshot, in pieces of any size, and arbitrary items in chunks that are whole: read, or refused
//! with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::{
    Author, Revision, StoreId, TaskId,
    snapshot::{ChunkKind, End, FORMAT, Head, Loader, pack},
};

const STORE: StoreId = StoreId(*b"tenure golden v1");

fn load(bytes: &[u8], piece: usize) {
    let mut loader = Loader::new(STORE);
    let fed = bytes.chunks(piece).try_for_each(|piece| loader.feed(piece));
    match fed.and_then(|()| loader.finish()) {
        Ok(loaded) => assert!(loaded.begin.revision <= loaded.end.revision),
        Err(error) => assert!(!error.message().is_empty()),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[piece, pieces], bytes)) = bytes.split_first_chunk::<2>() else { return };
    load(bytes, usize::from(piece) + 1);

    let head = Head {
        format: FORMAT,
        store: STORE,
        begin: Revision(u64::from(pieces)),
        position: 0,
        link: 0,
        next_id: TaskId(u64::from(piece)),
        level: 1,
        exclusive: Author(0),
        tasks: u64::from(pieces),
    };
    let end =
        End { end: Revision(u64::MAX), position: 0, link: 0, next_id: TaskId(0), digest: 0, pieces: u64::from(pieces) };
    let mut written = pack(ChunkKind::Head, &postcard::to_allocvec(&head).expect("a head is written"));
    for chunk in bytes.chunks(256) {
        written.extend(pack(ChunkKind::Items, chunk));
    }
    written.extend(pack(ChunkKind::End, &postcard::to_allocvec(&end).expect("an end is written")));
    load(&written, usize::from(piece) + 1);
});
