//! Making a segment durable, beside the appends to it.
//!
//! Handles take turns at it. Who waits for the turn reads the watermark meanwhile, and needs no sync of his own once that
//! covers him. Who has it takes along what the others have appended by then: what they wait for is in his sync. The
//! turn is for speed alone; what a sync proves, it proves without one.

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicBool, Ordering};

use super::{
    disk::{DiskFile, SharedBytes, Turn},
    scan::{self, Window},
    segment::Header,
    watermark,
};
use crate::{
    error::{Code, Error, Result},
    frame::{Reader, Salt},
    id::Position,
    port::{Synced, Syncer, Tail},
};

/// What all syncs of one open segment share.
///
/// They take turns: of two syncs at once the one may be told of a failure that both are about, and the other not.
#[derive(Default, Debug)]
pub(super) struct SyncState {
    failed: AtomicBool,
    #[cfg(any(test, feature = "std"))]
    covered: std::sync::Mutex<Position>,
    #[cfg(not(any(test, feature = "std")))]
    busy: AtomicBool,
}

impl SyncState {
    /// Whether a sync of this segment failed. From then on no sync of it proves anything.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Says that a sync failed.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Says that what a failed sync was to cover is durable by other means.
    pub fn mended(&self) {
        self.failed.store(false, Ordering::Release);
    }

    /// Syncs the segment, unless a sync that began later than `position` was written is done.
    pub fn sync<F: DiskFile>(&self, file: &F, position: Position) -> Result<()> {
        #[cfg(any(test, feature = "std"))]
        {
            let mut covered = self.covered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if *covered < position {
                self.sync_now(file)?;
                *covered = position;
            }
            Ok(())
        }
        #[cfg(not(any(test, feature = "std")))]
        {
            let _ = position;
            if self.busy.swap(true, Ordering::AcqRel) {
                return Err(Error::new(
                    Code::Unavailable,
                    "another sync of this segment is running: try again after it",
                ));
            }
            let result = self.sync_now(file);
            self.busy.store(false, Ordering::Release);
            result
        }
    }

    fn sync_now<F: DiskFile>(&self, file: &F) -> Result<()> {
        if self.failed() {
            return Err(suspect(None));
        }
        file.sync().map_err(|error| {
            self.failed.store(true, Ordering::Release);
            suspect(Some(error))
        })
    }
}

/// The error of a sync that failed, and of every one after it until the journal is healed.
pub(super) fn suspect(cause: Option<Error>) -> Error {
    let error = Error::new(
        Code::Suspect,
        "a sync of the journal failed; until what it covered is written again elsewhere nothing more is acknowledged",
    );
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

/// What a byte log's syncer has to do.
pub(super) enum Work<F> {
    /// Nothing: all is durable already.
    Done(Position),
    /// Nothing can be made durable now.
    Refuse(Error),
    /// A sync of the active segment.
    Sync(Box<SegmentSync<F>>),
}

/// A sync of the segment in which a handle's tail lies.
pub(super) struct SegmentSync<F> {
    pub header: Header,
    pub file: Arc<F>,
    pub state: Arc<SyncState>,
    pub salt: Salt,
    /// What is to be covered.
    pub tail: Tail,
    pub shared: Arc<dyn SharedBytes>,
    /// Whether it may wait for its turn: not under the folder's lock.
    pub patient: bool,
}

/// A turn that is ended whatever happens.
struct Mine<'a, F: DiskFile>(&'a F);

impl<F: DiskFile> Drop for Mine<'_, F> {
    fn drop(&mut self) {
        self.0.end_turn();
    }
}

impl<F: DiskFile> SegmentSync<F> {
    fn run(&self) -> Result<Position> {
        let mut covered = Position(0);
        let turn = if self.patient {
            self.file.take_turn(&mut || {
                covered = self.watermark();
                covered >= self.tail.position
            })
        } else {
            Turn::None
        };
        if turn == Turn::Served {
            return Ok(covered);
        }
        let mine = (turn == Turn::Taken).then(|| Mine(&*self.file));
        // Before the sync: it covers what is in the file by now.
        let position = if mine.is_some() { self.end_of_file() } else { self.tail.position };
        self.state.sync(&*self.file, position)?;
        // Only others profit from it, and only by a sync that they need not do. Before the turn ends: who gets it next
        // looks there first.
        let _ = self.shared.write(&watermark::encode(self.header.store, position));
        drop(mine);
        Ok(position)
    }

    fn watermark(&self) -> Position {
        let mark = self.shared.read().ok().and_then(|bytes| watermark::decode(&bytes));
        mark.filter(|(store, _)| *store == self.header.store).map_or(Position(0), |(_, position)| position)
    }

    /// Behind the last whole entry that others have appended by now. No whole entry is ever removed from a segment
    /// that is in use, and what was written after this handle opened the file is in its syncs.
    fn end_of_file(&self) -> Position {
        let known = self.tail.position;
        match self.file.len() {
            Ok((len, _)) if len > self.header.offset(known) => {
                let mut reader = Reader::new(self.salt, &self.tail);
                let mut window = Window::default();
                let read = scan::scan(&*self.file, &self.header, len, None, &mut reader, &mut window, &mut |_| Ok(()));
                // Also where it ended early: what was read is whole.
                let _ = read;
                reader.tail().position.max(known)
            }
            _ => known,
        }
    }
}

impl<F: DiskFile> Syncer for Work<F> {
    fn sync(&mut self) -> Result<Synced> {
        match self {
            Self::Done(position) => Ok(Synced { position: *position }),
            Self::Refuse(error) => Err(error.clone()),
            Self::Sync(sync) => Ok(Synced { position: sync.run()? }),
        }
    }
}
