//! The archive's bytes.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::damaged;
use crate::error::Result;

const BLOCK: usize = 512;

/// An archive of these files.
pub fn write(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        out.extend_from_slice(&header(name, bytes.len()));
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn header(name: &str, len: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, &name.as_bytes()[..name.len().min(99)]);
    put(100, b"0000600\x000000000\x000000000\0");
    put(124, format!("{len:011o}\0").as_bytes());
    put(136, b"00000000000\0        0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The files of an archive, by the last part of their names.
pub fn read(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut rest = archive;
    while let Some((block, behind)) = rest.split_at_checked(BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let blank: u32 = block[148..156].iter().map(|byte| u32::from(*byte)).sum();
        if octal(&block[148..156]) != Some(u64::from(sum - blank + 8 * 32)) {
            return Err(damaged("a header has another checksum than it says"));
        }
        let len = octal(&block[124..136]).and_then(|len| usize::try_from(len).ok());
        let len = len.filter(|len| *len <= behind.len()).ok_or_else(|| damaged("it ends too early"))?;
        let name: Vec<u8> = block[..100].iter().copied().take_while(|byte| *byte != 0).collect();
        let name = String::from_utf8(name).map_err(|_| damaged("a name is no text"))?;
        if matches!(block[156], b'0' | 0) {
            let name = name.rsplit('/').next().unwrap_or_default();
            files.insert(String::from(name), behind[..len].to_vec());
        }
        rest = behind.get(len.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Err(damaged("it ends too early"))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(|c| c == '\0' || c == ' '), 8).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Code;

    #[test]
    fn files_come_back() {
        let files: BTreeMap<String, Vec<u8>> =
            [("a", Vec::new()), ("b.seg", Vec::from([7; 513]))].map(|(name, bytes)| (name.into(), bytes)).into();
        let archive = write(&files);
        assert_eq!(archive.len() % BLOCK, 0);
        assert_eq!(read(&archive).unwrap(), files);
    }

    #[test]
    fn what_is_cut_or_changed_in_a_header_is_refused() {
        let archive = write(&[("b.seg".into(), Vec::from([7; 600]))].into());
        for len in 0..archive.len() - 2 * BLOCK {
            assert_eq!(read(&archive[..len]).unwrap_err().code(), Code::Invalid, "{len} bytes");
        }
        for at in 0..BLOCK {
            let mut archive = archive.clone();
            archive[at] ^= 1;
            assert!(read(&archive).is_err(), "byte {at}");
        }
    }
}
