//! Arbitrary bytes as frames end in an answer; and frames of arbitrary payloads, one byte of which was changed, are
//! read up to the entry that was damaged: no entry less, none more, none other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::{
    Author, Position, Revision, StoreId, TaskId,
    entry::EntryKind,
    frame::{HEADER, Reader, Salt, Step, encode, read_row},
    port::{Draft, Tail},
};

/// The payloads that are read from the front, and whether all bytes were.
fn payloads(salt: Salt, bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut reader = Reader::new(salt, &Tail::empty(Position(0)));
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        match reader.next(&bytes[at..]) {
            Step::Entry { used, stored } => {
                found.push(stored.payload.to_vec());
                assert!(used >= HEADER, "a frame without a header");
                at += used;
            }
            Step::Part { used } => {
                assert!(used >= HEADER, "a frame without a header");
                at += used;
            }
            Step::Seal { behind } => {
                at += HEADER;
                reader.pass(&behind);
            }
            Step::More { needed } => {
                assert!(needed > bytes.len() - at, "more bytes are asked for, and they are there");
                return (found, false);
            }
            Step::Bad(_) => return (found, false),
        }
    }
    (found, true)
}

fuzz_target!(|bytes: &[u8]| {
    let salt = Salt::of(StoreId([7; 16]));
    payloads(salt, bytes);
    let _ = read_row(salt, &Tail::empty(Position(1)), bytes);

    let Some((&[most, high, low, change], text)) = bytes.split_first_chunk::<4>() else { return };
    let originals: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
    let (mut written, mut tails) = (Vec::new(), vec![Tail::empty(Position(0))]);
    for payload in &originals {
        let at = tails[tails.len() - 1];
        let draft = Draft {
            kind: EntryKind::Transaction,
            revision: Revision(at.revision.0 + 1),
            next_id: TaskId(at.next_id.0 + u64::from(most)),
            author: Author(1),
            payload: payload.to_vec(),
        };
        let behind = encode(salt, &at, at.position, usize::from(most) + 1, &draft, &mut written);
        tails.push(behind.expect("an entry that follows is written"));
    }
    assert_eq!(tails[tails.len() - 1].position.0, written.len() as u64);

    let place = usize::from(u16::from_be_bytes([high, low])) % written.len();
    written[place] ^= change;
    let whole = if change == 0 {
        originals.len()
    } else {
        tails[1..].iter().filter(|tail| tail.position.0 <= place as u64).count()
    };
    let (found, all) = payloads(salt, &written);
    assert_eq!(found, originals[..whole]);
    assert_eq!(all, change == 0);
});
