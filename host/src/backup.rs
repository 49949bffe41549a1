//! A store in one file, and a store made of it.
//!
//! ```text
//!  0  magic     8   "TNBK", 1, 0 0 0
//!  8  store    16   the store's id
//! 24  taken at  8   milliseconds since the Epoch
//! 32  revision  8   the revision that it holds
//! 40  next id   8   the next task id there
//! 48  digest    8   of the state there
//! 56  reserved  4   0
//! 60  checksum  4   CRC-32 of bytes 0..60
//! 64  chunks …      a snapshot that begins and ends at that revision
//! ```
//!
//! It is taken from a replica of its own, so writers go on meanwhile. It is written under another name, synced, read
//! back whole, and only then gets its name.
//!
//! A restored store is another store: it has a new id, so that handles on the old one are refused, and its task ids
//! begin where the old store can't have come, so that no id is ever used for two tasks.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Read, Write as _},
    path::{Path, PathBuf},
};

use tenure_core::{
    Author, Code, Error, Millis, OwnerId, Result, Revision, StoreId, TaskId,
    bytelog::ByteLog,
    driver::Driver,
    engine::Setup,
    id::MAX_ID,
    port::{Journal as _, SnapshotName, Tail, under_name},
    snapshot::{Loader, Walk, pack, take_chunk, transplant},
};

use crate::{
    file::{self, Folder},
    options::Options,
    store::{Store, random, random_id},
};

const MAGIC: [u8; 8] = *b"TNBK\x01\0\0\0";
const HEADER: usize = 64;

/// Items of one chunk.
const SLICE: usize = 4096;

/// A restored store's ids begin at the next multiple of this: a store that goes on after its backup was taken uses up
/// fewer.
const GENERATION: u64 = 1 << 40;

/// What a backup holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backup {
    /// The store that it was taken of.
    pub store: StoreId,
    /// When, in milliseconds since the Epoch.
    pub taken_at: Millis,
    /// The revision that it holds.
    pub revision: Revision,
    /// The next task id there.
    pub next_id: TaskId,
    /// The digest of the state there.
    pub digest: u64,
    /// Live tasks.
    pub tasks: u64,
    /// Records.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

pub(crate) fn fault(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    let code = if error.kind() == std::io::ErrorKind::StorageFull { Code::NoSpace } else { Code::Unavailable };
    Error::new(code, format!("can't {doing} {}: {error}", path.display()))
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(Code::Corrupt, format!("{} is no whole backup: {what}; take another copy of it", path.display()))
}

pub(crate) fn exists(path: &Path) -> Error {
    let why = format!("{} is there already, and a backup overwrites nothing: give another name", path.display());
    Error::new(Code::Invalid, why)
}

