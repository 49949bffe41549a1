//! The quick spelling against postcard's.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{entry::RequestMark, state::dice::Dice};

const NUMBERS: [u64; 16] = [
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    (1 << 28) - 1,
    1 << 28,
    (1 << 35) + 5,
    1_700_000_000_000,
    (1 << 53) - 1,
    (1 << 56) - 1,
    1 << 56,
    1 << 62,
    (1 << 63) - 1,
    u64::MAX,
];

fn any(dice: &mut Dice) -> u64 {
    NUMBERS[dice.below(16) as usize]
}

fn some(dice: &mut Dice) -> Option<Cow<'static, str>> {
    let texts = ["", "k", "größer", "a text of more than a few bytes, to be read back as it is"];
    [None, Some(Cow::Borrowed(texts[dice.below(4) as usize]))][dice.below(2) as usize].clone()
}

fn image(dice: &mut Dice) -> Image<'static> {
    Image {
        id: TaskId(any(dice)),
        origin: TaskId(any(dice)),
        group: some(dice).unwrap_or_default(),
        key: some(dice),
        available_at: any(dice),
        added_at: any(dice),
        owner: OwnerId(any(dice)),
        attempt: any(dice) as u32,
        failures: any(dice) as u32,
        error: some(dice),
        data: Cow::Owned(alloc::vec![7; [0, 1, 32, 127, 128, 20_000][dice.below(6) as usize]]),
    }
}

fn op(dice: &mut Dice) -> Op<'static> {
    match dice.below(6) {
        0 => Op::Save { replaces: TaskId(any(dice)), task: image(dice) },
        1 => Op::Retitle(Retitle {
            old: TaskId(any(dice)),
            id: TaskId(any(dice)),
            available_at: any(dice),
            owner: OwnerId(any(dice)),
            attempt: any(dice) as u32,
            failures: any(dice) as u32,
            group: some(dice),
            error: some(dice),
        }),
        2 => {
            let reasons = ["deleted", "finished", "failed", "cancelled", "moved", "replaced"];
            let reason = Reason::from_slug(reasons[dice.below(6) as usize]).unwrap();
            Op::Remove { id: TaskId(any(dice)), reason }
        }
        3 => Op::Put {
            table: some(dice).unwrap_or_default(),
            key: some(dice).unwrap_or_default(),
            expires_at: any(dice),
            value: image(dice).data,
        },
        4 => Op::RemoveRecord { table: some(dice).unwrap_or_default(), key: some(dice).unwrap_or_default() },
        _ => Op::Level(any(dice) as u32),
    }
}

fn head(dice: &mut Dice) -> EntryHead<'static> {
    let mark = RequestMark {
        id: some(dice).unwrap_or_default(),
        fingerprint: any(dice),
        ids: alloc::vec![(any(dice), any(dice) as u32)],
        counts: alloc::vec![-1, 5],
    };
    EntryHead {
        now: any(dice),
        owner: OwnerId(any(dice)),
        actor: some(dice).unwrap_or_default(),
        request: [None, Some(mark)][dice.below(2) as usize].clone(),
        ops: any(dice) as u32,
    }
}

#[test]
fn what_is_written_here_is_what_postcard_writes() {
    let mut dice = Dice::new(1);
    for _ in 0..5_000 {
        let (op, head, image) = (op(&mut dice), head(&mut dice), image(&mut dice));
        let mut out = Vec::new();
        put_op(&mut out, &op);
        assert_eq!(out, postcard::to_allocvec(&op).unwrap(), "{op:?}");
        out.clear();
        crate::entry::write_head(&mut out, &head);
        assert_eq!(out, postcard::to_allocvec(&head).unwrap(), "{head:?}");
        out.clear();
        put_image(&mut out, &image);
        assert_eq!(out, postcard::to_allocvec(&image).unwrap(), "{image:?}");
    }
}

/// Whether what `quick` reads, if it reads anything, is what postcard reads.
fn same<'a, T: PartialEq + core::fmt::Debug + serde::Deserialize<'a>>(
    bytes: &'a [u8],
    quick: impl Fn(&mut Rest<'a>) -> Option<T>,
) -> bool {
    let mut rest = Rest(bytes);
    let Some(found) = quick(&mut rest) else { return false };
    let (expected, behind) = postcard::take_from_bytes::<T>(bytes).unwrap();
    assert_eq!((found, rest.0), (expected, behind));
    true
}

#[test]
fn what_is_read_here_is_what_postcard_reads_whatever_the_bytes() {
    let mut dice = Dice::new(2);
    let (mut read, mut damaged) = (0, 0);
    for _ in 0..5_000 {
        let mut out = Vec::new();
        put_op(&mut out, &op(&mut dice));
        crate::entry::write_head(&mut out, &head(&mut dice));
        read += usize::from(same(&out, Rest::op));
        let at = dice.below(out.len() as u64) as usize;
        out[at] = dice.roll() as u8;
        damaged += usize::from(same(&out, Rest::op));
        same(&out[..at], Rest::op);
        out.clear();
        crate::entry::write_head(&mut out, &head(&mut dice));
        same(&out, Rest::head);
        let at = dice.below(out.len() as u64) as usize;
        out[at] = dice.roll() as u8;
        same(&out, Rest::head);
        out.clear();
        put_image(&mut out, &image(&mut dice));
        same(&out, Rest::image);
        let at = dice.below(out.len() as u64) as usize;
        out[at] ^= 1 << dice.below(8);
        same(&out, Rest::image);
    }
    assert!(read > 1_000 && damaged > 500, "{read} ops were read, {damaged} of them damaged");
}

#[test]
fn a_number_that_is_longer_than_it_need_be_is_read_and_one_that_does_not_fit_is_refused() {
    use crate::entry::Payload;
    let read = |now: &[u8], ops: &[u8]| {
        let bytes = [now, &[0x81, 0x00], &[0x81, 0x80, 0x00], b"a", &[0], ops].concat();
        Payload::read(&bytes).map(|payload| (payload.head.now, payload.head.owner.0, payload.head.actor.len())).ok()
    };
    let five: [&[u8]; 4] =
        [&[5], &[0x85, 0x00], &[0x85, 0x80, 0x80, 0x00], &[0x85, 128, 128, 128, 128, 128, 128, 128, 128, 0]];
    let none: [&[u8]; 3] = [&[0], &[0x80, 0x00], &[0x80, 0x80, 0x80, 0x80, 0x00]];
    for now in five {
        for ops in none {
            assert_eq!(read(now, ops), Some((5, 1, 1)), "{now:x?} {ops:x?}");
        }
    }
    let too_long: [&[u8]; 2] =
        [&[0x85, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]];
    assert_eq!(too_long.map(|now| read(now, &[0])), [None, None]);
    let too_large: [&[u8]; 2] = [&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], &[0xff, 0xff, 0xff, 0xff, 0x10]];
    assert_eq!(too_large.map(|ops| read(&[5], ops)), [None, None]);
}
