//! The floor: a bare loop that appends a record of 100 bytes and calls fdatasync.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::contender::{Answer, Contender, Failure, Lease, Store, Terms, Worker};

/// Appends to a file that grows, as most logs do: the reference.
pub const APPENDED: &str = "raw";
/// Writes into a file whose blocks are already there: what a log can gain by that, for information.
pub const PREPARED: &str = "raw-prepared";

const RECORD: usize = 100;
const PREPARED_BYTES: usize = 16 << 20;

/// A file of records.
pub struct RawLog {
    /// Whether the file's blocks are written beforehand.
    pub prepared: bool,
}

struct RawStore {
    path: PathBuf,
}

struct RawWorker {
    file: File,
    record: Vec<u8>,
}

impl Contender for RawLog {
    fn open(&self, dir: &Path, _terms: Terms) -> Answer<Box<dyn Store>> {
        let path = dir.join("raw.log");
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        if self.prepared {
            file.write_all(&vec![0; PREPARED_BYTES])?;
        }
        file.sync_all()?;
        Ok(Box::new(RawStore { path }))
    }
}

impl Store for RawStore {
    fn worker(&self) -> Answer<Box<dyn Worker>> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Box::new(RawWorker { file, record: vec![0x5a; RECORD] }))
    }

    fn tasks(&self) -> Answer<u64> {
        Ok(std::fs::metadata(&self.path)?.len() / RECORD as u64)
    }
}

impl Worker for RawWorker {
    fn add(&mut self, _group: &str, data: &[&[u8]]) -> Answer<()> {
        for _ in data {
            self.file.write_all(&self.record)?;
        }
        self.file.sync_data()?;
        Ok(())
    }

    fn claim(&mut self, _: &str, _: usize, _: Duration, _: &mut Vec<Lease>) -> Answer<()> {
        Err(Failure::NotOffered("a raw log has no claims".into()))
    }

    fn finish(&mut self, _: &[Lease]) -> Answer<()> {
        Err(Failure::NotOffered("a raw log has no claims".into()))
    }

    fn renew(&mut self, _: &mut Lease, _: Duration) -> Answer<()> {
        Err(Failure::NotOffered("a raw log has no claims".into()))
    }
}