impl Backup {
    fn header(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..24].copy_from_slice(&self.store.0);
        bytes[24..32].copy_from_slice(&self.taken_at.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.revision.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.next_id.0.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.digest.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Writes a verified copy of the store at `from`, which may be in use, into a new file.
    ///
    /// # Errors
    /// `Invalid` where the file exists; `Corrupt`; `Unavailable`, `NoSpace`.
    pub fn take(from: &Path, file: &Path, now: Millis) -> Result<Self> {
        if fs::symlink_metadata(file).is_ok() {
            return Err(exists(file));
        }
        let journal = file::open_to_read(from)?;
        let setup = Setup {
            limits: tenure_core::Limits::DEFAULT,
            owner: OwnerId(0),
            actor: "".into(),
            author: Author(0),
            seed: 0,
        };
        let driver = Driver::open(journal, setup, 0, &|| 0)?;
        driver.engine().may_read()?;
        let state = driver.engine().state();
        let backup = Self {
            store: driver.identity(),
            taken_at: now,
            revision: state.revision(),
            next_id: state.next_id(),
            digest: state.digest(),
            tasks: state.tasks(),
            records: state.tables().len(),
            bytes: 0,
        };
        let temporary = Temporary::beside(file)?;
        backup.write(&driver, &temporary.0).map_err(|error| fault("write", &temporary.0, &error))?;
        let (read, _) = Self::read(&temporary.0)?;
        if (Self { bytes: 0, ..read }) != backup {
            return Err(damaged(&temporary.0, "it holds something else than was written"));
        }
        publish(&temporary.0, file)?;
        Ok(read)
    }

    fn write(&self, driver: &Driver, path: &Path) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = BufWriter::new(options.open(path)?);
        out.write_all(&self.header())?;
        let engine = driver.engine();
        let mut walk = Walk::new(engine.state(), engine.tail(), self.store);
        while let Some((kind, raw)) = driver.slice(&mut walk, SLICE) {
            out.write_all(&pack(kind, &raw))?;
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }

    /// Reads a backup whole and checks it. Answers with its chunks' bytes as well.
    pub(crate) fn read(path: &Path) -> Result<(Self, Vec<u8>)> {
        let fault_here = |error| fault("read", path, &error);
        let mut input = BufReader::new(File::open(path).map_err(fault_here)?);
        let mut header = [0; HEADER];
        input.read_exact(&mut header).map_err(|_| damaged(path, "it is shorter than a backup's header"))?;
        let sum = crc32fast::hash(&header[..60]);
        if header[..4] != MAGIC[..4] {
            let why = format!("{} is no backup of a store: give a file that `backup` wrote", path.display());
            return Err(Error::new(Code::Invalid, why));
        }
        if header[60..] != sum.to_le_bytes() {
            return Err(damaged(path, "its header is damaged"));
        }
        if header[..8] != MAGIC {
            let why = format!("{} was written by a newer Tenure: upgrade this program", path.display());
            return Err(Error::new(Code::UpgradeNeeded, why));
        }
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        let mut store = StoreId::default();
        store.0.copy_from_slice(&header[8..24]);
        let mut chunks = Vec::new();
        input.read_to_end(&mut chunks).map_err(fault_here)?;
        let mut loader = Loader::new(store);
        loader.feed(&chunks)?;
        let held = loader.finish().map_err(|error| damaged(path, error.message()))?;
        let (revision, next_id, digest) = (Revision(number(32)), TaskId(number(40)), number(48));
        let fits = held.begin.revision == revision && held.end.revision == revision;
        if !fits || held.state.digest() != digest || held.digest != digest {
            return Err(damaged(path, "its content is not what its header says"));
        }
        let backup = Self {
            store,
            taken_at: number(24),
            revision,
            next_id,
            digest,
            tasks: held.state.tasks(),
            records: held.state.tables().len(),
            bytes: (HEADER + chunks.len()) as u64,
        };
        Ok((backup, chunks))
    }

    /// Makes a store at `to`, where nothing or an empty folder stands, of a backup. Answers with what it holds.
    ///
    /// # Errors
    /// `Invalid` where something stands there, or the file is no backup; `Corrupt` where it is damaged.
    pub fn restore(file: &Path, to: &Path) -> Result<Self> {
        let (backup, chunks) = Self::read(file)?;
        let stands = fs::symlink_metadata(to).is_ok();
        if stands && !fs::read_dir(to).is_ok_and(|mut inside| inside.next().is_none()) {
            let why = format!("{} is not empty, and a restore overwrites nothing: give another path", to.display());
            return Err(Error::new(Code::Invalid, why));
        }
        let store = StoreId(random()?);
        let next = (backup.next_id.0 / GENERATION + 1) * GENERATION;
        if next > MAX_ID {
            return Err(Error::new(Code::Full, "the backup's task ids leave no room for more: begin a new store"));
        }
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{:016x}.tmp", random_id()?));
        let temporary = Temporary(PathBuf::from(name));
        let tail = Tail { revision: backup.revision, ..Tail::empty(tenure_core::Position(0)) };
        build(&temporary.0, store, &Tail { next_id: TaskId(next), ..tail }, &chunks)?;
        let restored = Store::open(&temporary.0)?;
        let (revision, digest) = restored.digest()?;
        restored.close()?;
        if (revision, digest) != (backup.revision, backup.digest) {
            return Err(damaged(file, "the restored store has another state"));
        }
        let named = if stands { fs::remove_dir(to) } else { Ok(()) }.and_then(|()| fs::rename(&temporary.0, to));
        named.map_err(|error| fault("make", to, &error))?;
        sync_parent(to)?;
        Ok(Self { store, next_id: TaskId(next), ..backup })
    }
}

/// A store whose journal begins at `tail`, in a snapshot made of these chunks.
fn build(path: &Path, store: StoreId, tail: &Tail, chunks: &[u8]) -> Result<()> {
    let author = Author(random_id()?);
    let options = Options::new();
    let folder = Folder::open(path, &file::folder_options(&options))?;
    let mut log = ByteLog::create_at(folder, file::log_options(&options, author), store, *tail)?;
    let mut rest = chunks;
    log.publish_snapshot(&mut under_name(SnapshotName { end: tail.revision, author }, || match take_chunk(rest)? {
        None => Ok(None),
        Some(chunk) => {
            rest = &rest[chunk.used..];
            transplant(&chunk, store, tail).map(Some)
        }
    }))?;
    log.close()
}

/// What is removed unless it got its name.
pub(crate) struct Temporary(pub PathBuf);

impl Temporary {
    /// A name beside the one that the file gets in the end.
    pub(crate) fn beside(file: &Path) -> Result<Self> {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{:016x}.tmp", random_id()?));
        Ok(Self(PathBuf::from(name)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It has its name by now, or is of no use.
        let _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

/// Gives a file its name, unless something has that name.
pub(crate) fn publish(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists(to)),
        // A file system without links: whoever makes the name in this moment loses it.
        Err(_) => fs::rename(from, to).map_err(|error| fault("make", to, &error))?,
    }
    sync_parent(to)
}

/// Makes a new name durable.
fn sync_parent(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    file::sync_folder(parent).map_err(|error| fault("sync", parent, &error))
}
