//! Taking a snapshot: marker, walk, publication, and letting go of what it made superfluous.

use alloc::{boxed::Box, vec::Vec};

use super::{Clock, Damaged, Driver};
use crate::{
    error::Result,
    id::Position,
    port::{Journal, SnapshotName},
    snapshot::{ChunkKind, Walk},
};

/// A walk that is under way, and the journal handle that its snapshot is published through.
pub struct Prepared {
    /// The walk.
    pub walk: Walk,
    /// A second handle, so that publishing holds up no append.
    pub journal: Box<dyn Journal>,
}

impl core::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Prepared").field("walk", &self.walk).finish_non_exhaustive()
    }
}

impl Driver {
    /// Begins a snapshot: the marker makes the other handles hold off.
    pub fn begin_snapshot(&mut self, clock: Clock<'_>) -> Result<Prepared> {
        self.control(clock, &mut |engine, now| engine.stage_snapshot_marker(now).map(|()| true))?;
        // What the journal has only gathered has no place yet that replay could start from.
        self.catch_up(clock)?;
        let journal = self.journal.reopen()?;
        Ok(Prepared { walk: Walk::new(self.engine.state(), self.engine.tail(), self.journal.identity()), journal })
    }

    /// The next slice of a walk, not yet packed.
    pub fn slice(&self, walk: &mut Walk, items: usize) -> Option<(ChunkKind, Vec<u8>)> {
        let mut slice = walk.slice(self.engine.state(), self.engine.tail(), items)?;
        while slice.1.is_empty() {
            slice = walk.slice(self.engine.state(), self.engine.tail(), items)?;
        }
        Some(slice)
    }

    /// A snapshot in one go, for hosts without threads: walk, publish, let go.
    pub fn snapshot(&mut self, clock: Clock<'_>) -> Result<SnapshotName> {
        let mut prepared = self.begin_snapshot(clock)?;
        let mut chunks = Vec::new();
        while let Some((kind, raw)) = self.slice(&mut prepared.walk, usize::MAX) {
            chunks.push(crate::snapshot::pack(kind, &raw));
        }
        let synced = self.syncer().sync()?;
        self.note_synced(&synced);
        self.remove_damaged(&mut *prepared.journal)?;
        let name = SnapshotName { end: prepared.walk.end().revision, author: self.engine.author() };
        let mut chunks = chunks.into_iter();
        prepared.journal.publish_snapshot(name, &mut || Ok(chunks.next()))?;
        prune(&mut *prepared.journal, prepared.walk.begin().position)?;
        self.damaged.clear();
        Ok(name)
    }

    /// Snapshots that were found damaged when the state was loaded, which an older one, or the journal, has made up for.
    /// They are removed when a new one is taken.
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    /// Before a new snapshot is published: those that can't be used go first, so that the one that can is the one that
    /// is kept beside it.
    pub fn remove_damaged(&self, journal: &mut dyn Journal) -> Result<()> {
        self.damaged.iter().try_for_each(|(name, _)| journal.remove_snapshot(*name))
    }

    /// A new snapshot was published, and has made up for those that were [damaged](Self::damaged).
    pub fn forget_damaged(&mut self) {
        self.damaged.clear();
    }
}

/// After a snapshot was published that begins at `begin`: keeps the last two snapshots and the journal from the
/// older one on.
pub fn prune(journal: &mut dyn Journal, begin: Position) -> Result<()> {
    let snapshots = journal.snapshots()?;
    for old in snapshots.iter().skip(2) {
        journal.remove_snapshot(*old)?;
    }
    // Where there is no older one, nothing may go but what lies before this one's own beginning, and a second
    // snapshot is what makes that safe.
    if let Some(older) = snapshots.get(1) {
        let position = begin_of(journal, *older)?.min(begin);
        journal.truncate_before(position)?;
    }
    Ok(())
}

/// Where the replay of a snapshot begins.
pub fn begin_of(journal: &mut dyn Journal, name: SnapshotName) -> Result<Position> {
    let mut held = Vec::new();
    let mut position = None;
    let done = journal.read_snapshot(name, &mut |bytes| {
        held.extend_from_slice(bytes);
        position = crate::snapshot::begin_of(&held)?;
        match position {
            // The head is all that is wanted; the rest is left unread.
            Some(_) => Err(crate::error::Error::new(crate::error::Code::Cancelled, "enough")),
            None => Ok(()),
        }
    });
    match (position, done) {
        (Some(position), _) => Ok(position),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(crate::error::Error::new(crate::error::Code::Corrupt, "a snapshot has no head")),
    }
}
