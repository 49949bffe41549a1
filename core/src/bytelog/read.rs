//! Reading entries, judging where reading stops, and settling the tail under the lock.

use alloc::{format, string::String};

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
    folder::{ATTEMPTS, Stopped, lost, sequences},
    recovery::{self, Facts, Stop, Verdict},
    scan, segment, snapshots,
};
use crate::{
    error::{Code, Error, Result},
    frame::Reader,
    id::Revision,
    port::{Tail, Visit},
};

impl<D: Disk> ByteLog<D> {
    /// Gives the entries behind `from` to `visit`.
    pub(super) fn read_from(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        if *from == self.tail && self.is_settled()? {
            return Ok(*from);
        }
        self.check_history(from)?;
        let mut reader = Reader::new(self.salt, from);
        let read = self.read_on(&mut reader, from, visit);
        if read.is_err() {
            self.given = self.given.max(reader.tail().position);
        }
        read
    }

    fn read_on(&mut self, reader: &mut Reader, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        let stopped = self.walk(reader, visit)?;
        match self.judge(&stopped, reader, false, Revision(0))? {
            Verdict::Whole | Verdict::NotYet | Verdict::FinishSwitch | Verdict::Drop => {}
            verdict => return Err(self.refuse(verdict, &stopped, reader)),
        }
        if reader.tail().position < self.tail.position {
            // This handle has seen whole entries there, and nothing says that they were durable.
            let none_follows = reader.tail() == from && stopped.stop == Stop::Broken;
            return Err(if none_follows { foreign(from) } else { lost(self.tail.position) });
        }
        // Only what is settled from the handle's own tail is ever changed; a reader takes what is there.
        self.adopt(reader, &stopped)?;
        Ok(*reader.tail())
    }

    /// Refuses a tail of another history. Where frames follow, their chain tells; at the end there is only the
    /// handle's own tail to compare with, and a false one that were adopted would be appended behind (J1).
    fn check_history(&mut self, from: &Tail) -> Result<()> {
        if from.position > self.tail.position {
            // Another handle read further than this one.
            let mut own = Reader::new(self.salt, &self.tail);
            self.settle_from(&mut own, false)?;
        }
        if from.position < self.tail.position || *from == self.tail {
            return Ok(());
        }
        Err(if from.position > self.tail.position { lost(from.position) } else { foreign(from) })
    }

    /// Whether nothing came in behind the tail, as far as can be told from the length of the file.
    fn is_settled(&self) -> Result<bool> {
        if self.seal.is_some() || self.unsettled || self.given > self.tail.position {
            return Ok(false);
        }
        if self.locked {
            return Ok(true);
        }
        let (len, linked) = self.active.file.len()?;
        Ok(linked && len == self.active.header.offset(self.tail.position))
    }

    /// Under the lock: makes the tail that of the journal. What lies behind the last whole entry goes, a switch of
    /// segments that was begun is finished.
    pub(super) fn settle(&mut self) -> Result<()> {
        let (len, linked) = self.active.file.len()?;
        let at_end = linked && len == self.active.header.offset(self.tail.position) && self.seal.is_none();
        if at_end && self.segments.last().is_some_and(|last| last.sequence == self.active.header.sequence) {
            self.unsettled = false;
            return Ok(());
        }
        let mut reader = Reader::new(self.salt, &self.tail);
        self.settle_from(&mut reader, false)
    }

    /// The same, from where `reader` stands; also the whole recovery of a handle that is being opened, which may
    /// hold no lock: then nothing is changed.
    pub(super) fn settle_from(&mut self, reader: &mut Reader, opening: bool) -> Result<()> {
        let mut looked_again = self.locked;
        for _ in 0..ATTEMPTS {
            // Whatever is known to be durable before the walk must be met by it. Without the lock others go on
            // meanwhile, so that what is learned after it proves nothing.
            let newest = if opening && !self.locked {
                self.note_watermark();
                newest_snapshot(&self.disk.names()?)
            } else {
                Revision(0)
            };
            let (durable, mut mark) = (self.durable, self.mark);
            let walked = self.walk(reader, &mut |stored| {
                if stored.tail.position <= durable {
                    mark = stored.tail;
                }
                Ok(())
            });
            self.mark = mark;
            let stopped = match walked {
                Err(error) if error.code() == Code::Truncated => {
                    // This handle slept while what it stood at was let go. The end of the journal can be found
                    // without it; whoever wants to append from the old tail is told by the append.
                    let Some(last) = self.segments.last() else { return Err(error) };
                    *reader = Reader::new(self.salt, &last.tail);
                    continue;
                }
                stopped => stopped?,
            };
            match self.judge(&stopped, reader, opening, newest)? {
                Verdict::Whole | Verdict::NotYet => {
                    self.adopt(reader, &stopped)?;
                    self.unsettled = false;
                    return Ok(());
                }
                Verdict::FinishSwitch => {
                    self.adopt(reader, &stopped)?;
                    self.finish_switch()?;
                    *reader = Reader::new(self.salt, &self.tail);
                }
                Verdict::Drop => {
                    self.adopt(reader, &stopped)?;
                    self.drop_tail()?;
                    self.unsettled = false;
                    return Ok(());
                }
                // A segment came since, so that this may be where another goes on, or went on.
                Verdict::Gap if stopped.last && !self.locked => {
                    reader.rewind();
                    self.window.clear();
                    self.refresh()?;
                }
                // A writer may have been at work when the bytes were fetched, and have made them durable since.
                _ if !looked_again => {
                    looked_again = true;
                    reader.rewind();
                    self.window.clear();
                }
                verdict => return Err(self.refuse(verdict, &stopped, reader)),
            }
        }
        Err(Error::new(Code::Unavailable, "the journal changes faster than its end can be found: try again"))
    }

