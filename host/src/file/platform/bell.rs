//! What systems without a port of their own have: a bell that never rings for a write, and no knowledge of holders
//! and file systems.

use std::{
    fs,
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use super::Rang;
use crate::file::place::FsType;

/// A bell that only an interrupt rings; whoever waits at it looks for himself from time to time.
#[derive(Debug)]
pub(in crate::file) struct Bell(Ringer);

/// Interrupts a wait at a bell from another thread.
#[derive(Clone, Debug, Default)]
pub(in crate::file) struct Ringer(Arc<(Mutex<bool>, Condvar)>);

impl Ringer {
    pub(in crate::file) fn ring(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

#[allow(clippy::unused_self, reason = "other systems have something to do here")]
impl Bell {
    pub(in crate::file) fn new(path: &Path) -> std::io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self(Ringer::default()))
    }

    pub(in crate::file) fn ringer(&self) -> Ringer {
        self.0.clone()
    }

    pub(in crate::file) fn armed(&self) -> bool {
        false
    }

    pub(in crate::file) fn arm(&mut self) {}

    pub(in crate::file) fn wait(&mut self, timeout: Duration, _writes: bool) -> Rang {
        let (rung, condition) = &*self.0.0;
        let rung = rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condition.wait_timeout_while(rung, timeout, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *rung) { Rang::Interrupted } else { Rang::Nothing }
    }
}

/// Holders are named by their own note in the lock file.
#[cfg_attr(test, allow(dead_code))]
pub(in crate::file) fn knows_holders() -> bool {
    false
}

#[cfg_attr(test, allow(dead_code))]
pub(in crate::file) fn holder(_lock: &fs::File) -> Option<u32> {
    None
}

/// Network shares of Windows show in the path; nothing else does here.
#[cfg_attr(test, allow(dead_code))]
pub(in crate::file) fn fs_type(path: &Path) -> FsType {
    use std::path::{Component, Prefix};
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match path.components().next() {
        Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)) => {
            FsType::Shared("a network share")
        }
        _ => FsType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_an_interrupt_rings_and_it_rings_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut bell = Bell::new(dir.path()).unwrap();
        bell.arm();
        assert!(!bell.armed());
        fs::write(dir.path().join("file"), b"bytes").unwrap();
        assert_eq!(bell.wait(Duration::from_millis(5), true), Rang::Nothing);
        let ringer = bell.ringer();
        ringer.ring();
        assert_eq!(bell.wait(Duration::MAX, true), Rang::Interrupted);
        assert_eq!(bell.wait(Duration::ZERO, true), Rang::Nothing);
        let thread = std::thread::spawn(move || ringer.ring());
        assert_eq!(bell.wait(Duration::MAX, true), Rang::Interrupted);
        thread.join().unwrap();
        assert!(Bell::new(&dir.path().join("missing")).is_err());
    }
}
