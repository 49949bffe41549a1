//! What a sync can't be trusted with: writing it again.
//!
//! After a failed sync the pages that were to be written count as clean, and reading them back finds them in the
//! cache: neither that, nor the success of the next sync, says anything of the medium. So what lies behind the
//! durable mark is written again — into a new segment by the handle whose sync failed, in place by a handle that
//! opened a segment late and can't know whether the sync of another failed before.

use alloc::vec;

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
    open::write_segment,
    scan::{self, End, Window},
    segment::Header,
    sync::{SegmentSync, Work, suspect},
    watermark,
};
use crate::{
    error::{Error, Result},
    frame::{Reader, Salt},
    id::Position,
    port::{Synced, Syncer, Tail},
    time::Millis,
};

/// Where nothing in a file is foreign.
pub(super) const NOTHING: Position = Position(0);

/// Bytes that are copied at once.
const PIECE: usize = 1 << 18;

impl<D: Disk> ByteLog<D> {
    /// What makes durable all that this handle knows of.
    pub(super) fn make_syncer(&mut self) -> Work<D::File> {
        if let Err(error) = self.check_open() {
            return Work::Refuse(error);
        }
        if let Err(error) = self.make_up() {
            return Work::Refuse(error);
        }
        self.note_watermark();
        if self.durable >= self.tail.position || self.options.read_only {
            return Work::Done(self.durable);
        }
        if self.active.state.failed() {
            return Work::Refuse(suspect(None));
        }
        if let Err(error) = self.trust() {
            return Work::Refuse(error);
        }
        Work::Sync(SegmentSync {
            store: self.store,
            file: self.active.file.clone(),
            state: self.active.state.clone(),
            position: self.tail.position,
            shared: self.disk.shared(),
        })
    }

    /// Sees to it that this handle knows of all entries that it has given to somebody.
    fn make_up(&mut self) -> Result<()> {
        if self.given <= self.tail.position || self.options.read_only {
            return Ok(());
        }
        if self.locked {
            return self.settle();
        }
        let wait = self.options.lock_wait;
        self.hold(wait)?.0.settle()
    }

    /// Sees to it that a sync by this handle proves something.
    fn trust(&mut self) -> Result<()> {
        if self.active.named && self.active.foreign <= self.durable {
            return Ok(());
        }
        if self.locked {
            return self.trust_locked();
        }
        let wait = self.options.lock_wait;
        let held = self.hold(wait)?;
        held.0.settle()?;
        held.0.trust_locked()
    }

    /// The same, under the lock and behind a settled tail.
    pub(super) fn trust_locked(&mut self) -> Result<()> {
        if !self.active.named {
            self.disk.sync_names()?;
            self.active.named = true;
        }
        if self.active.foreign > self.durable {
            self.note_watermark();
        }
        if self.active.foreign > self.durable {
            let from = self.tail_at(self.durable.min(self.tail.position))?;
            let (header, file) = (self.active.header, self.active.file.clone());
            let end = self.seal.map_or(self.tail.position, |seal| seal.position);
            copy((&header, &*file), (&header, &*file), from.position, end)?;
            self.check_copy(&header, &*file, &from)?;
            self.active.foreign = NOTHING;
        }
        Ok(())
    }

    /// Writes everything behind the durable mark again, into a new segment, and ends the old one.
    pub(super) fn heal_now(&mut self, wait: Millis) -> Result<()> {
        if !self.locked {
            let held = self.hold(wait)?;
            held.0.settle()?;
            return held.0.heal_settled();
        }
        self.settle()?;
        self.heal_settled()
    }

    fn heal_settled(&mut self) -> Result<()> {
        if !self.active.state.failed() {
            // Somebody else has healed the journal meanwhile, or nothing failed: an ordinary sync will do.
            let synced = self.make_syncer().sync();
            if let Ok(synced) = synced {
                self.note(synced);
                return Ok(());
            }
            if !self.active.state.failed() {
                return synced.map(drop);
            }
        }
        self.heal_locked()
    }

