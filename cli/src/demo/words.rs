//! Counting words, and dealing them to parts.

use std::collections::BTreeMap;

/// Words and how often each stands there, in the order of the alphabet.
pub type Counts = BTreeMap<String, u64>;

/// Bytes of a word that count; the rest of a longer one is cut, so that it can be a record's key.
const LONGEST: usize = 200;

/// Adds the words of a text to what was counted before. A word is a run of letters and digits, in small letters.
pub fn count(text: &[u8], counts: &mut Counts) {
    let text = String::from_utf8_lossy(text);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut word = word.to_lowercase();
        word.truncate(word.floor_char_boundary(LONGEST));
        *counts.entry(word).or_default() += 1;
    }
}

/// Adds one count to another.
pub fn merge(counts: &mut Counts, more: Counts) {
    for (word, n) in more {
        *counts.entry(word).or_default() += n;
    }
}

/// The part that counts a word: the same one whoever asks.
fn part_of(word: &str, parts: u64) -> u64 {
    let hash = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash % parts.max(1)
}

/// Deals words to their parts.
pub fn deal(counts: Counts, parts: u64) -> BTreeMap<u64, Counts> {
    let mut dealt: BTreeMap<u64, Counts> = BTreeMap::new();
    for (word, n) in counts {
        dealt.entry(part_of(&word, parts)).or_default().insert(word, n);
    }
    dealt
}
