use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::{
    entry::EntryKind,
    id::{Author, Position, Revision, StoreId, TaskId},
    port::{Draft, Tail},
};

const STORE: StoreId = StoreId([7; 16]);

fn salt() -> Salt {
    Salt::of(STORE)
}

fn draft(after: &Tail, author: u64, payload: &[u8]) -> Draft {
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(after.revision.0 + 1),
        next_id: TaskId(after.next_id.0 + 3),
        author: Author(author),
        payload: payload.to_vec(),
    }
}

/// Entries of these payloads behind an empty tail: bytes, and the tail behind each.
fn written(payloads: &[&[u8]], max_frame: usize) -> (Vec<u8>, Vec<Tail>) {
    let mut bytes = Vec::new();
    let mut tails = vec![Tail::empty(Position(0))];
    for payload in payloads {
        let at = tails[tails.len() - 1];
        tails.push(encode(salt(), &at, at.position, max_frame, &draft(&at, 1, payload), &mut bytes).unwrap());
    }
    (bytes, tails)
}

/// Everything that can be read from the front of `bytes`, and how it ended.
fn read_all(bytes: &[u8], from: &Tail) -> (Vec<Vec<u8>>, Tail, Option<Fault>) {
    let mut reader = Reader::new(salt(), from);
    let (mut at, mut payloads) = (0, Vec::new());
    loop {
        match reader.next(&bytes[at..]) {
            Step::Entry { used, stored } => {
                payloads.push(stored.payload.to_vec());
                at += used;
            }
            Step::Part { used } => at += used,
            Step::Seal { behind } => {
                at += HEADER;
                reader.pass(&behind);
            }
            Step::More { .. } => return (payloads, *reader.tail(), None),
            Step::Bad(fault) => return (payloads, *reader.tail(), Some(fault)),
        }
    }
}

#[test]
fn an_entry_comes_back_as_it_was() {
    let (bytes, tails) = written(&[b"one", b"", b"three"], MAX_FRAME);
    let (payloads, tail, fault) = read_all(&bytes, &tails[0]);
    assert_eq!(payloads, [&b"one"[..], b"", b"three"]);
    assert_eq!((tail, fault), (tails[3], None));
    assert_eq!(tail.position.0 as usize, bytes.len());
}

#[test]
fn the_layout_is_the_pictured_one() {
    let (bytes, tails) = written(&[b"payload"], MAX_FRAME);
    assert_eq!(&bytes[..8], b"TNUR\x01\x01\0\0");
    assert_eq!(&bytes[8..12], &7_u32.to_le_bytes());
    assert_eq!(&bytes[12..16], &[0; 4]);
    assert_eq!(&bytes[16..24], &1_u64.to_le_bytes());
    assert_eq!(&bytes[24..32], &4_u64.to_le_bytes());
    assert_eq!(&bytes[32..40], &1_u64.to_le_bytes());
    assert_eq!(&bytes[40..48], &[0; 8]);
    assert_eq!(&bytes[48..52], &crc32fast::hash(b"payload").to_le_bytes());
    let covered = [&STORE.0[..], &[0; 8], &bytes[..52], &[0; 4]].concat();
    assert_eq!(&bytes[52..56], &crc32fast::hash(&covered).to_le_bytes());
    assert_eq!(&bytes[56..], b"payload");
    assert_eq!(tails[1].link, crc32fast::hash(&covered));
}

#[test]
fn a_whole_entry_is_not_copied() {
    let (bytes, tails) = written(&[b"where am I"], MAX_FRAME);
    let mut reader = Reader::new(salt(), &tails[0]);
    let Step::Entry { stored, .. } = reader.next(&bytes) else { panic!("no entry") };
    assert!(bytes.as_ptr_range().contains(&stored.payload.as_ptr()));
}

#[test]
fn a_long_entry_is_split_and_joined() {
    let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let (bytes, tails) = written(&[b"a", &long, b"z"], 64);
    assert_eq!(bytes.len(), 1002 + (1 + 16 + 1) * HEADER);
    let (payloads, tail, fault) = read_all(&bytes, &tails[0]);
    assert_eq!(payloads, [&b"a"[..], &long, b"z"]);
    assert_eq!((tail, fault), (tails[3], None));
}

