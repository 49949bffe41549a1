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
pub struct History(Source);

#[derive(Debug)]
enum Source {
    Folder(Read),
    #[cfg(feature = "client")]
    Served(Served),
}

/// The journal of a folder.
#[derive(Debug)]
struct Read {
    journal: Handle,
    tail: Tail,
    notice: Notice,
}

/// The log of a store that is served.
#[cfg(feature = "client")]
#[derive(Debug)]
struct Served {
    store: crate::Store,
    seen: Revision,
    watch: Option<crate::Watch>,
}

/// Entries that one call asks for.
#[cfg(feature = "client")]
const PAGE: usize = 10_000;

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
        Ok(Self(Source::Folder(Read { journal: Handle(journal), tail, notice })))
    }

    /// The same of a store that is served at a URL.
    #[cfg(feature = "client")]
    pub fn connect(url: &str, options: &crate::Options) -> Result<Self> {
        let store = options.connect(url)?;
        Ok(Self(Source::Served(Served { store, seen: Revision(0), watch: None })))
    }

    /// The revision behind which it goes on.
    pub fn revision(&self) -> Revision {
        match &self.0 {
            Source::Folder(read) => read.tail.revision,
            #[cfg(feature = "client")]
            Source::Served(served) => served.seen,
        }
    }

    /// The store.
    pub fn identity(&self) -> StoreId {
        match &self.0 {
            Source::Folder(read) => read.journal.0.identity(),
            #[cfg(feature = "client")]
            Source::Served(served) => served.store.identity(),
        }
    }

    /// Gives the entries that follow, up to the present end, to `visit`.
    ///
    /// # Errors
    /// `Truncated` where the journal let go of what follows: open it anew. An error of `visit` ends it.
    pub fn read(&mut self, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        match &mut self.0 {
            Source::Folder(read) => read.read(visit),
            #[cfg(feature = "client")]
            Source::Served(served) => served.read(visit),
        }
    }

    /// Waits until somebody has written, at most that long.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        match &mut self.0 {
            Source::Folder(read) => read.notice.wait(at_most),
            #[cfg(feature = "client")]
            Source::Served(served) => served.wait(at_most),
        }
    }
}

impl Read {
    fn read(&mut self, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let mut seen = self.tail;
        let read = self.journal.0.read(&self.tail, &mut |stored| {
            seen = stored.tail;
            visit(Event::read(&stored)?)
        });
        self.tail = *read.as_ref().unwrap_or(&seen);
        read.map(drop)
    }
}

#[cfg(feature = "client")]
impl Served {
    fn read(&mut self, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        while let Some(remote) = self.store.remote() {
            let page = remote.read(remote.client().log(self.seen, PAGE))?;
            let last = page.len() < PAGE;
            for event in page {
                self.seen = event.revision;
                visit(event)?;
            }
            if last {
                break;
            }
        }
        Ok(())
    }

    fn wait(&mut self, at_most: Duration) -> bool {
        // What comes before it watches is found by the look that follows.
        if self.watch.is_none() {
            self.watch = self.store.watch().ok();
            return true;
        }
        let until = self.store.now().saturating_add(at_most.as_millis() as u64);
        // A failure is met again, and told, by the look that follows.
        let _ = self.watch.as_mut().map(|watch| watch.drain(Some(until), None));
        true
    }
}
