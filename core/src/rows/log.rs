//! The journal over rows.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::{
    borrow::BorrowMut,
    fmt,
    marker::PhantomData,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{
    Rows,
    lookup::in_row,
    mark,
    syncer::{RowSyncer, suspect},
};
use crate::{
    error::{Code, Error, Result},
    frame::{Salt, encode_row, read_row},
    id::{Position, StoreId},
    port::{AppendError, Body, Draft, Journal, JournalStats, Piece, Pieces, SnapshotName, Synced, Syncer, Tail, Visit},
    time::Millis,
};

/// What a handle knows of the rows.
#[derive(Debug)]
pub struct Seen {
    pub(super) identity: StoreId,
    pub(super) salt: Salt,
    /// The last tail that was read or appended, and so needs no second look at the row before it.
    pub(super) known: Option<Tail>,
    /// The furthest position that was read or appended.
    pub(super) end: Position,
    /// Up to where a sync is known to have worked, shared by all handles that were reopened from one; not used where appends
    /// are durable by themselves. Where a number of rows does not fit, the handles know of less than is durable.
    synced: Arc<AtomicUsize>,
    /// Whether appends are durable by themselves.
    immediate: bool,
    /// Set while a sync has failed and none has worked since.
    suspect: Arc<AtomicBool>,
}

/// A journal over [`Rows`].
///
/// `B` and `S` are `R` and what is known of it, owned by a handle and lent to the body of a section.
pub struct RowLog<R, B = R, S = Seen> {
    rows: B,
    seen: S,
    inside: bool,
    of: PhantomData<fn() -> R>,
}

impl<R: Rows> RowLog<R> {
    /// A handle on these rows.
    pub fn new(mut rows: R) -> Self {
        let identity = rows.identity();
        let immediate = rows.syncer().is_none();
        let seen = Seen {
            identity,
            salt: Salt::of(identity),
            known: None,
            end: Position(0),
            synced: Arc::default(),
            immediate,
            suspect: Arc::new(AtomicBool::new(false)),
        };
        Self { rows, seen, inside: false, of: PhantomData }
    }

    /// The rows.
    pub fn rows(&self) -> &R {
        &self.rows
    }
}

impl<R, B, S: fmt::Debug> fmt::Debug for RowLog<R, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowLog").field("seen", &self.seen).field("inside", &self.inside).finish_non_exhaustive()
    }
}

impl Seen {
    fn saw(&mut self, tail: &Tail) {
        self.known = Some(*tail);
        self.end = self.end.max(tail.position);
    }

    fn durable(&self) -> Position {
        if self.immediate { self.end } else { Position(self.synced.load(Ordering::Acquire) as u64) }
    }

    fn note(&self, position: Position) {
        self.synced.fetch_max(usize::try_from(position.0).unwrap_or(usize::MAX), Ordering::AcqRel);
    }
}

impl<R: Rows, B: BorrowMut<R>, S: BorrowMut<Seen>> RowLog<R, B, S> {
    pub(super) fn parts(&mut self) -> (&mut R, &mut Seen) {
        (self.rows.borrow_mut(), self.seen.borrow_mut())
    }

    fn run_sync(&mut self) -> Result<()> {
        let (rows, seen) = self.parts();
        let end = seen.end;
        if let Some(mut sync) = rows.syncer() {
            sync()?;
        }
        seen.suspect.store(false, Ordering::Release);
        seen.note(end);
        Ok(())
    }
}

