//! One open file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tenure_core::{Result, bytelog::DiskFile};

use super::{fault, options::Access, platform};

/// A file of a [`Folder`](super::Folder), open for as long as somebody holds it.
///
/// A process that inherited it through a fork can read, but is refused to write, and to sync as well: the kernel
/// reports a failed write-back once for both of them, and the child would take the parent's report.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    path: PathBuf,
    renamed: OnceLock<PathBuf>,
    access: Access,
    fork: u64,
}

impl OpenFile {
    pub(super) fn new(file: File, path: PathBuf, access: Access) -> Self {
        Self { file, path, renamed: OnceLock::new(), access, fork: crate::fork::generation() }
    }

    /// As far as this handle knows.
    fn path(&self) -> &Path {
        self.renamed.get().unwrap_or(&self.path)
    }

    fn may_write(&self) -> Result<()> {
        if self.access == Access::ReadOnly {
            return Err(fault::read_only(self.path()));
        }
        if crate::fork::generation() != self.fork {
            return Err(fault::forked(self.path()));
        }
        Ok(())
    }
}

impl DiskFile for OpenFile {
    fn len(&self) -> Result<(u64, bool)> {
        platform::length(&self.file).map_err(|error| fault::fault(error, "look at", self.path()))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        platform::read_at(&self.file, offset, into).map_err(|error| fault::fault(error, "read", self.path()))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.may_write()?;
        platform::write_at(&self.file, offset, bytes).map_err(|error| fault::fault(error, "write to", self.path()))
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.may_write()?;
        self.file.set_len(len).map_err(|error| fault::fault(error, "cut", self.path()))
    }

    fn sync(&self) -> Result<()> {
        self.may_write()?;
        self.file.sync_data().map_err(|error| fault::fault(error, "sync", self.path()))
    }

    fn renamed(&self, to: &str) {
        // A file is renamed once.
        let _ = self.renamed.set(self.path.with_file_name(to));
    }
}
