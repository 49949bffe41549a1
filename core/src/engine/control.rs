//! Entries that are no transactions: hand-off, release, the snapshot marker, the upgrade, the filler.

use alloc::{borrow::Cow, format, vec::Vec};

use super::{Engine, LEVEL};
use crate::{
    entry::{EntryHead, EntryKind, Op, write_head, write_op},
    error::{Code, Error, Result},
    id::{Author, Revision},
    port::{Draft, Tail},
    time::Millis,
    txn::Answer,
};

impl Engine {
    /// Whether this handle may write at all.
    pub fn may_write(&self) -> Result<()> {
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        let alone = self.state.exclusive();
        if alone != Author(0) && alone != self.author {
            return Err(Error::new(
                Code::Fenced,
                format!(
                    "another handle (author {alone}) has the store for itself since a revision before {}: wait until it \
                     closes, or open with take-over",
                    self.tail.revision.0 + 1
                ),
            ));
        }
        Ok(())
    }

    /// Stages the entry that gives this handle the store for itself (E1). Where another has it, only `take_over`
    /// fences that one.
    pub fn stage_hand_off(&mut self, now: Millis, take_over: bool) -> Result<()> {
        if let Some(why) = self.closed() {
            return Err(why.clone());
        }
        if !take_over {
            self.may_write()?;
        }
        self.stage_control(EntryKind::HandOff, now, &[]);
        Ok(())
    }

    /// Stages the entry that gives the store back to everyone.
    pub fn stage_release(&mut self, now: Millis) -> Result<()> {
        self.may_write()?;
        if self.state().exclusive() == Author(0) {
            return Err(Error::new(Code::Invalid, "this handle does not have the store for itself"));
        }
        self.stage_control(EntryKind::Release, now, &[]);
        Ok(())
    }

    /// Stages the marker at which other handles hold off with their snapshots.
    pub fn stage_snapshot_marker(&mut self, now: Millis) -> Result<()> {
        self.may_write()?;
        self.stage_control(EntryKind::SnapshotBegun, now, &[]);
        Ok(())
    }

    /// Stages the entry that raises the store's format level to that of this program; `false` where it has it.
    pub fn stage_upgrade(&mut self, now: Millis) -> Result<bool> {
        self.may_write()?;
        if self.state().level() >= LEVEL {
            return Ok(false);
        }
        self.stage_level(now, LEVEL);
        Ok(true)
    }

    /// Stages a raise of the format level.
    #[doc(hidden)]
    pub fn stage_level(&mut self, now: Millis, level: u32) {
        self.stage_control(EntryKind::Upgrade, now, &[Op::Level(level)]);
    }

    /// An entry that does nothing, to stand behind `at`: once it, or another, is seen there, nothing else can be.
    pub(crate) fn filler(&self, at: &Tail, now: Millis) -> Draft {
        Draft {
            kind: EntryKind::Noop,
            revision: Revision(at.revision.0 + 1),
            next_id: at.next_id,
            author: self.author(),
            payload: self.control_payload(now, &[]),
        }
    }

    fn stage_control(&mut self, kind: EntryKind, now: Millis, ops: &[Op<'_>]) {
        let payload = self.control_payload(now, ops);
        let next_id = self.next_id();
        self.push(kind, next_id, payload);
        self.answers.push(Answer::default());
    }

    fn control_payload(&self, now: Millis, ops: &[Op<'_>]) -> Vec<u8> {
        let head = EntryHead {
            now,
            owner: self.caller().owner,
            actor: Cow::Owned(format!("{}", self.caller().actor)),
            request: None,
            ops: ops.len() as u32,
        };
        let mut payload = Vec::new();
        write_head(&mut payload, &head);
        for op in ops {
            write_op(&mut payload, op);
        }
        payload
    }
}
