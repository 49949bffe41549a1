//! What stands at a path, judged before anything is opened or made there.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tenure_core::{Code, Error, Result};

use super::{fault::fault, options::FolderOptions, platform, shared};

/// The lock file's name. A directory is a store if it has one.
pub const LOCK_FILE: &str = "lock";

/// Names that systems leave in directories of their own accord.
const LITTER: &[&str] = &["lost+found", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// On what kind of file system a path lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FsType {
    /// One of this machine.
    Local,
    /// One that other machines may write too, or whose locks and syncs mean what somebody else makes of them; its
    /// name.
    Shared(&'static str),
    /// This system does not tell.
    Unknown,
}

/// Asks the operating system on what kind of file system a path lies.
pub fn fs_type(path: &Path) -> FsType {
    platform::fs_type(path)
}

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Nothing; the directory that it would be made in exists.
    Absent,
    /// An empty directory.
    Empty,
    /// A store.
    Store,
}

/// Judges a path, or says why no store can be there.
///
/// * `Code::NotAStore`: a file, or a directory with something else in it.
/// * `Code::NoStore`: the directory above it is missing.
/// * `Code::Unsupported`: a network or shared file system.
/// * `Code::Unavailable`: it can't be read.
pub fn judge(path: &Path, options: &FolderOptions) -> Result<Place> {
    if path.as_os_str().is_empty() {
        return Err(Error::new(Code::Invalid, "the store's path is empty: give the path of a directory"));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            trusted(path, options)?;
            inside(path)
        }
        Ok(_) => Err(Error::new(
            Code::NotAStore,
            format!(
                "{} is a file, and a store is a directory: give another path, or restore the file if it is a backup",
                path.display()
            ),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            above(path, options)?;
            Ok(Place::Absent)
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(Error::new(
            Code::NotAStore,
            format!("a file stands in the middle of the path {}: give another path", path.display()),
        )),
        Err(error) => Err(fault(error, "look at", path)),
    }
}

/// The directory in which a path's last name stands.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    }
}

fn above(path: &Path, options: &FolderOptions) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(Error::new(
            Code::NoStore,
            format!("{} is a link to something that is not there: mend the link or remove it", path.display()),
        ));
    }
    let parent = parent(path);
    match fs::metadata(&parent) {
        Ok(_) => trusted(&parent, options),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::new(
            Code::NoStore,
            format!(
                "{} can't be made, since {} does not exist: make that directory first, or mend the path",
                path.display(),
                parent.display()
            ),
        )),
        Err(error) => Err(fault(error, "look at", &parent)),
    }
}

fn trusted(path: &Path, options: &FolderOptions) -> Result<()> {
    match (options.fs_type)(path) {
        FsType::Shared(name) if !options.allow_shared_fs => Err(Error::new(
            Code::Unsupported,
            format!(
                "{} lies on {name}, where locks and syncs can't be trusted: put the store on a local disk, or allow \
                 shared file systems if you know that this one keeps its promises",
                path.display()
            ),
        )),
        _ => Ok(()),
    }
}

fn inside(path: &Path) -> Result<Place> {
    let fault_here = |error| fault(error, "list", path);
    let mut stranger = None;
    for entry in fs::read_dir(path).map_err(fault_here)? {
        let name = entry.map_err(fault_here)?.file_name();
        if name == OsStr::new(LOCK_FILE) {
            return lock_file(path);
        }
        if !LITTER.iter().any(|litter| name == OsStr::new(litter)) {
            stranger = Some(name);
        }
    }
    match stranger {
        None => Ok(Place::Empty),
        Some(name) => Err(foreign(path, &name)),
    }
}

fn lock_file(path: &Path) -> Result<Place> {
    let lock = path.join(LOCK_FILE);
    let fault_here = |error| fault(error, "read", &lock);
    // A pipe of that name would block whoever opens it.
    let ours = fs::metadata(&lock).map_err(fault_here)?.is_file()
        && File::open(&lock).and_then(|file| shared::is_lock_file(&file)).map_err(fault_here)?;
    if ours { Ok(Place::Store) } else { Err(foreign(path, OsStr::new(LOCK_FILE))) }
}

fn foreign(path: &Path, name: &OsStr) -> Error {
    Error::new(
        Code::NotAStore,
        format!(
            "{} is not a store, since {} stands in it and no lock file of ours: give an empty or a new directory (if it \
             is a store whose lock file was removed, put an empty file named {LOCK_FILE:?} there)",
            path.display(),
            name.display()
        ),
    )
}
