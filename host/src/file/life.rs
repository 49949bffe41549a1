//! The life-long lock of a handle that has a store for itself.
//!
//! Such a handle locks a file of its own, `owner-AUTHOR`, before it takes the store and until it has given it back. So
//! whoever finds the store taken can tell whether the one who took it still lives: where nobody has that file locked,
//! or it is not there, its handle is gone, and the store is free.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
    process,
};

use tenure_core::{Author, Code, Error, Result};

use super::fault::fault;

/// A life-long lock, held.
#[derive(Debug)]
pub(crate) struct Life {
    file: File,
    path: PathBuf,
    pid: u32,
}

fn path_of(folder: &Path, author: Author) -> PathBuf {
    folder.join(format!("owner-{:016x}", author.0))
}

impl Life {
    /// Locks the file of this author.
    pub fn begin(folder: &Path, author: Author, mode: u32) -> Result<Self> {
        let path = path_of(folder, author);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let file = options.open(&path).map_err(|error| fault(error, "create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path, pid: process::id() }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Code::Internal,
                format!("{} is locked by another, though its number is random: open the store again", path.display()),
            )),
            Err(TryLockError::Error(error)) => Err(fault(error, "lock", &path)),
        }
    }

    /// Whether the handle of this author still lives. Where that can't be told, as in a folder that was moved, it does.
    pub fn is_lived(folder: &Path, author: Author) -> bool {
        match File::open(path_of(folder, author)) {
            Ok(file) => file.try_lock_shared().is_err(),
            Err(error) => error.kind() != ErrorKind::NotFound || !folder.join(super::LOCK_FILE).exists(),
        }
    }

    /// Removes the file of an author who is gone.
    pub fn bury(folder: &Path, author: Author) {
        // It only takes a name.
        let _ = fs::remove_file(path_of(folder, author));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // A process that inherited it must not end it for the one that lives.
        if process::id() == self.pid {
            let _ = self.file.unlock();
            let _ = fs::remove_file(&self.path);
        }
    }
}
