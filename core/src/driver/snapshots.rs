//! Taking a snapshot: marker, walk, publication, and letting go of what it made superfluous.

use alloc::{boxed::Box, vec::Vec};

use super::{Clock, Damaged, Driver, catch_up};
use crate::{
    engine::Engine,
    error::{Code, Error, Result},
    id::{Author, Position, Revision},
    port::{Journal, Piece, SnapshotName},
    snapshot::{ChunkKind, Ranked, Walk},
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
        let Prepared { mut walk, mut journal } = self.begin_snapshot(clock)?;
        let author = self.engine.author();
        let published = journal.publish_snapshot(&mut || {
            if let Some((kind, raw)) = self.slice(&mut walk, usize::MAX) {
                return Ok(Piece::Bytes(crate::snapshot::pack(kind, &raw)));
            }
            let synced = self.syncer().sync()?;
            self.note_synced(&synced);
            Ok(Piece::Name(SnapshotName { end: walk.end().revision, author }))
        });
        if let Err(error) = published {
            return overtaken(&mut *journal, walk.begin().revision, error);
        }
        self.remove_damaged(&mut *journal)?;
        prune(&mut *journal)?;
        let end = walk.end().revision;
        self.lift_guard(end, clock)?;
        Ok(SnapshotName { end, author })
    }

    /// Where nobody has the store for itself, and that has been so, durably, since a revision: adds need to load nothing again.
    pub fn lift_guard(&mut self, durable: Revision, clock: Clock<'_>) -> Result<()> {
        let free = |engine: &Engine| {
            let state = engine.state();
            // What is not durable may be taken back by a power cut: then the store is somebody's again.
            state.exclusive() == Author(0) && state.level() == 1 && state.handed() <= durable
        };
        let engine = &mut self.engine;
        if !free(engine) {
            return Ok(());
        }
        self.journal.section(self.lock_wait, &mut |journal| {
            catch_up(engine, journal, clock)?;
            if free(engine) { journal.lift_guard() } else { Ok(()) }
        })
    }

    /// Snapshots that were found damaged when the state was loaded, which an older one, or the journal, has made up for.
    /// They are removed when a new one is taken.
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    /// After a new snapshot was published: removes those that were [damaged](Self::damaged), for which it makes up.
    pub fn remove_damaged(&mut self, journal: &mut dyn Journal) -> Result<()> {
        self.damaged.iter().try_for_each(|(name, _)| journal.remove_snapshot(*name))?;
        self.damaged.clear();
        Ok(())
    }

    /// Before a new snapshot is written: of those that can be used the furthest is enough meanwhile, so that there are
    /// never three. What is damaged stays until the new one is there.
    pub fn make_room(&self, journal: &mut dyn Journal) -> Result<()> {
        let is_damaged = |name| self.damaged.iter().any(|(damaged, _)| *damaged == name);
        let usable = rank(journal, |name| !is_damaged(name))?;
        usable.whole.into_iter().skip(1).try_for_each(|(_, name)| journal.remove_snapshot(name))
    }
}

/// Where a snapshot that was begun at a revision could not be published: the newest one, if another handle published one that
/// was begun later, and with that removed what was written of this one. Otherwise it is the error.
pub fn overtaken(journal: &mut dyn Journal, begun: Revision, error: Error) -> Result<SnapshotName> {
    if error.code() != Code::NotFound {
        return Err(error);
    }
    journal.snapshots()?.into_iter().find(|newer| newer.end >= begun).ok_or(error)
}

/// After a snapshot was published: keeps the two that begin furthest on, and the journal from the second one's beginning. One
/// that is seen to be damaged counts for none, and goes. Several handles may do this at once.
pub fn prune(journal: &mut dyn Journal) -> Result<()> {
    let ranked = rank(journal, |_| true)?;
    let second = ranked.second().map(|(begin, _)| *begin);
    ranked.superfluous().try_for_each(|name| journal.remove_snapshot(name))?;
    second.map_or(Ok(()), |begin| journal.truncate_before(begin))
}

fn rank(journal: &mut dyn Journal, counts: impl Fn(SnapshotName) -> bool) -> Result<Ranked<SnapshotName>> {
    let names = journal.snapshots()?.into_iter().filter(|name| counts(*name));
    let found: Vec<_> = names.map(|name| Ok((name, begin_if_whole(journal, name)?))).collect::<Result<_>>()?;
    Ok(Ranked::of(found))
}

/// Where the replay of a snapshot begins; nothing where it is gone, or damaged as far as that shows without reading all.
fn begin_if_whole(journal: &mut dyn Journal, name: SnapshotName) -> Result<Option<Position>> {
    let finished = journal.is_finished(name);
    match finished.and_then(|finished| if finished { begin_of(journal, name).map(Some) } else { Ok(None) }) {
        Ok(begin) => Ok(begin),
        Err(error) if matches!(error.code(), Code::Corrupt | Code::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
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
            Some(_) => Err(Error::new(Code::Cancelled, "enough")),
            None => Ok(()),
        }
    });
    match (position, done) {
        (Some(position), _) => Ok(position),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::new(Code::Corrupt, "a snapshot has no head")),
    }
}
