//! Making a segment durable, beside the appends to it.
//!
//! Handles on one folder do not wait for each other's syncs: see DESIGN, "processes do not take turns at the sync".

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use super::{
    disk::{DiskFile, SharedBytes},
    watermark,
};
use crate::{
    error::{Code, Error, Result},
    id::{Position, StoreId},
    port::{Synced, Syncer},
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
    Sync(SegmentSync<F>),
}

/// A sync of the segment in which a handle's tail lies.
pub(super) struct SegmentSync<F> {
    pub store: StoreId,
    pub file: Arc<F>,
    pub state: Arc<SyncState>,
    /// What is to be covered.
    pub position: Position,
    pub shared: Arc<dyn SharedBytes>,
}

impl<F: DiskFile> SegmentSync<F> {
    fn run(&self) -> Result<Position> {
        self.state.sync(&*self.file, self.position)?;
        // Only others profit from it, and only by a sync that they need not do.
        let _ = self.shared.write(&watermark::encode(self.store, self.position));
        Ok(self.position)
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
