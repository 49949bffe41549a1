//! A folder in memory that counts every call, and can fail, fill up, lose a process, lose its power, and forget.
//!
//! Handles of one [`SimDisk`] share the folder, as threads and processes share a real one: [`Disk::reopen`] gives
//! another handle in the same process, [`SimDisk::process`] one in another. Nothing ever waits: a lock that is taken
//! is a timeout at once.

use alloc::{format, string::String, string::ToString, sync::Arc, vec, vec::Vec};
use std::sync::{Mutex, MutexGuard};

use super::{
    file::SimFile,
    image::{FileImage, FolderImage, NameChange, Survive},
    world::{Fault, Process, State, World, enter, failed, state},
};
use crate::{
    bytelog::{Disk, SharedBytes},
    error::{Code, Error, Result},
    time::Millis,
};

/// A handle on a simulated folder.
#[derive(Debug)]
pub struct SimDisk {
    world: World,
    pub(super) process: usize,
    handle: usize,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty folder.
    pub fn new() -> Self {
        Self::on(FolderImage { shared: vec![[0; 64]], ..FolderImage::default() })
    }

    fn on(folder: FolderImage) -> Self {
        let state = State { folder, processes: vec![Process::default()], handles: 1, ..State::default() };
        Self { world: Arc::new(Mutex::new(state)), process: 0, handle: 0 }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        state(&self.world)
    }

