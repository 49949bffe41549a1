//! The journal of a handle that has the store for itself and answers before stable storage: appends are gathered in
//! memory and written in large pieces, by a flush, a sync, or when enough has come together.
//!
//! Nobody else writes, so nothing needs to be looked at before an append; that somebody took the store over is noticed
//! at the next flush (rule E5). What was answered and not yet written is lost then, and the error names its first
//! revision (rule E4). The positions given for what is not written are never beyond those that it gets.

use tenure_core::{
    Code, Error, Millis, Outcome, Position, Result, StoreId,
    frame::HEADER,
    port::{AppendError, Body, Draft, Journal, JournalStats, Pieces, SnapshotName, Synced, Syncer, Tail, Visit},
};

/// Bytes that come together before they are written without being asked for.
const GATHERED: usize = 512 << 10;

/// Buffers of payloads that are kept for the next ones.
const SPARE: usize = 4096;

/// A journal that gathers appends.
pub(crate) struct Buffered {
    inner: Box<dyn Journal>,
    lock_wait: Millis,
    /// The tail of what is written.
    base: Tail,
    /// The tail behind what is gathered.
    tail: Tail,
    gathered: Vec<Draft>,
    bytes: usize,
    spare: Vec<Vec<u8>>,
    inside: bool,
    lost: Option<Error>,
}

impl Buffered {
    /// Over a journal whose tail is `tail`, and which nobody else writes.
    pub fn new(inner: Box<dyn Journal>, tail: Tail, lock_wait: Millis) -> Self {
        Self {
            inner,
            lock_wait,
            base: tail,
            tail,
            gathered: Vec::new(),
            bytes: 0,
            spare: Vec::new(),
            inside: false,
            lost: None,
        }
    }

    fn may_go_on(&self) -> Result<()> {
        self.lost.as_ref().map_or(Ok(()), |lost| Err(lost.clone()))
    }

    /// Writes what is gathered.
    fn flush(&mut self) -> Result<()> {
        self.may_go_on()?;
        if self.gathered.is_empty() {
            return Ok(());
        }
        let (base, gathered) = (&mut self.base, &self.gathered);
        let first = gathered.first().map_or(base.revision, |draft| draft.revision);
        let mut overtaken = false;
        let written = self.inner.section(self.lock_wait, &mut |journal| {
            // What is no entry, such as a seal, is passed; an entry there is another's.
            let at = journal.read(base, &mut |_| {
                overtaken = true;
                Ok(())
            })?;
            if overtaken {
                return Ok(());
            }
            match journal.append(&at, gathered) {
                Ok(tail) => *base = tail,
                Err(AppendError::Conflict) => overtaken = true,
                Err(AppendError::Refused(error) | AppendError::Unknown(error)) => {
                    // A prefix may stand: that is written.
                    *base = journal.read(&at, &mut |_| Ok(()))?;
                    return Err(error);
                }
            }
            Ok(())
        });
        if let Err(error) = written {
            let base = self.base.revision;
            self.gathered.retain(|draft| draft.revision > base);
            self.bytes = self.gathered.iter().map(|draft| draft.payload.len() + HEADER).sum();
            return Err(error);
        }
        if overtaken {
            let lost = Error::new(
                Code::Fenced,
                format!(
                    "another handle took the store over; what this one answered from revision {first} on and had not \
                     written is lost: close it and open the store again"
                ),
            )
            .with_outcome(Outcome::Refused);
            self.lost = Some(lost.clone());
            return Err(lost);
        }
        for draft in self.gathered.drain(..) {
            if self.spare.len() < SPARE {
                let mut payload = draft.payload;
                payload.clear();
                self.spare.push(payload);
            }
        }
        self.bytes = 0;
        self.tail = self.base;
        Ok(())
    }
}

impl Journal for Buffered {
    fn identity(&self) -> StoreId {
        self.inner.identity()
    }

    fn floor(&mut self) -> Result<Tail> {
        self.inner.floor()
    }

    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        if self.inside {
            self.may_go_on()?;
            return Ok(*from);
        }
        if from.revision != self.tail.revision {
            // A look back, at what is written.
            self.flush()?;
            return self.inner.read(from, visit);
        }
        self.flush()?;
        self.base = self.inner.read(&self.base, visit)?;
        self.tail = self.base;
        Ok(self.tail)
    }

    fn section_after(&mut self, _wait: Millis, _meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        self.inside = true;
        let done = body(self);
        self.inside = false;
        done
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        self.may_go_on().map_err(AppendError::Refused)?;
        if at.revision != self.tail.revision {
            return Err(AppendError::Conflict);
        }
        if self.bytes >= GATHERED {
            self.flush().map_err(AppendError::Refused)?;
        }
        for draft in drafts {
            let mut payload = self.spare.pop().unwrap_or_default();
            payload.extend_from_slice(&draft.payload);
            let bytes = payload.len() + HEADER;
            self.bytes += bytes;
            self.tail = Tail {
                position: Position(self.tail.position.0 + bytes as u64),
                revision: draft.revision,
                next_id: draft.next_id,
                link: 0,
            };
            let Draft { kind, revision, next_id, author, .. } = *draft;
            self.gathered.push(Draft { kind, revision, next_id, author, payload });
        }
        Ok(self.tail)
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        match self.flush() {
            Ok(()) => self.inner.syncer(),
            Err(error) => Box::new(Refusing(error)),
        }
    }

    fn is_short(&mut self) -> bool {
        self.inner.is_short()
    }

    fn durable(&mut self) -> Position {
        self.inner.durable()
    }

    fn note_synced(&mut self, synced: &Synced) {
        self.inner.note_synced(synced);
    }

    fn heal(&mut self, wait: Millis) -> Result<()> {
        self.may_go_on()?;
        self.inner.heal(wait)
    }

    fn publish_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()> {
        self.inner.publish_snapshot(pieces)
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        self.inner.snapshots()
    }

    fn is_finished(&mut self, name: SnapshotName) -> Result<bool> {
        self.inner.is_finished(name)
    }

    fn read_snapshot(&mut self, name: SnapshotName, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.inner.read_snapshot(name, visit)
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.inner.remove_snapshot(name)
    }

    fn truncate_before(&mut self, position: Position) -> Result<()> {
        self.inner.truncate_before(position)
    }

    fn lift_guard(&mut self) -> Result<()> {
        self.inner.lift_guard()
    }

    fn stats(&mut self) -> Result<JournalStats> {
        self.inner.stats()
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        self.inner.reopen()
    }

    fn close(&mut self) -> Result<()> {
        let flushed = self.flush();
        self.inner.close().and(flushed)
    }
}

/// What could not be written can't be made durable.
struct Refusing(Error);

impl Syncer for Refusing {
    fn sync(&mut self) -> Result<Synced> {
        Err(self.0.clone())
    }
}
