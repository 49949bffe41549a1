//! The digest of a state: a sum over its items, so that it is kept live and the order of changes does not matter.
//!
//! digest = Σ hash(item) mod 2^64, over all tasks and records. Two handles at the same revision have the same
//! digest, and a fuzzy snapshot must have reached it when its replay ends. It is no defence against an adversary.

/// Multiplies into 128 bits and folds (the step of wyhash, Wang Yi 2019).
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

const K: [u64; 4] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3];

/// The hash of an item, given as numbers in a fixed order.
pub fn item<const N: usize>(numbers: [u64; N]) -> u64 {
    let mut hash = K[3] ^ N as u64;
    let mut pairs = numbers.chunks_exact(2);
    for pair in &mut pairs {
        hash = fold(hash ^ pair[0] ^ K[0], pair[1] ^ K[1]);
    }
    for number in pairs.remainder() {
        hash = fold(hash ^ number ^ K[0], K[2]);
    }
    fold(hash ^ K[2], K[1])
}

/// The hash of a text: eight bytes at a time, little-endian, zero-filled, then the length.
pub fn text(text: &str) -> u64 {
    bytes(text.as_bytes())
}

/// The hash of bytes, as that of a text.
pub fn bytes(bytes: &[u8]) -> u64 {
    let mut hash = K[2];
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = fold(hash ^ u64::from_le_bytes(word) ^ K[0], K[1]);
    }
    fold(hash ^ bytes.len() as u64, K[3])
}