    /// The same, under the lock and behind a settled tail.
    pub(super) fn heal_locked(&mut self) -> Result<()> {
        self.note_watermark();
        if self.durable >= self.tail.position && self.seal.is_none() {
            self.active.state.mended();
            return Ok(());
        }
        self.rewrite().map_err(|error| suspect(Some(error)))?;
        let _ = self.disk.write_shared(&watermark::encode(self.store, self.durable));
        Ok(())
    }

    fn rewrite(&mut self) -> Result<()> {
        let from = self.tail_at(self.durable.min(self.tail.position))?;
        if self.seal.is_none() {
            // Before the new segment has its name: a handle that still knows only the old one must find it ended.
            self.write_seal()?;
        }
        let (old, file, until) = (self.active.header, self.active.file.clone(), self.tail);
        let header = self.next_header(from);
        let attempt = self.next_attempt();
        let (salt, mut window) = (self.salt, Window::default());
        let new = write_segment(&mut self.disk, &self.options, &header, attempt, &mut |new| {
            copy((&old, &*file), (&header, new), from.position, until.position)?;
            check(salt, &header, new, &from, &until, &mut window)
        })?;
        self.enter_new(header, new);
        self.durable = self.durable.max(until.position);
        Ok(())
    }

    /// The tail at a position of the active segment, at which an entry ends.
    fn tail_at(&mut self, position: Position) -> Result<Tail> {
        let (header, file) = (self.active.header, self.active.file.clone());
        let near = self.mark.position >= header.base() && self.mark.position <= position;
        let mut reader = Reader::new(self.salt, if near { &self.mark } else { &header.tail });
        let (len, _) = file.len()?;
        let end = scan::scan(&*file, &header, len, Some(position), &mut reader, &mut self.window, &mut |_| Ok(()))?;
        if end != End::Limit || reader.tail().position != position {
            return Err(gone(position));
        }
        Ok(*reader.tail())
    }

    fn check_copy(&mut self, header: &Header, file: &D::File, from: &Tail) -> Result<()> {
        let until = self.tail;
        self.window.clear();
        check(self.salt, header, file, from, &until, &mut self.window)
    }

    pub(super) fn note(&mut self, synced: Synced) {
        self.durable = self.durable.max(synced.position);
        if self.tail.position <= self.durable {
            self.mark = self.tail;
        }
    }
}

/// Copies what stands between two positions from one file to another, or onto itself.
fn copy<F: DiskFile>(from: (&Header, &F), to: (&Header, &F), begin: Position, end: Position) -> Result<()> {
    let mut bytes = vec![0; PIECE.min(end.0.saturating_sub(begin.0) as usize)];
    let mut at = begin;
    while at < end {
        let wanted = bytes.len().min((end.0 - at.0) as usize);
        let read = from.1.read_at(from.0.offset(at), &mut bytes[..wanted])?;
        if read == 0 {
            return Err(gone(at));
        }
        to.1.write_at(to.0.offset(at), &bytes[..read])?;
        at.0 += read as u64;
    }
    Ok(())
}

/// Checks that the history between two tails stands in a file.
fn check<F: DiskFile>(
    salt: Salt,
    header: &Header,
    file: &F,
    from: &Tail,
    until: &Tail,
    window: &mut Window,
) -> Result<()> {
    let mut reader = Reader::new(salt, from);
    let (len, _) = file.len()?;
    let end = scan::scan(file, header, len, Some(until.position), &mut reader, window, &mut |_| Ok(()))?;
    if end == End::Limit && reader.tail() == until { Ok(()) } else { Err(gone(reader.tail().position)) }
}

fn gone(position: Position) -> Error {
    Error::new(
        crate::error::Code::Suspect,
        alloc::format!(
            "what stood behind position {position} was lost by a failed sync before it was durable; nothing \
             acknowledged strictly is gone: close all handles and open the store anew"
        ),
    )
}
