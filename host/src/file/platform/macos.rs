//! macOS. Files need nothing here: std's `sync_data` is `F_FULLFSYNC` there, which reaches the platter, where a plain
//! fsync only reaches the drive's cache.

use std::{fs::File, io};

/// Makes names durable. `F_FULLFSYNC` on a directory is refused by some file systems, which then get an fsync.
pub(super) fn sync_dir(dir: &File) -> io::Result<()> {
    dir.sync_all().or_else(|_| Ok(rustix::fs::fsync(dir)?))
}
