//! How a folder is opened.

use std::path::Path;

use super::place::{FsType, fs_type};

/// Whether a folder may be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    /// Reads and writes.
    #[default]
    ReadWrite,
    /// Reads; nothing is created or written, and the lock is not taken.
    ReadOnly,
}

/// How a folder is opened and made.
#[derive(Clone, Copy, Debug)]
pub struct FolderOptions {
    /// Whether it may be written.
    pub access: Access,
    /// Whether a missing or empty folder becomes a store; without it such a place is `Code::NoStore`.
    pub create: bool,
    /// Permissions of the files that this handle creates. Unix only.
    pub file_mode: u32,
    /// Permissions of the directory, where this handle creates it. Unix only.
    pub dir_mode: u32,
    /// Whether a network or otherwise shared file system is good enough.
    pub allow_shared_fs: bool,
    /// Tells on what kind of file system a path lies; a test may pretend.
    pub fs_type: fn(&Path) -> FsType,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self {
            access: Access::ReadWrite,
            create: true,
            file_mode: 0o600,
            dir_mode: 0o700,
            allow_shared_fs: false,
            fs_type,
        }
    }
}
