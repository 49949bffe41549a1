//! An error of the operating system as one of ours: what was being done, to which path, why, and what to do now.

use std::{io, path::Path};

use tenure_core::{Code, Error};

use super::platform;

/// Turns an I/O error into ours. `doing` completes "can't …", and is followed by the path.
#[cold]
pub(super) fn fault(error: io::Error, doing: &str, path: &Path) -> Error {
    let (code, next) = verdict(&error);
    Error::new(code, format!("can't {doing} {}: {error}; {next}", path.display())).with_source(error)
}

fn verdict(error: &io::Error) -> (Code, &'static str) {
    use io::ErrorKind as Kind;
    if let Some(next) = platform::remedy(error) {
        return (Code::Unavailable, next);
    }
    match error.kind() {
        Kind::StorageFull => (Code::NoSpace, "free some space on that file system, then try again"),
        Kind::QuotaExceeded => (Code::NoSpace, "free some space or raise the quota, then try again"),
        Kind::FileTooLarge => (Code::NoSpace, "raise the limit on the size of files (ulimit -f), then try again"),
        Kind::NotFound => (Code::NotFound, "see whether the store was moved or deleted"),
        Kind::PermissionDenied => {
            (Code::Unavailable, "give this user access to it, or run as the user who owns the store")
        }
        Kind::ReadOnlyFilesystem => {
            (Code::Unavailable, "mount that file system writable, or open the store to read only")
        }
        Kind::InvalidInput | Kind::InvalidFilename => (Code::Invalid, "no file can have such a name: give another"),
        _ => (Code::Unavailable, "see to that cause, then try again"),
    }
}

/// The answer of a handle that a forked process inherited.
#[cold]
pub(super) fn forked(path: &Path) -> Error {
    Error::new(
        Code::Forked,
        format!("this handle on {} was inherited through a fork: open the store again in this process", path.display()),
    )
}

/// The answer to a write through a handle that only reads.
#[cold]
pub(super) fn read_only(path: &Path) -> Error {
    Error::new(Code::ReadOnly, format!("{} was opened to read only: open it to write for that", path.display()))
}