#[test]
fn an_unfinished_entry_is_not_given_and_the_tail_stays_before_it() {
    let (bytes, tails) = written(&[b"a", &[1; 300]], 100);
    for cut in tails[1].position.0 as usize..bytes.len() {
        let (payloads, tail, fault) = read_all(&bytes[..cut], &tails[0]);
        assert_eq!((payloads.len(), tail, fault), (1, tails[1], None), "cut at {cut}");
    }
}

#[test]
fn an_unfinished_entry_behind_which_another_begins_is_skipped_counted_and_stays_in_the_chain() {
    let (mut bytes, tails) = written(&[b"a", &[1; 300]], 100);
    let parts = tails[1].position.0 as usize + 2 * (HEADER + 100);
    bytes.truncate(parts);
    let mut reader = Reader::new(salt(), &tails[0]);
    let mut at = 0;
    while let Step::Entry { used, .. } | Step::Part { used } = reader.next(&bytes[at..]) {
        at += used;
    }
    let link =
        Header::read(salt(), Position((parts - HEADER - 100) as u64), &bytes[parts - HEADER - 100..]).unwrap().link;
    let behind = Tail { position: Position(parts as u64), link, ..tails[1] };
    let next = encode(salt(), &behind, Position(0), 100, &draft(&tails[1], 2, b"other"), &mut bytes).unwrap();
    let Step::Entry { stored, .. } = reader.next(&bytes[at..]) else { panic!("no entry") };
    assert_eq!((stored.payload, stored.author, stored.position), (&b"other"[..], Author(2), behind.position));
    assert_eq!((*reader.tail(), reader.aborted()), (next, 1));

    let unchained = Tail { position: behind.position, ..tails[1] };
    bytes.truncate(parts);
    encode(salt(), &unchained, Position(0), 100, &draft(&tails[1], 2, b"other"), &mut bytes).unwrap();
    assert_eq!(read_all(&bytes, &tails[0]).2, Some(Fault::Chain));
}

#[test]
fn a_seal_ends_what_can_be_read_until_it_is_passed() {
    let (mut bytes, tails) = written(&[b"a"], MAX_FRAME);
    let (seal, behind) = encode_seal(salt(), &tails[1], Position(0), Author(3));
    bytes.extend_from_slice(&seal);
    assert_eq!(behind.revision, tails[1].revision);
    assert_eq!(read_all(&bytes, &tails[0]), (vec![b"a".to_vec()], behind, None));
    let mut reader = Reader::new(salt(), &tails[1]);
    assert!(matches!(reader.next(&seal), Step::Seal { behind: found } if found == behind));
    assert_eq!(*reader.tail(), tails[1]);
}

// Hazard D19: the chain must link stored checksum fields; a checksum over bytes that end in their own checksum is
// the same number for all of them, and a chain of such numbers checks nothing.
#[test]
fn d19_two_frames_that_differ_have_links_that_differ() {
    let (mine, tails) = written(&[b"mine"], MAX_FRAME);
    let (other, others) = written(&[b"othr"], MAX_FRAME);
    assert_ne!(tails[1].link, others[1].link);
    // A second entry that was written behind the one does not follow the other, though all its own bytes are whole.
    let mut forked = other.clone();
    encode(salt(), &tails[1], Position(0), MAX_FRAME, &draft(&tails[1], 1, b"next"), &mut forked).unwrap();
    let (payloads, tail, fault) = read_all(&forked, &tails[0]);
    assert_eq!((payloads.len(), tail, fault), (1, others[1], Some(Fault::Chain)));
    assert_eq!(mine.len(), other.len());
}

#[test]
fn d19_the_first_frame_is_compared_with_the_tail_that_the_reader_was_given() {
    let (bytes, tails) = written(&[b"one", b"two"], MAX_FRAME);
    let second = &bytes[tails[1].position.0 as usize..];
    assert_eq!(read_all(second, &tails[1]).1, tails[2]);
    assert_eq!(read_all(second, &Tail { link: 1, ..tails[1] }).2, Some(Fault::Chain));
}

#[test]
fn a_frame_at_another_place_or_of_another_store_is_none() {
    let (bytes, tails) = written(&[b"a"], MAX_FRAME);
    let moved = Tail { position: Position(1), ..tails[0] };
    assert_eq!(read_all(&bytes, &moved).2, Some(Fault::Header));
    let foreign = Header::read(Salt::of(StoreId([8; 16])), Position(0), &bytes);
    assert_eq!(foreign, Err(Fault::Header));
}

