//! Sections, appends, and the switch to a new segment.

use alloc::vec::Vec;

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
    heal,
    open::write_segment,
    scan,
    segment::Header,
};
use crate::{
    error::{Code, Error, Outcome, Result},
    frame::{self, Reader},
    port::{AppendError, Draft, Tail},
    time::Millis,
};

/// The largest buffer that is kept from one append to the next.
const KEPT: usize = 4 << 20;

/// A log whose lock is held, and given back whatever happens.
pub(super) struct Held<'a, D: Disk>(pub &'a mut ByteLog<D>);

impl<D: Disk> Drop for Held<'_, D> {
    fn drop(&mut self) {
        self.0.locked = false;
        self.0.disk.unlock();
    }
}

impl<D: Disk> ByteLog<D> {
    /// Takes the lock.
    pub(super) fn hold(&mut self, wait: Millis) -> Result<Held<'_, D>> {
        self.hold_after(wait, &mut |_| Ok(()))
    }

    /// Takes the lock; `meanwhile` runs between the attempts.
    pub(super) fn hold_after(
        &mut self,
        wait: Millis,
        meanwhile: &mut dyn FnMut(&mut Self) -> Result<()>,
    ) -> Result<Held<'_, D>> {
        self.check_writable()?;
        while !self.disk.try_lock(wait)? {
            if let Err(error) = meanwhile(self) {
                self.disk.unlock();
                return Err(error);
            }
        }
        self.locked = true;
        Ok(Held(self))
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(Code::Closed, "this handle on the journal was closed: open another"));
        }
        Ok(())
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        self.check_open()?;
        if self.options.read_only {
            return Err(Error::new(Code::ReadOnly, "the store was opened to read only: open it to write"));
        }
        Ok(())
    }

    /// Appends under the lock, behind a tail that is settled. Where the disk is full the reserve is let go of.
    pub(super) fn append_locked(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        let appended = self.append_settled(at, drafts);
        if let Err(AppendError::Refused(error) | AppendError::Unknown(error)) = &appended {
            self.spend_reserve(error);
        }
        appended
    }

    fn append_settled(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        if self.unsettled {
            self.settle().map_err(AppendError::Refused)?;
        }
        if *at != self.tail {
            return match self.locate(at.position) {
                Err(error) => Err(AppendError::Refused(error)),
                Ok(_) => Err(AppendError::Conflict),
            };
        }
        if drafts.is_empty() {
            return Ok(self.tail);
        }
        self.raise_guard(drafts).map_err(AppendError::Refused)?;
        let filled = self.tail.position.0.saturating_sub(self.active.header.base().0);
        if filled >= self.options.segment_bytes || self.seal.is_some() {
            self.switch().map_err(AppendError::Refused)?;
        }
        self.out.clear();
        let behind = frame::encode_all(
            self.salt,
            &self.tail,
            self.durable,
            self.options.max_frame,
            drafts,
            &mut self.out,
            |_| (),
        )
        .map_err(AppendError::Refused)?;
        let offset = self.active.header.offset(self.tail.position);
        let written = self.active.file.write_at(offset, &self.out);
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
        if let Err(error) = written {
            return Err(self.take_back(error));
        }
        self.tail = behind;
        Ok(behind)
    }

    /// Removes what a failed write left behind the tail, but for whole entries: a handle that reads without the lock may have
    /// taken them for what they are, and have made them durable.
    fn take_back(&mut self, error: Error) -> AppendError {
        if self.cut_behind_whole().is_ok() {
            // What is refused must not come back after a crash.
            if self.active.file.sync().is_err() {
                self.active.state.fail();
            }
            return AppendError::Refused(error.with_outcome(Outcome::Refused));
        }
        self.unsettled = true;
        AppendError::Unknown(
            error
                .context("a write failed and what it left could not be removed, so it may have been done")
                .with_outcome(Outcome::Unknown),
        )
    }

    fn cut_behind_whole(&mut self) -> Result<()> {
        let (header, file) = (self.active.header, self.active.file.clone());
        let (len, _) = file.len()?;
        let mut reader = Reader::new(self.salt, &self.tail);
        self.window.clear();
        scan::scan(&*file, &header, len, None, &mut reader, &mut self.window, &mut |_| Ok(()))?;
        self.window.clear();
        file.truncate(header.offset(reader.tail().position))?;
        self.tail = *reader.tail();
        Ok(())
    }

    /// Ends the active segment and begins another. Order: seal, sync, create, sync that and its name; only then is
    /// anything appended.
    ///
    /// A seal that stands there already is not written again: it would say of what is durable by now, the next segment
    /// would follow that seal, and the sync that is done was of the other one.
    fn switch(&mut self) -> Result<()> {
        if self.seal.is_none() {
            self.write_seal()?;
        }
        self.finish_switch()
    }

    /// Writes the seal of the active segment.
    pub(super) fn write_seal(&mut self) -> Result<()> {
        let (bytes, behind) = frame::encode_seal(self.salt, &self.tail, self.durable, self.options.author);
        let offset = self.active.header.offset(self.tail.position);
        if let Err(error) = self.active.file.write_at(offset, &bytes) {
            return Err(match self.take_back(error) {
                AppendError::Refused(error) | AppendError::Unknown(error) => error,
                AppendError::Conflict => Error::new(Code::Internal, "a seal can't conflict under the lock"),
            });
        }
        self.seal = Some(behind);
        Ok(())
    }

    /// Makes the segment that follows a sealed one. Whoever finds that it is missing does so.
    pub(super) fn finish_switch(&mut self) -> Result<()> {
        let Some(behind) = self.seal else { return Ok(()) };
        if self.active.state.failed() {
            return self.heal_locked();
        }
        self.trust_locked()?;
        if self.active.state.sync(&*self.active.file, behind.position).is_err() {
            return self.heal_locked();
        }
        // Not behind the seal: where this handle does not get further, another may have to write the segment again, without it.
        self.durable = self.durable.max(self.tail.position);
        let header = self.next_header(behind);
        let attempt = self.next_attempt();
        let file = write_segment(&mut self.disk, &self.options, &header, attempt, &mut |_| Ok(()))?;
        self.enter_new(header, file);
        self.tail = behind;
        Ok(())
    }

    /// The header of a segment that begins at this tail.
    pub(super) fn next_header(&self, tail: Tail) -> Header {
        let last = self.segments.last().map_or(0, |header| header.sequence).max(self.active.header.sequence);
        Header { sequence: last.saturating_add(1), store: self.store, tail, author: self.options.author }
    }

    pub(super) fn next_attempt(&mut self) -> u32 {
        self.attempts = self.attempts.wrapping_add(1);
        self.attempts
    }

    /// Goes on in a segment that this handle has made.
    pub(super) fn enter_new(&mut self, header: Header, file: alloc::sync::Arc<D::File>) {
        self.segments.push(header);
        self.reached = None;
        self.activate(header, file, true, heal::NOTHING);
    }
}
