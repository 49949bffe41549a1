//! What a byte log stands on: a flat folder of named files, a lock, and syncs.
//!
//! * **D1** `write_at` may keep any part of what it was given when it fails, and a crash may keep any subset of
//!   the 4 KiB pages that no sync covered.
//! * **D2** After `DiskFile::sync` answers `Ok`, the bytes and the length that the file had when it began survive
//!   a crash. After it failed, nothing is known of what was not covered before; a later `Ok` proves nothing for it.
//! * **D3** A created, renamed or removed name survives a crash only after `sync_names`.
//! * **D4** `lock` excludes every other handle on the folder, in this process and in others; the holder's death
//!   frees it. It is never broken.
//! * **D5** `read_at` past the end reads less than asked; that is no error.
//! * **D6** Names are never used again by the byte log, but for the lock file, which is never removed.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{error::Result, time::Millis};

/// The 64 bytes that all handles on a folder share (the watermark lives there). Not synced, torn at worst. They are read and
/// written from any thread, also beside the handle's own lock.
pub trait SharedBytes: Send + Sync {
    /// The bytes as they are now; zeros where nobody has written any.
    fn read(&self) -> Result<[u8; 64]>;

    /// Writes all of them.
    fn write(&self, bytes: &[u8; 64]) -> Result<()>;
}

/// A folder.
pub trait Disk: Send {
    /// An open file; clones of the `Arc` share it.
    type File: DiskFile;

    /// Every name in the folder, in any order.
    fn names(&mut self) -> Result<Vec<String>>;

    /// Creates a file; it is an error if the name exists.
    fn create(&mut self, name: &str) -> Result<Arc<Self::File>>;

    /// Opens a file for reading and writing; `Code::NotFound` if there is none.
    fn open(&mut self, name: &str) -> Result<Arc<Self::File>>;

    /// Gives a file another name, in place of what stands there.
    fn rename(&mut self, from: &str, to: &str) -> Result<()>;

    /// Removes a name; open handles on the file live on.
    fn remove(&mut self, name: &str) -> Result<()>;

    /// Makes creations, renames and removals durable.
    fn sync_names(&mut self) -> Result<()>;

    /// One attempt at the folder's lock: whether it was taken. Who gets `false` asks again; such a call has waited
    /// for as long as it sees fit, not longer than a few milliseconds. Once `wait` has passed since the first of
    /// these calls the answer is `Code::LockTimeout`, which names the holder where that is known.
    fn try_lock(&mut self, wait: Millis) -> Result<bool>;

    /// Takes the folder's lock, waiting at most `wait`.
    fn lock(&mut self, wait: Millis) -> Result<()> {
        while !self.try_lock(wait)? {}
        Ok(())
    }

    /// Gives the lock back, or gives up asking for it.
    fn unlock(&mut self);

    /// What all handles on the folder share.
    fn shared(&mut self) -> Arc<dyn SharedBytes>;

    /// Reads the shared bytes.
    fn read_shared(&mut self) -> Result<[u8; 64]> {
        self.shared().read()
    }

    /// Writes the shared bytes.
    fn write_shared(&mut self, bytes: &[u8; 64]) -> Result<()> {
        self.shared().write(bytes)
    }

    /// A second handle on the same folder. It excludes, and is excluded by, the first.
    fn reopen(&self) -> Result<Self>
    where
        Self: Sized;
}

/// An open file.
pub trait DiskFile: Send + Sync + 'static {
    /// Its length, and whether it still has a name: a file without one was removed, and nobody will read it.
    fn len(&self) -> Result<(u64, bool)>;

    /// Whether it is empty.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()?.0 == 0)
    }

    /// Reads at an offset until the buffer is full or the file ends (D5).
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize>;

    /// Writes at an offset, all of it or an error (D1).
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Cuts the file.
    fn truncate(&self, len: u64) -> Result<()>;

    /// Makes bytes and length durable (D2).
    fn sync(&self) -> Result<()>;

    /// Tells an open file that it has another name by now, for the messages of its errors.
    fn renamed(&self, to: &str) {
        let _ = to;
    }
}
