//! A journal that keeps nothing but its tail.

use alloc::{boxed::Box, format, vec::Vec};

use crate::{
    error::{Code, Error, Result},
    id::{Position, StoreId},
    port::{AppendError, Body, Draft, Journal, JournalStats, Pieces, SnapshotName, Synced, Syncer, Tail, Visit},
    time::Millis,
};

/// A journal for a store that lives in the memory of one handle and ends with it. The state is all there is: an
/// append moves the tail and forgets the entries, so the floor always is the tail, and nothing grows.
///
/// It can't be opened twice and has no snapshots: `reopen` and `publish_snapshot` answer `Code::Unsupported`.
/// Several handles on one store in memory want a [`RowLog`](super::RowLog) over `MemoryRows`.
#[derive(Debug)]
pub struct Ephemeral {
    identity: StoreId,
    tail: Tail,
}

impl Ephemeral {
    /// A new journal with this identity; it should be random.
    pub const fn new(identity: StoreId) -> Self {
        Self { identity, tail: Tail::empty(Position(1)) }
    }
}

#[cold]
fn unsupported(what: &str) -> Error {
    Error::new(
        Code::Unsupported,
        format!("a store in the memory of one handle has no {what}: keep it in a folder, or in shared memory"),
    )
}

impl Journal for Ephemeral {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> Result<Tail> {
        Ok(self.tail)
    }

    fn read(&mut self, from: &Tail, _visit: Visit<'_>) -> Result<Tail> {
        if *from == self.tail {
            return Ok(self.tail);
        }
        if from.position < self.tail.position {
            return Err(Error::new(
                Code::Truncated,
                format!("nothing before position {} is kept in memory", self.tail.position),
            ));
        }
        Err(Error::new(
            Code::Corrupt,
            format!("position {} is no part of this store, which ends at {}", from.position, self.tail.position),
        ))
    }

    fn section_after(&mut self, _wait: Millis, _meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        body(self)
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        if *at != self.tail {
            return Err(AppendError::Conflict);
        }
        let mut tail = *at;
        for draft in drafts {
            if draft.revision.0 != tail.revision.0.wrapping_add(1) || draft.next_id < tail.next_id {
                return Err(AppendError::Refused(Error::new(
                    Code::Internal,
                    format!("revision {} does not continue revision {}; report this", draft.revision, tail.revision),
                )));
            }
            // Nobody will read the entry, so its checksum would check nothing; the link need only differ from the
            // last one, so that a tail of another history is not taken for this one.
            let link = tail.link.rotate_left(7) ^ (draft.author.0 as u32) ^ (draft.revision.0 as u32);
            tail = Tail {
                position: Position(tail.position.0.saturating_add(1)),
                revision: draft.revision,
                next_id: draft.next_id,
                link,
            };
        }
        self.tail = tail;
        Ok(tail)
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        Box::new(Done(self.tail.position))
    }

    fn durable(&mut self) -> Position {
        self.tail.position
    }

    fn note_synced(&mut self, _synced: &Synced) {}

    fn heal(&mut self, _wait: Millis) -> Result<()> {
        Ok(())
    }

    fn publish_snapshot(&mut self, _pieces: Pieces<'_>) -> Result<()> {
        Err(unsupported("snapshots"))
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        Ok(Vec::new())
    }

    fn read_snapshot(&mut self, _name: SnapshotName, _visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        Err(Error::new(Code::NotFound, "a store in the memory of one handle has no snapshots"))
    }

    fn remove_snapshot(&mut self, _name: SnapshotName) -> Result<()> {
        Ok(())
    }

    fn truncate_before(&mut self, _position: Position) -> Result<()> {
        Ok(())
    }

    fn stats(&mut self) -> Result<JournalStats> {
        Ok(JournalStats { durable: self.tail.position, floor: self.tail.position, ..JournalStats::default() })
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        Err(unsupported("second handle"))
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A sync with nothing left to do.
struct Done(Position);

impl Syncer for Done {
    fn sync(&mut self) -> Result<Synced> {
        Ok(Synced { position: self.0 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        entry::EntryKind,
        id::{Author, Revision, TaskId},
    };

    fn draft(revision: u64) -> Draft {
        Draft {
            kind: EntryKind::Transaction,
            revision: Revision(revision),
            next_id: TaskId(revision + 1),
            author: Author(7),
            payload: Vec::new(),
        }
    }

    #[test]
    fn appends_move_the_tail_and_the_floor_with_it() {
        let mut journal = Ephemeral::new(StoreId([1; 16]));
        let begin = journal.floor().unwrap();
        let tail = journal.append(&begin, &[draft(1), draft(2)]).unwrap();
        assert_eq!((tail.position, tail.revision, tail.next_id), (Position(3), Revision(2), TaskId(3)));
        assert_eq!(journal.floor().unwrap(), tail);
        assert_eq!(journal.read(&tail, &mut |_| Ok(())).unwrap(), tail);
        assert_eq!(journal.stats().unwrap().journal_bytes, 0);
    }

    #[test]
    fn what_is_not_behind_the_tail_is_refused() {
        let mut journal = Ephemeral::new(StoreId([1; 16]));
        let begin = journal.floor().unwrap();
        let tail = journal.append(&begin, &[draft(1)]).unwrap();
        assert!(matches!(journal.append(&begin, &[draft(1)]), Err(AppendError::Conflict)));
        let other = Tail { link: tail.link ^ 1, ..tail };
        assert!(matches!(journal.append(&other, &[draft(2)]), Err(AppendError::Conflict)));
        assert!(matches!(journal.append(&tail, &[draft(2), draft(2)]), Err(AppendError::Refused(_))));
        assert_eq!(journal.read(&begin, &mut |_| Ok(())).unwrap_err().code(), Code::Truncated);
        assert_eq!(journal.read(&other, &mut |_| Ok(())).unwrap_err().code(), Code::Corrupt);
        assert_eq!(journal.floor().unwrap(), tail);
    }

    #[test]
    fn it_can_not_be_opened_twice() {
        let journal = Ephemeral::new(StoreId([1; 16]));
        assert_eq!(journal.reopen().err().map(|error| error.code()), Some(Code::Unsupported));
    }
}
