//! Linux, macOS, the BSDs.

use std::{
    fs::{DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, PermissionsExt},
    path::Path,
};

use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
    process::{Pid, test_kill_process},
};

#[cfg(target_os = "linux")]
use rustix::fs::StatxFlags;

use crate::file::options::Access;

/// The file that carries the lock: locks are advisory, so it can be the one whose bytes are shared.
pub(in crate::file) const LOCKED_FILE: &str = "lock";

/// A directory, by descriptor: it is followed when it is moved.
#[derive(Debug)]
pub(in crate::file) struct Dir(File);

impl Dir {
    pub(in crate::file) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    pub(in crate::file) fn open_file(&self, name: &str, access: Access) -> io::Result<File> {
        self.file(name, if access == Access::ReadOnly { OFlags::RDONLY } else { OFlags::RDWR }, 0)
    }

    pub(in crate::file) fn create_file(&self, name: &str, mode: u32) -> io::Result<File> {
        let file = self.file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode)?;
        widen(&file, mode)?;
        Ok(file)
    }

    pub(in crate::file) fn open_or_create(&self, name: &str, mode: u32) -> io::Result<File> {
        match self.file(name, OFlags::RDWR, 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.create_file(name, mode) {
                // Another handle made it in the meantime.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.file(name, OFlags::RDWR, 0),
                other => other,
            },
            other => other,
        }
    }

    fn file(&self, name: &str, flags: OFlags, mode: u32) -> io::Result<File> {
        let file = fs::openat(&self.0, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode as _))?;
        Ok(File::from(file))
    }

    pub(in crate::file) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    pub(in crate::file) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(in crate::file) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.0)? {
            // A name that is not UTF-8 can't be one that we gave.
            if let Ok(name) = entry?.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    pub(in crate::file) fn sync(&self) -> io::Result<()> {
        #[cfg(target_vendor = "apple")]
        return super::macos::sync_dir(&self.0);
        #[cfg(not(target_vendor = "apple"))]
        self.0.sync_all()
    }
}

/// Makes a directory.
pub(in crate::file) fn make_dir(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)?;
    if mode & 0o700 == mode { Ok(()) } else { std::fs::set_permissions(path, Permissions::from_mode(mode)) }
}

/// Gives others the access that was asked for them and that the umask took away.
fn widen(file: &File, mode: u32) -> io::Result<()> {
    if mode & 0o700 == mode { Ok(()) } else { file.set_permissions(Permissions::from_mode(mode)) }
}

/// The length, and whether the file still has a name.
///
/// Linux is asked for these two alone: who asks for the time of the last write makes the next write store a finer one,
/// which costs more than the write itself.
#[cfg(target_os = "linux")]
pub(in crate::file) fn length(file: &File) -> io::Result<(u64, bool)> {
    let wanted = StatxFlags::SIZE | StatxFlags::NLINK;
    match fs::statx(file, c"", AtFlags::EMPTY_PATH, wanted) {
        Ok(found) if StatxFlags::from_bits_retain(found.stx_mask).contains(wanted) => {
            Ok((found.stx_size, found.stx_nlink > 0))
        }
        // Old kernels, and sandboxes that refuse what they don't know.
        _ => length_by_fstat(file),
    }
}

#[cfg(not(target_os = "linux"))]
pub(in crate::file) fn length(file: &File) -> io::Result<(u64, bool)> {
    length_by_fstat(file)
}

fn length_by_fstat(file: &File) -> io::Result<(u64, bool)> {
    let stat = fs::fstat(file)?;
    Ok((u64::try_from(stat.st_size).unwrap_or(0), stat.st_nlink > 0))
}

pub(in crate::file) fn read_some(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    file.read_at(into, offset)
}

pub(in crate::file) fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    file.write_at(bytes, offset)
}

/// What to do about an error that std has no kind for.
pub(in crate::file) fn remedy(error: &io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::MFILE => Some("this process has too many files open: raise its limit (ulimit -n), or close handles"),
        Errno::NFILE => Some("this system has too many files open: raise fs.file-max, or end some processes"),
        Errno::IO => Some("the disk reports a fault: look at the system's log and check the disk"),
        Errno::NOLCK => Some("this system has no locks left: raise its limit, or end some processes"),
        _ => None,
    }
}

/// What a process is called, or `None` if it has ended.
pub(in crate::file) fn process_name(pid: u32) -> Option<String> {
    let found = i32::try_from(pid).ok().and_then(Pid::from_raw).map(test_kill_process);
    if matches!(found, None | Some(Err(Errno::SRCH))) {
        return None;
    }
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = name.trim();
    Some(if name.is_empty() { "running".to_owned() } else { name.to_owned() })
}
