//! Writing frames.

use alloc::{format, vec::Vec};

use super::{
    HEADER, SEAL,
    header::{Header, Part, Salt},
};
use crate::{
    error::{Code, Error, Result},
    id::{Author, Position},
    port::{Draft, Tail},
};

/// Writes an entry behind `at`, in frames of at most `max_frame` bytes of payload, to the end of `out`. Answers
/// with the tail behind it, whose position counts bytes.
///
/// An entry that does not continue the tail is `Code::Internal`, and nothing is written.
pub fn encode(
    salt: Salt,
    at: &Tail,
    durable: Position,
    max_frame: usize,
    draft: &Draft,
    out: &mut Vec<u8>,
) -> Result<Tail> {
    if draft.revision.0 != at.revision.0.wrapping_add(1) || draft.next_id < at.next_id {
        return Err(Error::new(
            Code::Internal,
            format!(
                "an entry with revision {} and next id {} does not continue revision {} and next id {}; report this",
                draft.revision, draft.next_id, at.revision, at.next_id
            ),
        ));
    }
    let max_frame = max_frame.clamp(1, u32::MAX as usize);
    let frames = draft.payload.len().div_ceil(max_frame).max(1);
    out.reserve(draft.payload.len().saturating_add(frames.saturating_mul(HEADER)));
    let mut tail = *at;
    let mut rest = &draft.payload[..];
    for frame in 0..frames {
        let (payload, behind) = rest.split_at(rest.len().min(max_frame));
        rest = behind;
        let part = match (frame == 0, frame + 1 == frames) {
            (true, true) => Part::Whole,
            (true, false) => Part::First,
            (false, false) => Part::Middle,
            (false, true) => Part::Last,
        };
        let header = Header {
            kind: draft.kind as u8,
            part: part as u8,
            length: payload.len() as u32,
            previous: tail.link,
            revision: draft.revision,
            next_id: draft.next_id,
            author: draft.author,
            durable: durable.min(at.position),
            payload: crc32fast::hash(payload),
            link: 0,
        };
        let (bytes, link) = header.write(salt, tail.position);
        out.extend_from_slice(&bytes);
        out.extend_from_slice(payload);
        tail.position.0 = tail.position.0.saturating_add((HEADER + payload.len()) as u64);
        tail.link = link;
    }
    tail.revision = draft.revision;
    tail.next_id = draft.next_id;
    Ok(tail)
}

/// Writes entries one behind the other, as [`encode`] does, and tells `each` the tail behind each of them.
/// Where one of them does not continue the one before, `out` is as it was.
pub fn encode_all(
    salt: Salt,
    at: &Tail,
    durable: Position,
    max_frame: usize,
    drafts: &[Draft],
    out: &mut Vec<u8>,
    mut each: impl FnMut(&Tail),
) -> Result<Tail> {
    let before = out.len();
    let mut tail = *at;
    for draft in drafts {
        match encode(salt, &tail, durable, max_frame, draft, out) {
            Ok(behind) => tail = behind,
            Err(error) => {
                out.truncate(before);
                return Err(error);
            }
        }
        each(&tail);
    }
    Ok(tail)
}

/// The row of an entry: one frame, which stands at the tail's position; the next row stands one further.
pub fn encode_row(salt: Salt, at: &Tail, durable: Position, draft: &Draft) -> Result<(Vec<u8>, Tail)> {
    if u32::try_from(draft.payload.len()).is_err() {
        return Err(Error::new(
            Code::OverLimit,
            format!("an entry of {} bytes does not fit into a row of 4 GiB: split it", draft.payload.len()),
        ));
    }
    let mut row = Vec::new();
    let mut tail = encode(salt, at, durable, usize::MAX, draft, &mut row)?;
    tail.position = Position(at.position.0.saturating_add(1));
    Ok((row, tail))
}

/// The seal that ends a segment behind `at`, and the tail behind it.
pub fn encode_seal(salt: Salt, at: &Tail, durable: Position, author: Author) -> ([u8; HEADER], Tail) {
    let header = Header {
        kind: SEAL,
        part: Part::Whole as u8,
        length: 0,
        previous: at.link,
        revision: at.revision,
        next_id: at.next_id,
        author,
        durable: durable.min(at.position),
        payload: crc32fast::hash(&[]),
        link: 0,
    };
    let (bytes, link) = header.write(salt, at.position);
    let position = Position(at.position.0.saturating_add(HEADER as u64));
    (bytes, Tail { position, link, ..*at })
}
