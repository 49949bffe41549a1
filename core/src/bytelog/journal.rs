//! The byte log as a journal.

use alloc::{boxed::Box, vec::Vec};

use super::{
    ByteLog,
    disk::Disk,
    folder::sequences,
    scan::Window,
    segment::{self, Header},
};
use crate::{
    error::{Code, Result},
    id::{Position, StoreId},
    port::{AppendError, Body, Draft, Journal, JournalStats, Pieces, SnapshotName, Synced, Syncer, Tail, Visit},
    time::Millis,
};

impl<D: Disk + 'static> Journal for ByteLog<D> {
    fn identity(&self) -> StoreId {
        self.store
    }

    fn floor(&mut self) -> Result<Tail> {
        self.check_open()?;
        self.look_at_names()?;
        Ok(self.segments.first().map_or(self.active.header.tail, |header| header.tail))
    }

    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        self.check_open()?;
        self.read_from(from, visit)
    }

    fn section_after(&mut self, wait: Millis, meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        if self.locked {
            return body(self);
        }
        let held = self.hold_after(wait, &mut |log| meanwhile(log))?;
        held.0.settle()?;
        body(&mut *held.0)
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        if self.locked {
            return self.append_locked(at, drafts);
        }
        let wait = self.options.lock_wait;
        let held = self.hold(wait).map_err(AppendError::Refused)?;
        held.0.settle().map_err(AppendError::Refused)?;
        held.0.append_locked(at, drafts)
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        Box::new(self.make_syncer())
    }

    fn is_short(&mut self) -> bool {
        Self::is_short(self)
    }

    fn durable(&mut self) -> Position {
        self.note_watermark();
        self.durable
    }

    fn note_synced(&mut self, synced: &Synced) {
        self.note(*synced);
    }

    fn heal(&mut self, wait: Millis) -> Result<()> {
        self.check_writable()?;
        self.heal_now(wait)
    }

    fn publish_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()> {
        self.write_snapshot(pieces)
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        self.list_snapshots()
    }

    fn is_finished(&mut self, name: SnapshotName) -> Result<bool> {
        self.is_framed(name)
    }

    fn read_snapshot(&mut self, name: SnapshotName, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.visit_snapshot(name, visit)
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.unlink_snapshot(name)
    }

    fn truncate_before(&mut self, position: Position) -> Result<()> {
        self.check_writable()?;
        self.look_at_names()?;
        let kept = self.segments.iter().rposition(|header| header.base() <= position).unwrap_or(0);
        for sequence in self.segments.iter().take(kept).map(|header| header.sequence).collect::<Vec<_>>() {
            match self.disk.remove(&segment::name(sequence)) {
                Err(error) if error.code() != Code::NotFound => return Err(error),
                // One by one: a crash must not leave a hole between two that are still there.
                _ => self.disk.sync_names()?,
            }
            self.segments.retain(|header| header.sequence != sequence);
        }
        Ok(())
    }

    fn lift_guard(&mut self) -> Result<()> {
        self.lower_guard()
    }

    fn stats(&mut self) -> Result<JournalStats> {
        self.check_open()?;
        self.look_at_names()?;
        self.note_watermark();
        let floor = self.segments.first().map_or(self.tail.position, Header::base);
        Ok(JournalStats {
            journal_bytes: self.tail.position.0.saturating_sub(floor.0),
            snapshot_bytes: self.snapshot_bytes()?,
            segments: self.segments.len() as u64,
            durable: self.durable,
            floor,
            aborted: self.aborted,
        })
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        self.check_open()?;
        Ok(Box::new(Self {
            disk: self.disk.reopen()?,
            options: self.options,
            store: self.store,
            salt: self.salt,
            segments: self.segments.clone(),
            active: self.active.clone(),
            reached: None,
            tail: self.tail,
            seal: self.seal,
            durable: self.durable,
            mark: self.mark,
            locked: false,
            unsettled: self.unsettled,
            given: self.given,
            closed: false,
            out: Vec::new(),
            window: Window::default(),
            aborted: self.aborted,
            attempts: 0,
        }))
    }

    fn close(&mut self) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        if !self.options.read_only && self.make_syncer().sync().is_err() {
            let wait = self.options.lock_wait;
            self.heal_now(wait)?;
        }
        self.closed = true;
        Ok(())
    }
}

impl<D: Disk> ByteLog<D> {
    /// Reads the headers again where the names are not those that are known.
    fn look_at_names(&mut self) -> Result<()> {
        let names = self.disk.names()?;
        if !sequences(&names).iter().eq(self.segments.iter().map(|header| &header.sequence)) {
            self.refresh()?;
        }
        Ok(())
    }
}