    fn enter(&self) -> MutexGuard<'_, State> {
        enter(&self.world, self.process)
    }

    /// A handle in another process on the same folder.
    #[must_use]
    pub fn process(&self) -> Self {
        let mut state = self.state();
        state.processes.push(Process::default());
        state.handles += 1;
        Self { world: self.world.clone(), process: state.processes.len() - 1, handle: state.handles - 1 }
    }

    /// Another handle in the same process.
    #[must_use]
    pub fn handle(&self) -> Self {
        let mut state = self.state();
        state.handles += 1;
        Self { world: self.world.clone(), process: self.process, handle: state.handles - 1 }
    }

    /// How many calls the folder had, of all processes.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many calls of one kind, named as the trait's function, the folder had.
    pub fn count(&self, what: &str) -> u64 {
        self.state().counts.get(what).copied().unwrap_or(0)
    }

    /// Begins to keep a log of every call.
    pub fn keep_log(&self) {
        self.state().log = Some(Vec::new());
    }

    /// Every call since the log was begun, in words.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone().unwrap_or_default()
    }

    /// Lets the folder hold at most so many bytes; `None` for no bound.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.state().capacity = bytes;
    }

    /// Bytes of all files.
    pub fn used(&self) -> usize {
        self.state().folder.bytes()
    }

    /// The folder as it is when the power comes back. It can be asked again and again, with other fates.
    #[must_use]
    pub fn after_crash(&self, survive: Survive) -> Self {
        Self::on(self.state().folder.after_crash(survive))
    }

    /// Changes a file's bytes behind everybody's back, durably; or makes the file.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let file = state.find(name).unwrap_or_else(|_| {
            let file = state.folder.files.len();
            state.folder.files.push(FileImage::default());
            state.folder.change(NameChange::Create(name.to_string(), file));
            file
        });
        let file = &mut state.folder.files[file];
        change(&mut file.live);
        file.durable.clone_from(&file.live);
    }

    /// Removes every file, and what the handles share, behind everybody's back. Open files live on without a name.
    pub fn clear(&self) {
        let mut state = self.state();
        let names: Vec<String> = state.folder.names.keys().cloned().collect();
        for name in names {
            state.folder.change(NameChange::Remove(name));
        }
        state.folder.sync_names();
        state.folder.shared = vec![[0; 64]];
    }

    /// What the handles share.
    pub fn shared(&self) -> [u8; 64] {
        self.state().folder.shared.last().copied().unwrap_or([0; 64])
    }

    /// Changes what the handles share, behind their back.
    pub fn set_shared(&self, bytes: [u8; 64]) {
        self.state().folder.shared = vec![bytes];
    }

    /// A file's bytes; empty where there is none.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.find(name).map_or_else(|_| Vec::new(), |file| state.folder.files[file].live.clone())
    }

    /// The names, sorted. Not counted as a call.
    pub fn files(&self) -> Vec<String> {
        self.state().folder.names.keys().cloned().collect()
    }

    fn file(&self, file: usize, opened: usize) -> Arc<SimFile> {
        Arc::new(SimFile { world: self.world.clone(), process: self.process, opened, file })
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn names(&mut self) -> Result<Vec<String>> {
        let mut state = self.enter();
        state.plain(self.process, "names", format_args!(""))?;
        Ok(state.folder.names.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> Result<Arc<SimFile>> {
        let mut state = self.enter();
        if state.folder.names.contains_key(name) {
            return Err(Error::new(Code::Unavailable, format!("the simulated folder has a file {name:?} already")));
        }
        let file = state.folder.files.len();
        state.folder.files.push(FileImage::default());
        state.rename(self.process, "create", NameChange::Create(name.to_string(), file))?;
        let opened = state.open(file);
        drop(state);
        Ok(self.file(file, opened))
    }

    fn open(&mut self, name: &str) -> Result<Arc<SimFile>> {
        let mut state = self.enter();
        state.plain(self.process, "open", format_args!("{name}"))?;
        let file = state.find(name)?;
        let opened = state.open(file);
        drop(state);
        Ok(self.file(file, opened))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let mut state = self.enter();
        let file = state.find(from)?;
        state.rename(self.process, "rename", NameChange::Rename(from.to_string(), to.to_string(), file))
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        let mut state = self.enter();
        state.find(name)?;
        state.rename(self.process, "remove", NameChange::Remove(name.to_string()))
    }

    fn sync_names(&mut self) -> Result<()> {
        let mut state = self.enter();
        state.plain(self.process, "sync_names", format_args!(""))?;
        state.folder.sync_names();
        Ok(())
    }

    fn try_lock(&mut self, _wait: Millis) -> Result<bool> {
        let mut state = self.enter();
        state.plain(self.process, "lock", format_args!(""))?;
        if let Some((process, _)) = state.lock {
            return Err(Error::new(
                Code::LockTimeout,
                format!("the simulated lock is held by process {process}: let it finish"),
            ));
        }
        state.lock = Some((self.process, self.handle));
        Ok(true)
    }

    fn unlock(&mut self) {
        let mut state = self.enter();
        if state.call(self.process, "unlock", format_args!("")).is_ok()
            && state.lock == Some((self.process, self.handle))
        {
            state.lock = None;
        }
    }

    fn shared(&mut self) -> Arc<dyn SharedBytes> {
        Arc::new(SimShared { world: self.world.clone(), process: self.process })
    }

    fn reopen(&self) -> Result<Self> {
        self.enter().plain(self.process, "reopen", format_args!(""))?;
        Ok(self.handle())
    }
}

/// What all handles share, as one process sees it.
struct SimShared {
    world: World,
    process: usize,
}

impl SharedBytes for SimShared {
    fn read(&self) -> Result<[u8; 64]> {
        let mut state = enter(&self.world, self.process);
        state.plain(self.process, "read_shared", format_args!(""))?;
        Ok(state.folder.shared.last().copied().unwrap_or([0; 64]))
    }

    fn write(&self, bytes: &[u8; 64]) -> Result<()> {
        let mut state = enter(&self.world, self.process);
        let fault = state.call(self.process, "write_shared", format_args!(""))?;
        if matches!(fault, None | Some(Fault::Crash)) {
            state.folder.shared.push(*bytes);
        }
        if fault.is_some() { Err(failed("write_shared")) } else { Ok(()) }
    }
}

impl Drop for SimDisk {
    fn drop(&mut self) {
        let mut state = self.state();
        if state.lock == Some((self.process, self.handle)) {
            state.lock = None;
        }
    }
}
