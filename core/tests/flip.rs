//! One bit of a small store is flipped: at every byte of every file, in turn. Before the durable mark that is refused,
//! unless the state is the very same without it; behind the mark a prefix may be left. Never another state.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod life;

use std::collections::BTreeMap;

use life::{Life, NOW, is_refusal, named, open};
use tenure_core::{
    Result,
    bytelog::Disk as _,
    testing::{SimDisk, Survive},
};

/// Up to there all eight bits of a byte are flipped, further on one of them.
const HEADS: usize = 160;

struct Small {
    disk: SimDisk,
    digests: BTreeMap<u64, u64>,
    /// The last revision that is durable, and the last of all.
    durable: u64,
    last: u64,
}

/// Segments, two snapshots, and a tail that no sync covered.
fn small() -> Small {
    let disk = SimDisk::new();
    let (watch, other) = (disk.process(), disk.process());
    let mut life = Life::begin(vec![disk, other]).unwrap();
    for step in [0, 1, 3, 9, 10, 2, 11, 6, 10, 12, 8, 22] {
        life.step(step).unwrap();
    }
    let durable = life.known.acked;
    for step in [33, 44, 55] {
        life.step_unsynced(step).unwrap();
    }
    let last = *life.known.digests.keys().max().unwrap();
    assert!(last >= durable + 3, "{:?}", life.known);
    let files = watch.files();
    assert!(named(&files, "snap").len() == 2 && named(&files, "seg").len() > 1, "{files:?}");
    Small { disk: watch.after_crash(Survive::Kept), digests: life.known.digests, durable, last }
}

/// What was opened after a flip: nothing, or a revision.
fn opened(small: &Small, flipped: SimDisk, what: &str) -> Option<u64> {
    let driver: Result<_> = open(flipped, 7);
    match driver {
        Ok(driver) => {
            let state = driver.engine().state();
            let revision = state.revision().0;
            let digest = small.digests.get(&revision).copied();
            assert!(
                revision >= small.durable && digest.is_none_or(|digest| digest == state.digest()),
                "{what}: {state:?}"
            );
            state.check().unwrap_or_else(|error| panic!("{what}: {error}"));
            Some(revision)
        }
        Err(error) => {
            assert!(is_refusal(error.code()), "{what}: {error:?}");
            None
        }
    }
}

fn bits(at: usize) -> impl Iterator<Item = u32> {
    let one = at as u32 * 5 % 8;
    (0..8).filter(move |bit| at < HEADS || *bit == one)
}

#[test]
fn a_flip_of_any_byte_of_any_file_is_refused_or_changes_nothing_that_was_durable() {
    let small = small();
    let last = named(&small.disk.files(), "seg").pop().unwrap();
    let (mut refused, mut shortened, mut same) = (0, 0, 0);
    for name in small.disk.files() {
        for at in 0..small.disk.bytes(&name).len() {
            for bit in bits(at) {
                let flipped = small.disk.after_crash(Survive::Kept);
                flipped.edit(&name, |bytes| bytes[at] ^= 1 << bit);
                let what = format!("bit {bit} of byte {at} of {name}");
                match opened(&small, flipped, &what) {
                    None => refused += 1,
                    Some(revision) if revision == small.last => same += 1,
                    Some(_) => {
                        assert_eq!(name, last, "{what}: only what no sync covered may be dropped");
                        shortened += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 500 && shortened > 50 && same > 50, "{refused} refused, {shortened} shortened, {same} the same");
}

#[test]
fn a_flip_of_any_bit_of_the_watermark_changes_nothing() {
    let small = small();
    let shared = small.disk.after_crash(Survive::Kept).read_shared().unwrap();
    assert_ne!(shared, [0; 64]);
    for bit in 0..512 {
        let mut flipped = small.disk.after_crash(Survive::Kept);
        let mut bytes = shared;
        bytes[bit / 8] ^= 1 << (bit % 8);
        flipped.write_shared(&bytes).unwrap();
        assert_eq!(opened(&small, flipped, &format!("bit {bit} of the watermark")), Some(small.last));
    }
}

#[test]
fn a_running_handle_refuses_what_was_damaged_before_it_read_that_and_reads_no_wrong_state() {
    let small = small();
    let last = named(&small.disk.files(), "seg").pop().unwrap();
    let len = small.disk.bytes(&last).len();
    for offset in 0..200 {
        // The handle stands at the end of what was; another appends, and a bit of that flips before it is read.
        let disk = small.disk.after_crash(Survive::Kept);
        let (own, other) = (disk.process(), disk.process());
        let mut reader = open(own, 7).unwrap();
        let mut writer = Life::begin(vec![other]).unwrap();
        writer.step(0).unwrap();
        let grown = disk.bytes(&last).len();
        assert!(grown > len, "the segment was ended: {grown}");
        let at = len + offset % (grown - len);
        disk.edit(&last, |bytes| bytes[at] ^= 1 << (at % 8));
        let caught_up = reader.catch_up(&|| NOW);
        let revision = reader.engine().state().revision().0;
        assert_eq!(revision, small.last, "a flip at {at}: {caught_up:?}");
        assert_eq!(reader.engine().state().digest(), small.digests[&small.last]);
    }
}
