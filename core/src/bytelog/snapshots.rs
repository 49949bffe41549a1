//! Snapshots as files: written under another name, synced, renamed, and the name synced.
//!
//! ```text
//!   header   0 magic 4 "TNSP" · 4 format 1 · 5 reserved 3 · 8 store 16 · 24 end 8 · 32 author 8 · 40 CRC-32 4
//!   piece    0 length 4 · 4 CRC-32 of the piece 4 · 8 bytes …            as many as were given
//!   trailer  0 length 4, 0 · 4 magic "TNSE" · 8 bytes of all pieces 8 · 16 CRC-32 of the header's checksum, all the
//!            pieces' checksums and bytes 0..16 of the trailer 4
//! ```
//!
//! A file without its trailer is no snapshot.

use alloc::{format, string::String, vec::Vec};

use crc32fast::Hasher;

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
};
use crate::{
    error::{Code, Error, Result},
    id::{Author, Revision, StoreId},
    port::{Piece, Pieces, SnapshotName},
};

pub(super) const SUFFIX: &str = ".snap";
const HEADER: usize = 44;
const TRAILER: usize = 20;
const MAGIC: [u8; 8] = *b"TNSP\x01\0\0\0";
const END: [u8; 8] = *b"\0\0\0\0TNSE";

/// Bytes that are synced together. A file system may have to write all that is new before it can answer any sync, so
/// that a commit beside a snapshot would wait for the whole of it.
const STEP: u64 = 1 << 20;

/// The file of a snapshot.
pub(super) fn name(of: SnapshotName) -> String {
    format!("{:020}-{:016x}{SUFFIX}", of.end.0, of.author.0)
}

/// The snapshot in a file of this name.
pub(super) fn parse(file: &str) -> Option<SnapshotName> {
    let (end, author) = file.strip_suffix(SUFFIX)?.split_once('-')?;
    let found =
        SnapshotName { end: Revision(end.parse().ok()?), author: Author(u64::from_str_radix(author, 16).ok()?) };
    (name(found) == file).then_some(found)
}

