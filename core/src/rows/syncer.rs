//! Making rows durable, beside the appends.

use alloc::{borrow::ToOwned, sync::Arc};
use core::sync::atomic::{AtomicBool, Ordering};

use super::RowSync;
use crate::{
    error::{Code, Error, Result},
    id::Position,
    port::{Synced, Syncer},
};

/// A sync of rows.
pub(super) struct RowSyncer {
    pub(super) position: Position,
    pub(super) sync: Option<RowSync>,
    pub(super) suspect: Arc<AtomicBool>,
}

impl Syncer for RowSyncer {
    fn sync(&mut self) -> Result<Synced> {
        if let Some(sync) = &mut self.sync {
            if self.suspect.load(Ordering::Acquire) {
                return Err(suspect());
            }
            sync().inspect_err(|_| self.suspect.store(true, Ordering::Release))?;
        }
        Ok(Synced { position: self.position })
    }
}

#[cold]
pub(super) fn suspect() -> Error {
    Error::new(Code::Suspect, "a sync failed, and what it covered may be lost: heal the journal first".to_owned())
}
