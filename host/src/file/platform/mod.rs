//! All that differs between systems: names in a directory, syncs of it, locks, who holds one, what kind of file
//! system it is, and the bell that rings when somebody writes.
//!
//! ```text
//!   unix      Linux, macOS, the BSDs: a directory is a descriptor, names are relative to it
//!   linux     inotify, /proc/locks, the magic numbers of file systems
//!   macos     the sync of a directory
//!   windows   a directory is a path; locks are mandatory, so they lie on a file of their own
//!   bell      the bell of systems without notification
//! ```

#[cfg(any(not(target_os = "linux"), test))]
mod bell;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_vendor = "apple")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{fs::File, io};

#[cfg(not(target_os = "linux"))]
pub(super) use bell::{Bell, Ringer, fs_type, holder, knows_holders};
#[cfg(target_os = "linux")]
pub(super) use linux::{Bell, Ringer, fs_type, holder, knows_holders};
#[cfg(unix)]
pub(super) use unix::{Dir, LOCKED_FILE, length, make_dir, process_name, read_some, remedy, write_some};
#[cfg(windows)]
pub(super) use windows::{Dir, LOCKED_FILE, length, make_dir, process_name, read_some, remedy, write_some};

/// What ended a wait at a bell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rang {
    /// Somebody wrote to the directory.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no other system's bell rings for a write yet"))]
    Written,
    /// The wait was interrupted.
    Interrupted,
    /// The time passed.
    Nothing,
}

/// Reads at an offset until the buffer is full or the file ends.
pub(super) fn read_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match read_some(file, offset + done as u64, &mut into[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes at an offset, all of it or an error.
pub(super) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match write_some(file, offset + done as u64, &bytes[done..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
