//! Tests on real directories.
#![allow(clippy::unwrap_used, reason = "tests")]

mod folder;
#[cfg(unix)]
mod fork;
#[cfg(target_os = "linux")]
mod full;
mod lock;
#[cfg(unix)]
mod mode;
mod notice;
mod place;
#[cfg(unix)]
mod process;

use super::{Folder, FolderOptions};
use tempfile::TempDir;

fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(dir: &TempDir) -> Folder {
    Folder::open(dir.path(), &FolderOptions::default()).unwrap()
}
