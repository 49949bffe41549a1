//! Snapshots: when one is due, the walk, and what may go once it is published.

use alloc::vec::Vec;

use super::{Desk, Ticket, Window, Work};
use crate::{
    error::{Code, Error, Result},
    id::{Author, Revision},
    port::{SnapshotName, Tail},
    rows,
    snapshot::{self, Ranked, Walk},
};

/// Items that one slice takes.
const SLICE: usize = 1024;

/// When a snapshot is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Whether one is ever due by itself.
    pub automatic: bool,
    /// Bytes of journal since the last one.
    pub bytes: u64,
    /// Entries since the last one.
    pub entries: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { automatic: true, bytes: 8 << 20, entries: 20_000 }
    }
}

/// What is known of snapshots.
#[derive(Debug)]
pub(crate) struct Walks {
    policy: Policy,
    /// Bytes of rows since the beginning of the last snapshot.
    since: u64,
    /// The revision at which it ended.
    last: u64,
    /// Bytes of the last one.
    size: u64,
    walk: Option<(Walk, u64)>,
    begun: bool,
    /// Whether the storage was found full by the turn before.
    pub full: bool,
}

impl Walks {
    pub fn new(policy: Policy) -> Self {
        Self { policy, since: 0, last: 0, size: 0, walk: None, begun: false, full: false }
    }

    /// Looks where the last snapshot lies.
    pub fn find(&mut self, window: &Window) -> Result<()> {
        let newest = window.snapshots.iter().max_by_key(|(name, _)| *name);
        let begin = match newest {
            Some((name, bytes)) => {
                self.last = name.end.0;
                self.size = bytes.len() as u64;
                snapshot::begin_of(bytes)?.map_or(window.from, |begin| begin.0)
            }
            None => window.from,
        };
        let skip = usize::try_from(begin.saturating_sub(window.from)).unwrap_or(usize::MAX);
        self.since = window.rows.iter().skip(skip).map(|row| row.len() as u64).sum();
        Ok(())
    }

    /// Rows behind `tail` came in.
    pub fn grew(&mut self, window: &Window, tail: &Tail) {
        let skip = usize::try_from(tail.position.0.saturating_sub(window.from)).unwrap_or(usize::MAX);
        self.since += window.rows.iter().skip(skip).map(|row| row.len() as u64).sum::<u64>();
    }

    /// This handle appended payloads of so many bytes.
    pub fn wrote(&mut self, bytes: u64) {
        self.since += bytes;
    }

    /// Bytes of journal that wait for a snapshot.
    pub fn bytes(&self) -> u64 {
        self.since
    }

    fn is_due(&self, tail: Revision, author: Author, marker: Option<(Author, Revision)>) -> bool {
        let bytes = self.policy.bytes.max(self.size / 16 * 7);
        let entries = tail.0.saturating_sub(self.last);
        if self.begun || !self.policy.automatic || (self.since < bytes && entries < self.policy.entries) {
            return false;
        }
        // Another handle that has begun one is left to it, until half of what makes one due has come since.
        let Some((by, at)) = marker else { return true };
        by == author || tail.0.saturating_sub(at.0) >= self.policy.entries / 2
    }
}

impl Desk {
    /// Whether a snapshot should be taken, and no other handle has begun one lately.
    pub fn snapshot_due(&self) -> bool {
        let engine = &self.engine;
        engine.may_write().is_ok()
            && self.walks.is_due(engine.tail().revision, engine.author(), engine.snapshot_marker())
    }

    /// Begins a snapshot: the marker makes the other handles hold off. Once it is answered, [`slice`](Self::slice) gives
    /// the snapshot's bytes.
    pub fn begin_snapshot(&mut self) -> Ticket {
        self.walks.begun = true;
        self.submit(Work::Snapshot)
    }

    pub(super) fn begin_walk(&mut self, _marker: Revision) {
        let walk = Walk::new(self.engine.state(), self.engine.tail(), self.identity);
        self.walks.walk = Some((walk, self.engine.loads()));
    }

    /// The next bytes of the snapshot that was begun; `None` at its end. Commits may go on between two slices.
    ///
    /// # Errors
    /// `Timeout` with code `cancelled` where the state was loaded anew meanwhile: begin another.
    pub fn slice(&mut self) -> Result<Option<Vec<u8>>> {
        let Some((walk, loads)) = &mut self.walks.walk else {
            return Err(Error::new(Code::Invalid, "no snapshot was begun"));
        };
        if *loads != self.engine.loads() {
            self.end_snapshot(0);
            return Err(Error::new(Code::Cancelled, "the state was loaded anew while it was walked: begin another"));
        }
        let mut slice = walk.slice(self.engine.state(), self.engine.tail(), SLICE);
        while slice.as_ref().is_some_and(|(_, raw)| raw.is_empty()) {
            slice = walk.slice(self.engine.state(), self.engine.tail(), SLICE);
        }
        Ok(slice.map(|(kind, raw)| snapshot::pack(kind, &raw)))
    }

    /// The name under which the snapshot is to be published.
    pub fn snapshot_name(&self) -> Option<SnapshotName> {
        let (walk, _) = self.walks.walk.as_ref()?;
        Some(SnapshotName { end: walk.end().revision, author: self.engine.author() })
    }

    /// The snapshot was published with so many bytes, or, with 0, given up.
    pub fn end_snapshot(&mut self, bytes: u64) {
        self.walks.begun = false;
        let Some((walk, _)) = self.walks.walk.take() else { return };
        if bytes > 0 {
            self.walks.last = walk.end().revision.0;
            self.walks.size = bytes;
            self.walks.since = 0;
        }
    }
}

/// Of snapshots, each under its name and with the bytes of its first piece at least: those that are superfluous, and with
/// what the rows may begin once everything before the rest is let go, a position and the mark to keep with it. The rule is
/// that of [`prune`](crate::driver::prune).
pub fn keep<N: Ord>(snapshots: Vec<(N, &[u8])>) -> (Vec<N>, Option<(u64, Vec<u8>)>) {
    let begin = |bytes| snapshot::begin_tail(bytes).ok().flatten();
    let ranked = Ranked::of(snapshots.into_iter().map(|found| {
        let position = begin(found.1).map(|tail| tail.position);
        (found, position)
    }));
    let floor = ranked.second().and_then(|(position, (_, bytes))| Some((position.0, rows::mark_of(&begin(bytes)?))));
    (ranked.superfluous().map(|(name, _)| name).collect(), floor)
}
