//! A directory as a disk.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tenure_core::{
    Code, Error, Result,
    bytelog::{Disk, SharedBytes},
    time::Millis,
};

use super::{
    fault::{fault, forked, read_only},
    lock::Lock,
    opened::OpenFile,
    options::{Access, FolderOptions},
    place::{self, LOCK_FILE, Place},
    platform,
    shared::{Gone, Shared},
};
use crate::durations::Stopwatch;

/// A directory that is open as a store's.
///
/// It keeps to the directory that it opened, where the system allows that: one that is moved is followed, and
/// another one at its path is not touched.
///
/// A process that inherits it through a fork gets `Code::Forked` from every call: the handle closes its descriptors
/// without unlocking, so that the parent keeps its lock. [`reopen`](Disk::reopen) gives a good one there.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    options: FolderOptions,
    fork: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    dir: platform::Dir,
    /// Not there where a handle only reads.
    lock: Option<Lock>,
    shared: Arc<Shared>,
}

impl Folder {
    /// Opens the directory at `path`, and makes it and its lock file where they are missing and `options` allow it.
    /// For the errors see [`judge`](place::judge); a place where nothing may be made is `Code::NoStore`.
    pub fn open(path: &Path, options: &FolderOptions) -> Result<Self> {
        let place = place::judge(path, options)?;
        if place != Place::Store && (!options.create || options.access == Access::ReadOnly) {
            return Err(Error::new(
                Code::NoStore,
                format!("there is no store at {}: mend the path, or create the store first", path.display()),
            ));
        }
        if place == Place::Absent {
            make(path, options)?;
        }
        let path = fs::canonicalize(path).map_err(|error| fault(error, "find", path))?;
        let open = Open::new(&path, options)?;
        Ok(Self { path, options: *options, fork: crate::fork::generation(), open: Some(open) })
    }

    /// How long its lock was waited for.
    pub(crate) fn lock_waits(&self) -> Arc<Stopwatch> {
        let lock = self.open.as_ref().and_then(|open| open.lock.as_ref());
        lock.map(Lock::waits).unwrap_or_default()
    }

    /// Its path, absolute and without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is open, unless this process only inherited it.
    fn here(&mut self) -> Result<&mut Open> {
        if crate::fork::generation() != self.fork {
            self.open = None;
        }
        self.open.as_mut().ok_or_else(|| forked(&self.path))
    }

    /// The same, for a call that writes a name.
    fn here_to_write(&mut self, name: &str) -> Result<(PathBuf, &mut Open)> {
        if self.options.access == Access::ReadOnly {
            return Err(read_only(&self.path));
        }
        let path = self.inside(name)?;
        Ok((path, self.here()?))
    }

    /// The path of a name, which must not lead elsewhere, nor to the lock.
    fn inside(&self, name: &str) -> Result<PathBuf> {
        let elsewhere = name.is_empty() || name.contains(['/', '\\', '\0']) || name == "." || name == "..";
        if elsewhere || name == LOCK_FILE || name == platform::LOCKED_FILE {
            return Err(Error::new(
                Code::Invalid,
                format!("{name:?} can't be the name of a file in {}: give a plain name", self.path.display()),
            ));
        }
        Ok(self.path.join(name))
    }
}

impl Open {
    fn new(path: &Path, options: &FolderOptions) -> Result<Self> {
        let dir = platform::Dir::open(path).map_err(|error| fault(error, "open", path))?;
        let lock_path = path.join(LOCK_FILE);
        if options.access == Access::ReadOnly {
            // Without the lock file nothing was ever shared; unreadable, it must not stop one who only reads.
            let shared = Shared::new(dir.open_file(LOCK_FILE, options.access).ok(), lock_path, false);
            return Ok(Self { dir, lock: None, shared: Arc::new(shared) });
        }
        let open = |name: &str| {
            dir.open_or_create(name, options.file_mode).map_err(|error| fault(error, "open", &path.join(name)))
        };
        let shared = Shared::new(Some(open(LOCK_FILE)?), lock_path.clone(), true);
        let lock = Lock::new(open(platform::LOCKED_FILE)?, lock_path);
        shared.mark()?;
        Ok(Self { dir, lock: Some(lock), shared: Arc::new(shared) })
    }
}

fn make(path: &Path, options: &FolderOptions) -> Result<()> {
    match platform::make_dir(path, options.dir_mode) {
        Ok(()) => {}
        // Another handle made it in the meantime.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(fault(error, "make", path)),
    }
    let parent = place::parent(path);
    platform::Dir::open(&parent).and_then(|dir| dir.sync()).map_err(|error| fault(error, "sync", &parent))
}

impl Disk for Folder {
    type File = OpenFile;

    /// Every name but those of the lock.
    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = match self.here()?.dir.names() {
            Ok(names) => names,
            Err(error) => return Err(fault(error, "list", &self.path)),
        };
        names.retain(|name| name != LOCK_FILE && name != platform::LOCKED_FILE);
        Ok(names)
    }

    fn create(&mut self, name: &str) -> Result<Arc<OpenFile>> {
        let mode = self.options.file_mode;
        let (path, open) = self.here_to_write(name)?;
        match open.dir.create_file(name, mode) {
            Ok(file) => Ok(Arc::new(OpenFile::new(file, path, Access::ReadWrite))),
            Err(error) => Err(fault(error, "create", &path)),
        }
    }

    fn open(&mut self, name: &str) -> Result<Arc<OpenFile>> {
        let access = self.options.access;
        let path = self.inside(name)?;
        match self.here()?.dir.open_file(name, access) {
            Ok(file) => Ok(Arc::new(OpenFile::new(file, path, access))),
            Err(error) => Err(fault(error, "open", &path)),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        self.inside(to)?;
        let (path, open) = self.here_to_write(from)?;
        open.dir.rename(from, to).map_err(|error| fault(error, "rename", &path))
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        let (path, open) = self.here_to_write(name)?;
        open.dir.remove(name).map_err(|error| fault(error, "remove", &path))
    }

    fn sync_names(&mut self) -> Result<()> {
        if self.options.access == Access::ReadOnly {
            return Err(read_only(&self.path));
        }
        match self.here()?.dir.sync() {
            Ok(()) => Ok(()),
            Err(error) => Err(fault(error, "sync", &self.path)),
        }
    }

    /// `Code::Forked` in a process that inherited the handle, `Code::Replaced` where the lock file was removed,
    /// `Code::ReadOnly` on a handle that only reads.
    fn try_lock(&mut self, wait: Millis) -> Result<bool> {
        let Open { lock, shared, .. } = self.here()?;
        match lock {
            Some(lock) => lock.attempt(wait, shared),
            None => Err(read_only(&self.path)),
        }
    }

    fn unlock(&mut self) {
        if let Ok(Open { lock: Some(lock), .. }) = self.here() {
            lock.release();
        }
    }

    fn shared(&mut self) -> Arc<dyn SharedBytes> {
        match self.here() {
            Ok(open) => open.shared.clone(),
            Err(error) => Arc::new(Gone(error)),
        }
    }

    /// Opens the same path again, which must still be a store: nothing is made there.
    fn reopen(&self) -> Result<Self> {
        Self::open(&self.path, &FolderOptions { create: false, ..self.options })
    }
}
