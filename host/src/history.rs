//! Looking at a store's entries, one by one. Nothing is written, not even a lock.

use std::{path::Path, time::Duration};

use tenure_core::{
    Result, Revision, StoreId,
    engine::Event,
    port::{Journal, Tail},
};

use crate::file::{Access, Folder, FolderOptions, Notice};

/// A folder to look at.
pub(crate) fn folder(path: &Path) -> Result<Folder> {
    Folder::open(path, &FolderOptions { access: Access::ReadOnly, create: false, ..FolderOptions::default() })
}

/// The entries of a store in the order in which they were committed.
#[derive(Debug)]
pub struct History {
    journal: Handle,
    tail: Tail,
    notice: Notice,
}

struct Handle(Box<dyn Journal>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl History {
    /// From the oldest entry that the journal still holds.
    pub fn open(path: &Path) -> Result<Self> {
        let notice = Notice::new(folder(path)?.path())?;
        let mut journal = crate::file::open_to_read(path)?;
        let tail = journal.floor()?;
        Ok(Self { journal: Handle(journal), tail, notice })
    }

    /// The revision behind which it goes on.
    pub fn revision(&self) -> Revision {
        self.tail.revision
    }

    /// The store.
    pub fn identity(&self) -> StoreId {
        self.journal.0.identity()
    }

    /// Gives the entries that follow, up to the present end, to `visit`.
    ///
    /// # Errors
    /// `Truncated` where the journal let go of what follows: open it anew. An error of `visit` ends it.
    pub fn read(&mut self, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let mut seen = self.tail;
        let read = self.journal.0.read(&self.tail, &mut |stored| {
            seen = stored.tail;
            visit(Event::read(&stored)?)
        });
        self.tail = *read.as_ref().unwrap_or(&seen);
        read.map(drop)
    }

    /// Waits until somebody has written, at most that long.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        self.notice.wait(at_most)
    }
}