impl<R, B, S> Journal for RowLog<R, B, S>
where
    R: Rows + 'static,
    B: BorrowMut<R> + Send,
    S: BorrowMut<Seen> + Send,
{
    fn identity(&self) -> StoreId {
        self.seen.borrow().identity
    }

    fn floor(&mut self) -> Result<Tail> {
        self.floor_tail()
    }

    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        let (rows, seen) = self.parts();
        let salt = seen.salt;
        let (mut tail, mut mark) = (*from, Position(0));
        let read = rows.read(from.position.0, &mut |n, row| {
            let stored = in_row(n, &tail, read_row(salt, &tail, row))?;
            let (behind, durable) = (stored.tail, stored.durable);
            visit(stored)?;
            (tail, mark) = (behind, mark.max(durable));
            Ok(())
        });
        // A sync has to cover what was given, also where the read fails behind it.
        seen.end = seen.end.max(tail.position);
        read?;
        // What its author knew, who may be another process.
        seen.note(mark);
        // Nothing came in: either this is the end, or a place that is no part of this history.
        if tail == *from && !self.anchored(from)? {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "the journal has no entry of revision {} before row {}, which this handle has seen there: entries \
                     were lost or exchanged; restore the store from a backup",
                    from.revision, from.position
                ),
            ));
        }
        self.seen.borrow_mut().saw(&tail);
        Ok(tail)
    }

    fn section_after(&mut self, wait: Millis, _meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        if self.inside {
            return body(self);
        }
        let (rows, seen) = self.parts();
        rows.section(wait, &mut |rows| {
            body(&mut RowLog { rows, seen: &mut *seen, inside: true, of: PhantomData::<fn() -> R> })
        })
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        let mut tail = *at;
        let (salt, durable) = (self.parts().1.salt, self.parts().1.durable());
        let mut rows = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let (row, behind) = encode_row(salt, &tail, durable, draft).map_err(AppendError::Refused)?;
            rows.push(row);
            tail = behind;
        }
        if !self.anchored(at).map_err(AppendError::Refused)? {
            return Err(AppendError::Conflict);
        }
        if rows.is_empty() {
            return Ok(tail);
        }
        let (store, seen) = self.parts();
        let appended = store.append(at.position.0, &rows);
        match &appended {
            Ok(()) => seen.saw(&tail),
            // Another look at the row before it: should it be gone, the next read must say so.
            Err(_) => seen.known = None,
        }
        appended.map(|()| tail)
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        let (rows, seen) = self.parts();
        // Another handle may have done it already.
        let done = seen.end > Position(0) && seen.durable() >= seen.end;
        let sync = if done { None } else { rows.syncer() };
        Box::new(RowSyncer { position: seen.end, sync, suspect: seen.suspect.clone() })
    }

    fn durable(&mut self) -> Position {
        self.parts().1.durable()
    }

    fn note_synced(&mut self, synced: &Synced) {
        self.parts().1.note(synced.position);
    }

    fn heal(&mut self, _wait: Millis) -> Result<()> {
        self.run_sync()
    }

    fn publish_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()> {
        let mut whole = Vec::new();
        let name = loop {
            match pieces()? {
                Piece::Bytes(bytes) => whole.extend_from_slice(&bytes),
                Piece::Name(name) => break name,
            }
        };
        self.parts().0.publish_snapshot(name, whole)
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        let mut names = self.parts().0.snapshots()?;
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    fn read_snapshot(&mut self, name: SnapshotName, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let bytes = self.parts().0.read_snapshot(name)?;
        visit(&bytes)
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.parts().0.remove_snapshot(name)
    }

    fn truncate_before(&mut self, position: Position) -> Result<()> {
        let floor = self.floor_tail()?;
        if position <= floor.position {
            return Ok(());
        }
        let tail = self.tail_before(position, floor)?;
        self.parts().0.truncate(tail.position.0, &mark::encode(&tail))
    }

    fn stats(&mut self) -> Result<JournalStats> {
        let floor = self.floor_tail()?.position;
        let (rows, seen) = self.parts();
        let (journal_bytes, snapshot_bytes, segments) = rows.sizes()?;
        Ok(JournalStats { journal_bytes, snapshot_bytes, segments, durable: seen.durable(), floor, aborted: 0 })
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        let mut second = RowLog::new(*self.rows.borrow().reopen()?);
        let seen = self.seen.borrow();
        if second.seen.identity == seen.identity {
            second.seen.synced = seen.synced.clone();
        }
        Ok(Box::new(second))
    }

    fn close(&mut self) -> Result<()> {
        if self.parts().1.suspect.load(Ordering::Acquire) {
            return Err(suspect());
        }
        self.run_sync()
    }
}