    /// Gathers the facts and looks up the verdict. Facts that cost I/O are only gathered where they can matter: in
    /// opening, and under the lock where reading did not stop behind a whole entry. `newest` is the revision of the newest
    /// snapshot that was there before the walk.
    fn judge(&mut self, stopped: &Stopped, reader: &Reader, opening: bool, newest: Revision) -> Result<Verdict> {
        let mut mark = self.durable.max(reader.durable());
        let mut before_mark = false;
        let tail = stopped.seal.as_ref().unwrap_or(reader.tail());
        if opening || (self.locked && stopped.stop != Stop::Clean) {
            let names = self.disk.names()?;
            let mut newest = newest;
            if self.locked {
                self.note_watermark();
                mark = mark.max(self.durable);
                newest = newest_snapshot(&names);
            }
            // A snapshot is published only when the journal is durable through its end.
            before_mark = newest > tail.revision;
            if !matches!(stopped.stop, Stop::Clean | Stop::Seal) {
                let file = self.file_of(&stopped.header)?;
                let from = reader.at();
                let behind =
                    scan::mark_behind(&*file, &stopped.header, stopped.len, from, self.salt, &mut self.window)?;
                mark = mark.max(behind);
            }
            let last = sequences(&names).last() <= Some(&stopped.header.sequence);
            let last = last && stopped.last;
            before_mark |= tail.position < mark;
            return Ok(recovery::verdict(Facts { stop: stopped.stop, before_mark, last, locked: self.locked }));
        }
        before_mark |= tail.position < mark;
        Ok(recovery::verdict(Facts { stop: stopped.stop, before_mark, last: stopped.last, locked: self.locked }))
    }

    /// Cuts off what lies behind the tail. The verdict was given before.
    fn drop_tail(&mut self) -> Result<()> {
        self.window.clear();
        self.active.file.truncate(self.active.header.offset(self.tail.position))?;
        // Were a crash to bring frames back that stood there, they would not follow what is written next.
        self.active.foreign = self.active.foreign.min(self.tail.position);
        Ok(())
    }

    /// The error of a verdict that lets nothing go on.
    fn refuse(&self, verdict: Verdict, stopped: &Stopped, reader: &Reader) -> Error {
        let position = reader.tail().position;
        let place = format!(
            "segment {} at position {position} (byte {} of the file)",
            segment::name(stopped.header.sequence),
            stopped.header.offset(position)
        );
        let corrupt = |what: &str| {
            Error::new(
                Code::Corrupt,
                format!(
                    "{place}: {what}; nothing was changed: restore the folder from a backup, which may be of this \
                     segment alone"
                ),
            )
        };
        match verdict {
            Verdict::Lost => lost(self.tail.position),
            Verdict::EndsEarly => corrupt("the journal ends before the place up to which it was durable"),
            Verdict::Gap => corrupt("the journal is damaged or incomplete here, and goes on in the next segment"),
            Verdict::Newer => Error::new(
                Code::UpgradeNeeded,
                format!("{place}: a newer Tenure wrote what follows: upgrade this program"),
            ),
            _ => corrupt("the journal is damaged here, before the place up to which it was durable"),
        }
    }
}

/// Up to where the newest snapshot among these names goes.
fn newest_snapshot(names: &[String]) -> Revision {
    names.iter().filter_map(|name| snapshots::parse(name)).map(|name| name.end).max().unwrap_or(Revision(0))
}

/// The error of a tail that is none of this journal's.
fn foreign(from: &Tail) -> Error {
    Error::new(
        Code::Corrupt,
        format!(
            "the journal has another history than the one that ended with revision {} at position {}: load the \
             newest snapshot of this folder, or restore it from a backup",
            from.revision, from.position
        ),
    )
}
