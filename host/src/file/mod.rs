//! A directory of the real file system as a [`Disk`](tenure_core::bytelog::Disk): what the file journal stands on.
//!
//! ```text
//!   place      what stands at a path, judged before anything is opened or made
//!   folder     the directory: names, the lock, the shared bytes
//!   opened     one open file: positional reads and writes, one fstat, fdatasync
//!   lock       the lock file's lock: try and back off, never broken, safe across a fork
//!   shared     the lock file's bytes: who holds it, and 64 bytes that all handles share
//!   life       the life-long lock of a handle that has the store for itself
//!   notice     tells when another process has written
//!   fault      an error of the operating system, with the path and the next step
//!   platform   all that differs between systems, one file each
//! ```
//!
//! The lock file `lock` is never removed. Only its name and its lock matter across a crash; its bytes are never
//! synced:
//!
//! ```text
//!   0        8          16                  64                              128
//!   ├────────┼──────────┼───────────────────┼───────────────────────────────┤
//!   │ pid    │ TENURELK │ 0                 │ 64 bytes shared by all handles│
//!   └────────┴──────────┴───────────────────┴───────────────────────────────┘
//!     u64 LE: the process that last took the lock, where the system itself can't tell
//! ```

mod fault;
mod folder;
mod life;
mod lock;
mod notice;
mod opened;
mod options;
mod place;
mod platform;
mod shared;

#[cfg(test)]
mod tests;

pub use folder::Folder;
pub(crate) use life::Life;
pub use notice::{Interrupter, Notice};
pub use opened::OpenFile;
pub use options::{Access, FolderOptions};
pub use place::{FsType, LOCK_FILE, Place, fs_type, judge};

use std::{path::Path, sync::Arc};

use tenure_core::{
    Author, Result, StoreId,
    bytelog::{self, ByteLog},
    inspect::Show,
    port::Journal,
};

use crate::{Options, durations::Stopwatch};

/// Gives what stands in a store's folder to `print`, line by line: see [`tenure_core::inspect`]. Nothing is written, no
/// lock is taken, and what is damaged has a line that says so.
///
/// # Errors
/// `NoStore` where there is no store; `Unavailable` where the folder can't be read; an error of `print` ends it.
pub fn inspect(path: &Path, show: Show, print: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let options =
        FolderOptions { access: Access::ReadOnly, create: false, allow_shared_fs: true, ..FolderOptions::default() };
    tenure_core::inspect::inspect(Folder::open(path, &options)?, show, print)
}

/// How a folder is opened for a store with these options.
pub(crate) fn folder_options(options: &Options) -> FolderOptions {
    FolderOptions {
        access: if options.read_only { Access::ReadOnly } else { Access::ReadWrite },
        create: options.create && !options.read_only,
        file_mode: options.file_mode,
        dir_mode: options.folder_mode,
        allow_shared_fs: options.allow_network,
        ..FolderOptions::default()
    }
}

/// How its journal is opened.
pub(crate) fn log_options(options: &Options, author: Author) -> bytelog::Options {
    bytelog::Options {
        read_only: options.read_only,
        segment_bytes: options.segment_bytes,
        lock_wait: crate::store::millis(options.lock_wait),
        ..bytelog::Options::new(author)
    }
}

/// The journal in a folder, and how long its lock is waited for; where there is no journal yet, it gets this identity.
pub(crate) fn open_journal(
    path: &Path,
    options: &Options,
    identity: StoreId,
    author: Author,
) -> Result<(Box<dyn Journal>, Arc<Stopwatch>)> {
    let folder = Folder::open(path, &folder_options(options))?;
    let lock_waits = folder.lock_waits();
    let log = log_options(options, author);
    let journal: Box<dyn Journal> = if options.read_only {
        Box::new(ByteLog::open(folder, log)?)
    } else {
        Box::new(ByteLog::create(folder, log, identity)?)
    };
    Ok((journal, lock_waits))
}

/// The journal in a folder, to read only.
pub(crate) fn open_to_read(path: &Path) -> Result<Box<dyn Journal>> {
    let options = Options::new().read_only(true).create(false);
    open_journal(path, &options, StoreId::default(), Author(0)).map(|(journal, _)| journal)
}

/// Makes the names in a folder durable, as far as the system needs to be asked.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    platform::Dir::open(path)?.sync()
}
