//! The data of tasks: small pieces in blocks of a few sizes, large ones shared with the callers.
//!
//! ```text
//! class  16 32 … 128 | 160 192 224 256 | 320 … | … 4096      bytes a block, four steps an octave above 128
//! page   256 blocks of one class; a vacant block's first four bytes name the next vacant one
//! large  anything above 4096 bytes: an Arc, so that a claim of 10 MiB copies nothing
//! ```
//!
//! A block costs no header and no pointer: its class follows from the length, which the task holds anyway.

use alloc::{boxed::Box, sync::Arc, vec, vec::Vec};

use super::slab::{NONE, Slab, Vacant};
use crate::data::Data;

/// The largest piece that lives in a block.
pub const BLOCK_MAX: usize = 4096;
const BLOCKS: usize = 256;
const CLASSES: usize = 28;

/// Blocks and large pieces.
#[derive(Debug, Default)]
pub struct Arena {
    classes: [Class; CLASSES],
    large: Slab<Large>,
}

#[derive(Debug)]
struct Class {
    pages: Vec<Box<[u8]>>,
    vacant: u32,
    used: u32,
}

impl Default for Class {
    fn default() -> Self {
        Self { pages: Vec::new(), vacant: NONE, used: 0 }
    }
}

#[derive(Debug)]
enum Large {
    Live(Arc<[u8]>),
    Vacant(u32),
}

impl Vacant for Large {
    fn vacant(next: u32) -> Self {
        Self::Vacant(next)
    }

    fn next_vacant(&self) -> Option<u32> {
        match self {
            Self::Live(_) => None,
            Self::Vacant(next) => Some(*next),
        }
    }
}

/// The class of a length from 1 to [`BLOCK_MAX`], and its block size.
fn class(len: usize) -> (usize, usize) {
    if len <= 128 {
        let class = (len - 1) / 16;
        return (class, (class + 1) * 16);
    }
    // Four steps an octave: 160 192 224 256, 320 384 448 512, …
    let octave = (usize::BITS - (len - 1).leading_zeros()) as usize - 1;
    let step = 1usize << (octave - 2);
    let steps = (len - (1 << octave)).div_ceil(step);
    (8 + (octave - 7) * 4 + steps - 1, (1 << octave) + steps * step)
}

impl Arena {
    /// The bytes that a piece of this length takes up.
    pub fn footprint(len: usize) -> usize {
        match len {
            0 => 0,
            1..=BLOCK_MAX => class(len).1,
            _ => len + 48,
        }
    }

    /// Stores a piece; the handle means nothing without its length.
    pub fn store(&mut self, bytes: &[u8]) -> u32 {
        match bytes.len() {
            0 => NONE,
            1..=BLOCK_MAX => {
                let (at, size) = class(bytes.len());
                let class = &mut self.classes[at];
                let block = if class.vacant != NONE {
                    let block = class.vacant;
                    let place = class.block(block, size);
                    class.vacant = u32::from_le_bytes([place[0], place[1], place[2], place[3]]);
                    block
                } else {
                    if class.used as usize == class.pages.len() * BLOCKS {
                        class.pages.push(vec![0; BLOCKS * size].into_boxed_slice());
                    }
                    class.used += 1;
                    class.used - 1
                };
                class.block(block, size)[..bytes.len()].copy_from_slice(bytes);
                block
            }
            _ => self.large.insert(Large::Live(bytes.into())),
        }
    }

    /// The piece, to read.
    pub fn bytes(&self, handle: u32, len: usize) -> &[u8] {
        match len {
            0 => &[],
            1..=BLOCK_MAX => {
                let (at, size) = class(len);
                let start = handle as usize % BLOCKS * size;
                &self.classes[at].pages[handle as usize / BLOCKS][start..start + len]
            }
            _ => match &self.large[handle] {
                Large::Live(bytes) => bytes,
                Large::Vacant(_) => &[],
            },
        }
    }

    /// The piece, to keep: a copy of a small one, a share of a large one.
    pub fn data(&self, handle: u32, len: usize) -> Data {
        if len > BLOCK_MAX
            && let Large::Live(bytes) = &self.large[handle]
        {
            return Data::from(bytes.clone());
        }
        self.bytes(handle, len).into()
    }

    /// Lets go of a piece.
    pub fn free(&mut self, handle: u32, len: usize) {
        match len {
            0 => {}
            1..=BLOCK_MAX => {
                let (at, size) = class(len);
                let class = &mut self.classes[at];
                let next = class.vacant.to_le_bytes();
                class.block(handle, size)[..4].copy_from_slice(&next);
                class.vacant = handle;
            }
            _ => {
                self.large.remove(handle);
            }
        }
    }
}

impl Class {
    fn block(&mut self, block: u32, size: usize) -> &mut [u8] {
        let start = block as usize % BLOCKS * size;
        &mut self.pages[block as usize / BLOCKS][start..start + size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_a_class_that_holds_it_and_wastes_little() {
        let mut last = 0;
        for len in 1..=BLOCK_MAX {
            let (at, size) = class(len);
            assert!(size >= len && at < CLASSES, "{len} -> class {at} of {size}");
            assert!(size - len < 16.max(len / 4 + 1), "{len} in {size} wastes too much");
            assert!(at >= last);
            last = at;
        }
        assert_eq!(last, CLASSES - 1);
    }

    #[test]
    fn what_was_stored_is_read_back_and_freed_blocks_are_used_again() {
        let mut arena = Arena::default();
        let pieces: Vec<Vec<u8>> = (0..2_000usize).map(|i| vec![i as u8; i * 7 % 6000]).collect();
        for _ in 0..3 {
            let handles: Vec<u32> = pieces.iter().map(|piece| arena.store(piece)).collect();
            for (piece, handle) in pieces.iter().zip(&handles) {
                assert_eq!(arena.bytes(*handle, piece.len()), &piece[..]);
                assert_eq!(&*arena.data(*handle, piece.len()), &piece[..]);
            }
            for (piece, handle) in pieces.iter().zip(&handles) {
                arena.free(*handle, piece.len());
            }
        }
        let used: u32 = arena.classes.iter().map(|class| class.used).sum();
        assert!(used as usize <= pieces.len(), "{used} blocks for {} pieces", pieces.len());
        assert_eq!(arena.large.len(), 0);
    }
}