fn header(store: StoreId, of: SnapshotName) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(&store.0);
    bytes[24..32].copy_from_slice(&of.end.0.to_le_bytes());
    bytes[32..40].copy_from_slice(&of.author.0.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..40]);
    bytes[40..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn trailer(total: u64, mut sums: Hasher) -> [u8; TRAILER] {
    let mut bytes = [0; TRAILER];
    bytes[..8].copy_from_slice(&END);
    bytes[8..16].copy_from_slice(&total.to_le_bytes());
    sums.update(&bytes[..16]);
    bytes[16..].copy_from_slice(&sums.finalize().to_le_bytes());
    bytes
}

/// The checksum that the header's is the first of.
fn sums_of(header: &[u8; HEADER]) -> Hasher {
    let mut sums = Hasher::new();
    sums.update(&header[40..]);
    sums
}

fn damaged(of: SnapshotName) -> Error {
    let file = name(of);
    Error::new(Code::Corrupt, format!("snapshot {file} is damaged: remove it, an older one will do"))
}

/// Writes what is given as it comes. The header is written last, since the name stands in it.
fn write<F: DiskFile>(file: &F, store: StoreId, pieces: Pieces<'_>) -> Result<SnapshotName> {
    let (mut at, mut total, mut synced) = (HEADER as u64, 0, 0);
    // The checksums of the pieces, to be summed behind the header's.
    let mut found = Vec::new();
    let of = loop {
        let given = match pieces()? {
            Piece::Bytes(given) => given,
            Piece::Name(of) => break of,
        };
        for piece in given.chunks(u32::MAX as usize) {
            let sum = crc32fast::hash(piece).to_le_bytes();
            found.extend_from_slice(&sum);
            let mut head = [0; 8];
            head[..4].copy_from_slice(&(piece.len() as u32).to_le_bytes());
            head[4..].copy_from_slice(&sum);
            file.write_at(at, &head)?;
            file.write_at(at + 8, piece)?;
            at += 8 + piece.len() as u64;
            total += piece.len() as u64;
            if at - synced >= STEP {
                file.sync()?;
                synced = at;
            }
        }
    };
    let header = header(store, of);
    let mut sums = sums_of(&header);
    sums.update(&found);
    file.write_at(at, &trailer(total, sums))?;
    file.write_at(0, &header)?;
    file.sync()?;
    Ok(of)
}

fn read_exactly<F: DiskFile>(file: &F, of: SnapshotName, at: u64, into: &mut [u8]) -> Result<()> {
    if file.read_at(at, into)? == into.len() { Ok(()) } else { Err(damaged(of)) }
}

impl<D: Disk> ByteLog<D> {
    pub(super) fn write_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()> {
        self.check_writable()?;
        let attempt = self.next_attempt();
        // Where it ends is not known yet: meanwhile it has the name of where it began.
        let begun = SnapshotName { end: self.tail.revision, author: self.options.author };
        let temporary = format!("{}.{:016x}-{attempt}.tmp", name(begun), self.options.author.0);
        let file = self.disk.create(&temporary)?;
        let written = write(&*file, self.store, pieces).and_then(|of| self.disk.rename(&temporary, &name(of)));
        if let Err(error) = written {
            // What is left only takes space; the next snapshot removes it.
            let _ = self.disk.remove(&temporary);
            self.spend_reserve(&error);
            return Err(error.context("the snapshot was not published"));
        }
        self.disk.sync_names()?;
        for old in self.disk.names()? {
            let other = old.strip_suffix(".tmp").and_then(|old| old.rsplit_once('.')).and_then(|(own, _)| parse(own));
            if other.is_some_and(|other| other.end <= begun.end) {
                // It was begun before this one, and its author died over it, or is late with it.
                let _ = self.disk.remove(&old);
            }
        }
        Ok(())
    }

    pub(super) fn list_snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        self.check_open()?;
        let mut found = Vec::new();
        for name in self.disk.names()?.iter().filter_map(|name| parse(name)) {
            if self.is_ours(name)? {
                found.push(name);
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// Whether a snapshot is of this store and this format; a damaged one is, for all that is known. Its bytes are checked
    /// when they are read.
    fn is_ours(&mut self, of: SnapshotName) -> Result<bool> {
        let file = match self.disk.open(&name(of)) {
            Ok(file) => file,
            Err(error) if error.code() == Code::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut head = [0; HEADER];
        let read = file.read_at(0, &mut head)?;
        let whole = read == HEADER && head[40..] == crc32fast::hash(&head[..40]).to_le_bytes();
        Ok(!whole || head[..24] == header(self.store, of)[..24])
    }

    /// Whether a snapshot's header, the heads of its pieces and its trailer are whole. The pieces' bytes are not read.
    pub(super) fn is_framed(&mut self, of: SnapshotName) -> Result<bool> {
        let file = self.disk.open(&name(of))?;
        let (len, _) = file.len()?;
        let mut first = [0; HEADER];
        if file.read_at(0, &mut first)? < HEADER || first != header(self.store, of) {
            return Ok(false);
        }
        let (mut at, mut total, mut sums) = (HEADER as u64, 0, sums_of(&first));
        loop {
            let (mut head, mut tail) = ([0; 8], [0; TRAILER]);
            if file.read_at(at, &mut head)? < head.len() {
                return Ok(false);
            }
            if head == END {
                let read = file.read_at(at, &mut tail)?;
                return Ok(read == TRAILER && tail == trailer(total, sums) && len == at + TRAILER as u64);
            }
            let [a, b, c, d, sum @ ..] = head;
            let length = u64::from(u32::from_le_bytes([a, b, c, d]));
            sums.update(&sum);
            at += 8 + length;
            total += length;
        }
    }

    pub(super) fn visit_snapshot(
        &mut self,
        of: SnapshotName,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.check_open()?;
        let file = self.disk.open(&name(of))?;
        let (len, _) = file.len()?;
        let mut head = [0; HEADER];
        read_exactly(&*file, of, 0, &mut head)?;
        if head != header(self.store, of) {
            return Err(damaged(of));
        }
        let (mut at, mut total, mut sums) = (HEADER as u64, 0, sums_of(&head));
        let mut piece = Vec::new();
        loop {
            let mut head = [0; 8];
            read_exactly(&*file, of, at, &mut head)?;
            if head == END {
                let mut tail = [0; TRAILER];
                read_exactly(&*file, of, at, &mut tail)?;
                let whole = tail == trailer(total, sums) && len == at + TRAILER as u64;
                return if whole { Ok(()) } else { Err(damaged(of)) };
            }
            let [a, b, c, d, sum @ ..] = head;
            let length = u32::from_le_bytes([a, b, c, d]);
            // A length is believed only as far as the file goes.
            if u64::from(length) > len.saturating_sub(at + 8) {
                return Err(damaged(of));
            }
            piece.clear();
            piece.resize(length as usize, 0);
            read_exactly(&*file, of, at + 8, &mut piece)?;
            if crc32fast::hash(&piece).to_le_bytes() != sum {
                return Err(damaged(of));
            }
            sums.update(&sum);
            at += 8 + u64::from(length);
            total += u64::from(length);
            visit(&piece)?;
        }
    }

    pub(super) fn unlink_snapshot(&mut self, of: SnapshotName) -> Result<()> {
        self.check_writable()?;
        match self.disk.remove(&name(of)) {
            Err(error) if error.code() == Code::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.disk.sync_names(),
        }
    }

    /// Bytes of all snapshots.
    pub(super) fn snapshot_bytes(&mut self) -> Result<u64> {
        let mut total = 0;
        for name in self.disk.names()?.iter().filter(|name| parse(name).is_some()) {
            match self.disk.open(name) {
                Ok(file) => total += file.len()?.0,
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_from_its_file() {
        let of = SnapshotName { end: Revision(812), author: Author(0x7fa3) };
        assert_eq!(name(of), "00000000000000000812-0000000000007fa3.snap");
        assert_eq!(parse(&name(of)), Some(of));
        for foreign in ["812-7fa3.snap", "x.snap", "00000000000000000812-0000000000007fa3.snap.1-1.tmp", ".snap"] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }
}
