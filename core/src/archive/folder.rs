//! A folder in memory, for one handle.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    bytelog::{Disk, DiskFile, SharedBytes},
    error::{Code, Error, Result},
    time::Millis,
};

/// A folder in memory; clones share it.
#[derive(Clone, Debug)]
pub struct Folder {
    names: Arc<Mutex<BTreeMap<String, Arc<Bytes>>>>,
    shared: Arc<Mutex<[u8; 64]>>,
}

/// A file in memory.
#[derive(Debug, Default)]
pub struct Bytes(Mutex<Vec<u8>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Folder {
    fn default() -> Self {
        Self { names: Arc::default(), shared: Arc::new(Mutex::new([0; 64])) }
    }
}

impl Folder {
    /// A folder with these files.
    pub fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        let folder = Self::default();
        let files = files.into_iter().map(|(name, bytes)| (name, Arc::new(Bytes(Mutex::new(bytes)))));
        *locked(&folder.names) = files.collect();
        folder
    }

    /// All files.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.names).iter().map(|(name, file)| (name.clone(), locked(&file.0).clone())).collect()
    }
}

fn absent(name: &str) -> Error {
    Error::new(Code::NotFound, format!("there is no {name} in the archive"))
}

impl Disk for Folder {
    type File = Bytes;

    fn names(&mut self) -> Result<Vec<String>> {
        Ok(locked(&self.names).keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> Result<Arc<Bytes>> {
        let mut names = locked(&self.names);
        if names.contains_key(name) {
            return Err(Error::new(Code::Unavailable, format!("{name} is there already")));
        }
        Ok(names.entry(name.to_owned()).or_default().clone())
    }

    fn open(&mut self, name: &str) -> Result<Arc<Bytes>> {
        locked(&self.names).get(name).cloned().ok_or_else(|| absent(name))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let mut names = locked(&self.names);
        let file = names.remove(from).ok_or_else(|| absent(from))?;
        names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        locked(&self.names).remove(name).map(drop).ok_or_else(|| absent(name))
    }

    fn sync_names(&mut self) -> Result<()> {
        Ok(())
    }

    fn try_lock(&mut self, _wait: Millis) -> Result<bool> {
        Ok(true)
    }

    fn unlock(&mut self) {}

    fn shared(&mut self) -> Arc<dyn SharedBytes> {
        self.shared.clone()
    }

    fn reopen(&self) -> Result<Self> {
        Ok(self.clone())
    }
}

impl SharedBytes for Mutex<[u8; 64]> {
    fn read(&self) -> Result<[u8; 64]> {
        Ok(*locked(self))
    }

    fn write(&self, bytes: &[u8; 64]) -> Result<()> {
        *locked(self) = *bytes;
        Ok(())
    }
}

impl DiskFile for Bytes {
    fn len(&self) -> Result<(u64, bool)> {
        Ok((locked(&self.0).len() as u64, true))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        let bytes = locked(&self.0);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let read = into.len().min(bytes.len() - from);
        into[..read].copy_from_slice(&bytes[from..from + read]);
        Ok(read)
    }

    fn write_at(&self, offset: u64, given: &[u8]) -> Result<()> {
        let mut bytes = locked(&self.0);
        let from = usize::try_from(offset).map_err(|_| Error::new(Code::NoSpace, "the file is too large"))?;
        let end = from.checked_add(given.len()).ok_or_else(|| Error::new(Code::NoSpace, "the file is too large"))?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[from..end].copy_from_slice(given);
        Ok(())
    }

    fn truncate(&self, len: u64) -> Result<()> {
        locked(&self.0).resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}
