//! CRC-32 (IEEE 802.3) with one table of 1 KiB: as much of `crc32fast` as Tenure calls.
#![no_std]
#![forbid(unsafe_code)]

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// A checksum in the making.
#[derive(Clone, Debug, Default)]
pub struct Hasher(u32);

impl Hasher {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Of something that has this checksum.
    pub const fn new_with_initial(sum: u32) -> Self {
        Self(sum)
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let step = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
        self.0 = !bytes.iter().fold(!self.0, step);
    }

    /// The checksum.
    pub const fn finalize(self) -> u32 {
        self.0
    }
}

/// The checksum of these bytes.
pub fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_standard_comes_out() {
        assert_eq!(super::hash(b"123456789"), 0xCBF4_3926);
        let mut hasher = super::Hasher::new_with_initial(super::hash(b"1234"));
        hasher.update(b"56789");
        assert_eq!(hasher.finalize(), 0xCBF4_3926);
    }
}