#[test]
fn an_entry_that_does_not_continue_the_tail_is_not_written() {
    let at = Tail::empty(Position(0));
    let mut out = Vec::new();
    for (revision, next_id) in [(0, 4), (2, 4), (1, 0)] {
        let bad = Draft { revision: Revision(revision), next_id: TaskId(next_id), ..draft(&at, 1, b"x") };
        let good = draft(&at, 1, b"x");
        assert!(encode(salt(), &at, Position(0), MAX_FRAME, &bad, &mut out).is_err());
        assert!(out.is_empty());
        assert!(encode_all(salt(), &at, Position(0), MAX_FRAME, &[good.clone(), good, bad], &mut out, |_| ()).is_err());
        assert!(out.is_empty());
    }
}

#[test]
fn encode_all_tells_the_tail_behind_each() {
    let (_, tails) = written(&[b"a", b"b"], MAX_FRAME);
    let drafts = [draft(&tails[0], 1, b"a"), draft(&tails[1], 1, b"b")];
    let (mut out, mut told) = (Vec::new(), Vec::new());
    encode_all(salt(), &tails[0], Position(0), MAX_FRAME, &drafts, &mut out, |tail| told.push(tail.revision)).unwrap();
    assert_eq!(told, [Revision(1), Revision(2)]);
}

#[test]
fn a_row_is_one_frame_and_its_successor_stands_one_further() {
    let at = Tail::empty(Position(1));
    let (row, behind) = encode_row(salt(), &at, Position(9), &draft(&at, 1, &vec![5; 3 << 20])).unwrap();
    assert_eq!(row.len(), HEADER + (3 << 20));
    assert_eq!(behind.position, Position(2));
    let stored = read_row(salt(), &at, &row).unwrap();
    assert_eq!((stored.tail, stored.position, stored.durable), (behind, Position(1), Position(1)));
    assert_eq!(stored.payload, &row[HEADER..]);
    assert_eq!(read_row(salt(), &Tail { position: Position(2), ..at }, &row), Err(Fault::Header));
    assert_eq!(read_row(salt(), &at, &row[..row.len() - 1]), Err(Fault::Payload));
    assert_eq!(read_row(salt(), &at, &[row.clone(), vec![0]].concat()), Err(Fault::Payload));
}

#[test]
fn a_frame_that_follows_in_the_chain_and_not_in_number_is_refused() {
    let (bytes, tails) = written(&[b"one"], MAX_FRAME);
    let header = Header::read(salt(), Position(0), &bytes).unwrap();
    let refused = |header: Header| {
        let mut changed = header.write(salt(), Position(0)).0.to_vec();
        changed.extend_from_slice(b"one");
        read_all(&changed, &tails[0]).2
    };
    assert_eq!(refused(header), None);
    assert_eq!(refused(Header { revision: Revision(2), ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { next_id: TaskId(0), ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { part: 2, ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { part: 3, ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { part: 4, ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { durable: Position(1), ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { kind: 0, ..header }), Some(Fault::Future));
    assert_eq!(refused(Header { kind: SEAL, ..header }), Some(Fault::Order));
    assert_eq!(refused(Header { previous: 1, ..header }), Some(Fault::Chain));
}

#[test]
fn every_flipped_bit_is_found() {
    let (bytes, tails) = written(&[b"first", b"second", b"third"], 4);
    let whole = read_all(&bytes, &tails[0]).0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let (payloads, _, fault) = read_all(&damaged, &tails[0]);
            assert!(fault.is_some(), "byte {at} bit {bit}");
            assert!(whole.starts_with(&payloads), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_length_is_not_believed_before_the_header_is_whole() {
    let (mut bytes, tails) = written(&[b"a"], MAX_FRAME);
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read_all(&bytes, &tails[0]).2, Some(Fault::Header));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<u64>()) {
        let from = Tail { position: Position(at), revision: Revision(at), next_id: TaskId(at), link: 0 };
        prop_assert!(read_all(&bytes, &from).0.is_empty());
    }

    #[test]
    fn what_is_written_is_read(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        max_frame in 1..300_usize,
    ) {
        let slices: Vec<&[u8]> = payloads.iter().map(|payload| &payload[..]).collect();
        let (bytes, tails) = written(&slices, max_frame);
        let (found, tail, fault) = read_all(&bytes, &tails[0]);
        prop_assert_eq!(found, payloads);
        prop_assert_eq!((tail, fault), (tails[tails.len() - 1], None));
    }
}
