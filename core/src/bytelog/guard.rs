//! The guard: an empty file that says that somebody once changed who may write, or what.
//!
//! A handle that knows only the last frame of a journal can't know whether an author has the store for itself, nor the
//! format level. So the guard is made, and its name durable, before the first entry that hands the store to somebody,
//! gives it back, or raises the level. It is removed under the lock, once the last of these entries is durable and nobody has the
//! store, at its first level; a crash may bring it back, which costs time alone. While it is not there, an add without conditions needs
//! no more than the tail; where it is, everybody has to know the state.

use alloc::string::String;

use super::{ByteLog, disk::Disk};
use crate::{entry::EntryKind, error::Result, port::Draft};

/// The file's name.
pub(super) const GUARD: &str = "guard";

impl<D: Disk> ByteLog<D> {
    /// Whether an append needs to know the state. Ask it after [`tail`](Self::tail): the answer holds for that tail.
    pub fn is_guarded(&mut self) -> Result<bool> {
        Ok(self.disk.names()?.iter().any(|name: &String| name == GUARD))
    }

    /// Under the lock: removes the guard.
    pub(super) fn lower_guard(&mut self) -> Result<()> {
        self.check_writable()?;
        if !self.locked || !self.is_guarded()? {
            return Ok(());
        }
        self.disk.remove(GUARD)?;
        self.disk.sync_names()
    }

    /// Under the lock: makes the guard before one of these entries needs it.
    pub(super) fn raise_guard(&mut self, drafts: &[Draft]) -> Result<()> {
        let changes_who_may_write =
            |draft: &Draft| matches!(draft.kind, EntryKind::HandOff | EntryKind::Release | EntryKind::Upgrade);
        if !drafts.iter().any(changes_who_may_write) || self.is_guarded()? {
            return Ok(());
        }
        self.disk.create(GUARD)?;
        self.disk.sync_names()
    }
}
