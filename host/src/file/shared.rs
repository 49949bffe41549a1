//! The bytes of the lock file: who took the lock last, a mark, and what all handles share.
//!
//! They are read and written through a descriptor of their own. The lock belongs to another one, which nobody but
//! the handle holds, so that closing it surely gives the lock back.

use std::{fs::File, io, path::PathBuf, process};

use tenure_core::{Error, Result, bytelog::SharedBytes};

use super::{fault, platform};

/// Where the mark stands, and what it is.
const MARK_AT: u64 = 8;
const MARK: [u8; 8] = *b"TENURELK";
/// Where the shared bytes stand.
const SHARED_AT: u64 = 64;

/// Whether these are the bytes of a lock file of ours. An empty file is one that is being made.
pub(super) fn is_lock_file(file: &File) -> io::Result<bool> {
    let mut head = [0; 16];
    let read = platform::read_at(file, 0, &mut head)?;
    Ok(read == 0 || head[8..] == MARK)
}

/// The lock file's bytes.
#[derive(Debug)]
pub(super) struct Shared {
    /// There is none where a handle only reads and nobody has written.
    file: Option<File>,
    path: PathBuf,
    fork: u64,
    writable: bool,
}

impl Shared {
    pub(super) fn new(file: Option<File>, path: PathBuf, writable: bool) -> Self {
        Self { file, path, fork: crate::fork::generation(), writable }
    }

    /// Puts the mark where it is missing. Handles that do so at once write the same bytes.
    pub(super) fn mark(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let fault = |error| fault::fault(error, "write to", &self.path);
        let mut mark = [0; 8];
        platform::read_at(file, MARK_AT, &mut mark).map_err(fault)?;
        if mark == MARK { Ok(()) } else { platform::write_at(file, MARK_AT, &MARK).map_err(fault) }
    }

    /// Whether the lock file still stands in a directory; a lock on one that does not excludes nobody who comes.
    pub(super) fn has_name(&self) -> bool {
        self.file.as_ref().is_some_and(|file| platform::length(file).is_ok_and(|(_, named)| named))
    }

    /// The process that last took the lock, as [`Self::name_holder`] left it.
    pub(super) fn holder(&self) -> Option<u32> {
        let mut pid = [0; 8];
        platform::read_at(self.file.as_ref()?, 0, &mut pid).ok()?;
        u32::try_from(u64::from_le_bytes(pid)).ok().filter(|pid| *pid != 0)
    }

    /// Names this process as the holder. Best effort: it serves a message alone.
    pub(super) fn name_holder(&self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.holder() != Some(process::id())) {
            let _ = platform::write_at(file, 0, &u64::from(process::id()).to_le_bytes());
        }
    }
}

impl SharedBytes for Shared {
    fn read(&self) -> Result<[u8; 64]> {
        let mut bytes = [0; 64];
        if let Some(file) = &self.file {
            platform::read_at(file, SHARED_AT, &mut bytes).map_err(|error| fault::fault(error, "read", &self.path))?;
        }
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8; 64]) -> Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.writable) else {
            return Err(fault::read_only(&self.path));
        };
        if crate::fork::generation() != self.fork {
            return Err(fault::forked(&self.path));
        }
        platform::write_at(file, SHARED_AT, bytes).map_err(|error| fault::fault(error, "write to", &self.path))
    }
}

/// The shared bytes of a handle that has none any more.
pub(super) struct Gone(pub Error);

impl SharedBytes for Gone {
    fn read(&self) -> Result<[u8; 64]> {
        Err(self.0.clone())
    }

    fn write(&self, _bytes: &[u8; 64]) -> Result<()> {
        Err(self.0.clone())
    }
}
