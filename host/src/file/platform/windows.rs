//! Windows.
//!
//! * Locks are mandatory: who locks a file keeps the others from reading it. So the lock lies on a file of its own,
//!   and `lock` carries the shared bytes only.
//! * A directory can't be synced, and need not be: NTFS journals names, and a file's sync writes that journal out up
//!   to it. `sync` of a directory therefore does nothing.
//! * Renames replace what stands at the new name (std asks for that), and removed files that are still open lose
//!   their name at once.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::windows::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::file::options::Access;

/// The file that carries the lock.
pub(in crate::file) const LOCKED_FILE: &str = "lock-held";

/// A directory, by path.
#[derive(Debug)]
pub(in crate::file) struct Dir(PathBuf);

impl Dir {
    pub(in crate::file) fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self(path.to_owned()))
    }

    pub(in crate::file) fn open_file(&self, name: &str, access: Access) -> io::Result<File> {
        OpenOptions::new().read(true).write(access == Access::ReadWrite).open(self.0.join(name))
    }

    pub(in crate::file) fn create_file(&self, name: &str, _mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(self.0.join(name))
    }

    pub(in crate::file) fn open_or_create(&self, name: &str, _mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.0.join(name))
    }

    pub(in crate::file) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(in crate::file) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(in crate::file) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Nothing: see the module.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "other systems have something to do here")]
    pub(in crate::file) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a directory; who may use it follows from the directory above.
pub(in crate::file) fn make_dir(path: &Path, _mode: u32) -> io::Result<()> {
    fs::create_dir(path)
}

/// The length, and whether the file still has a name.
pub(in crate::file) fn length(file: &File) -> io::Result<(u64, bool)> {
    let found = winapi_util::file::information(file)?;
    Ok((found.file_size(), found.number_of_links() > 0))
}

pub(in crate::file) fn read_some(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    file.seek_read(into, offset)
}

pub(in crate::file) fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    file.seek_write(bytes, offset)
}

/// What to do about an error that std has no kind for.
pub(in crate::file) fn remedy(error: &io::Error) -> Option<&'static str> {
    const SHARING_VIOLATION: i32 = 32;
    (error.raw_os_error() == Some(SHARING_VIOLATION))
        .then_some("another program has it open alone, such as a virus scanner or a backup: exclude the store there")
}

/// What a process is called; std can't tell here.
#[allow(clippy::unnecessary_wraps, reason = "other systems can tell")]
pub(in crate::file) fn process_name(_pid: u32) -> Option<String> {
    Some("by its own note".to_owned())
}
