//! A journal that fails: it refuses, conflicts, and loses its answers, at a call that is named or by a seed.
//!
//! It stands before a journal that works. Sections are plain optimism, as where nothing can be locked, so that other
//! handles come in between.

use alloc::{boxed::Box, collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    entry::{EntryHead, EntryKind, write_head},
    error::{Code, Error, Outcome, Result},
    id::{Author, OwnerId, Position, Revision, StoreId},
    port::{AppendError, Body, Draft, Journal, JournalStats, Pieces, SnapshotName, Synced, Syncer, Tail, Visit},
    state::dice::Dice,
    time::Millis,
};

/// What goes wrong with an append.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Fault {
    /// Nothing was written, and it says so.
    Refuse,
    /// Another handle's entry, one that does nothing, gets there first.
    Rival,
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is not written, and the answer is lost.
    RequestLost,
    /// The answer is lost, and it is written that many calls later, if its place is still free by then.
    Late(u64),
}

/// What goes wrong, and when; shared by every handle that was reopened from the same one.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    calls: u64,
    appends: u64,
    planned: BTreeMap<u64, Fault>,
    dice: Dice,
    /// Of a thousand appends, how many fail.
    appends_fail: u64,
    /// Of a thousand reads, how many break off.
    reads_fail: u64,
    /// The next reads that work in any case.
    spared: u64,
    late: Vec<(u64, Tail, Vec<Draft>)>,
    met: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// No faults yet; those that come by chance are drawn from the seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            calls: 0,
            appends: 0,
            planned: BTreeMap::new(),
            dice: Dice::new(seed),
            appends_fail: 0,
            reads_fail: 0,
            spared: 0,
            late: Vec::new(),
            met: BTreeMap::new(),
        })))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the `n`th append from now fail; 1 is the next.
    pub fn fail_append(&self, n: u64, fault: Fault) {
        let mut plan = self.plan();
        let at = plan.appends + n;
        plan.planned.insert(at, fault);
    }

    /// From now on, of a thousand appends and reads that many fail.
    pub fn fail_by_chance(&self, appends: u64, reads: u64) {
        let mut plan = self.plan();
        (plan.appends_fail, plan.reads_fail) = (appends, reads);
    }

    /// Lets the next `n` reads work, whatever chance would have it.
    pub fn spare_reads(&self, n: u64) {
        self.plan().spared = n;
    }

    /// From now on nothing fails. What is still under way may land.
    pub fn calm(&self) {
        let mut plan = self.plan();
        plan.planned.clear();
        (plan.appends_fail, plan.reads_fail) = (0, 0);
    }

    /// What is under way is lost.
    pub fn forget(&self) {
        self.plan().late.clear();
    }

    /// How often each fault was met.
    pub fn met(&self) -> Vec<(&'static str, u64)> {
        self.plan().met.iter().map(|(name, count)| (*name, *count)).collect()
    }
}

impl Plan {
    fn meet(&mut self, name: &'static str) {
        *self.met.entry(name).or_default() += 1;
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        of_thousand > 0 && self.dice.below(1_000) < of_thousand
    }

    fn append_fault(&mut self) -> Option<Fault> {
        self.appends += 1;
        if let Some(fault) = self.planned.remove(&self.appends) {
            return Some(fault);
        }
        let rate = self.appends_fail;
        self.chance(rate).then(|| match self.dice.below(5) {
            0 => Fault::Refuse,
            1 => Fault::Rival,
            2 => Fault::AnswerLost,
            3 => Fault::RequestLost,
            _ => Fault::Late(1 + self.dice.below(12)),
        })
    }
}

/// The journal that fails.
pub struct Faulty {
    inner: Box<dyn Journal>,
    faults: Faults,
}

impl core::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Faulty").field("faults", &self.faults).finish_non_exhaustive()
    }
}

fn lost(what: &str) -> Error {
    Error::new(Code::Unavailable, String::from(what))
}

/// The author of rival entries.
pub const RIVAL: Author = Author(0xFA17);

impl Faulty {
    /// Faults before a journal.
    pub fn new(inner: Box<dyn Journal>, faults: Faults) -> Self {
        Self { inner, faults }
    }

    /// Counts a call, and lets land what was under way until now.
    fn call(&mut self) {
        let due: Vec<(Tail, Vec<Draft>)> = {
            let mut plan = self.faults.plan();
            plan.calls += 1;
            let calls = plan.calls;
            let (due, late) = plan.late.drain(..).partition(|(at, ..)| *at <= calls);
            plan.late = late;
            let due: Vec<(u64, Tail, Vec<Draft>)> = due;
            due.into_iter().map(|(_, tail, drafts)| (tail, drafts)).collect()
        };
        for (tail, drafts) in due {
            let landed = self.inner.append(&tail, &drafts).is_ok();
            self.faults.plan().meet(if landed { "landed late" } else { "came too late" });
        }
    }
}

fn rival(at: &Tail) -> Draft {
    let head = EntryHead { now: 0, owner: OwnerId(0), actor: "rival".into(), request: None, ops: 0 };
    let mut payload = Vec::new();
    write_head(&mut payload, &head);
    Draft { kind: EntryKind::Noop, revision: Revision(at.revision.0 + 1), next_id: at.next_id, author: RIVAL, payload }
}

impl Journal for Faulty {
    fn identity(&self) -> StoreId {
        self.inner.identity()
    }

    fn floor(&mut self) -> Result<Tail> {
        self.inner.floor()
    }

    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        self.call();
        let breaks_after = {
            let mut plan = self.faults.plan();
            let rate = if plan.spared > 0 { 0 } else { plan.reads_fail };
            plan.spared = plan.spared.saturating_sub(1);
            plan.chance(rate).then(|| plan.dice.below(4))
        };
        let Some(mut left) = breaks_after else { return self.inner.read(from, visit) };
        self.faults.plan().meet("read broke off");
        self.inner.read(from, &mut |stored| {
            left = left.checked_sub(1).ok_or_else(|| lost("the read broke off"))?;
            visit(stored)
        })?;
        Err(lost("the read broke off at its end"))
    }

    fn section_after(&mut self, _wait: Millis, _meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        body(self)
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        self.call();
        let fault = self.faults.plan().append_fault();
        let name = match fault {
            None => return self.inner.append(at, drafts),
            Some(Fault::Refuse) => "refused",
            Some(Fault::Rival) => "conflict",
            Some(Fault::AnswerLost) => "answer lost",
            Some(Fault::RequestLost) => "request lost",
            Some(Fault::Late(_)) => "late",
        };
        self.faults.plan().meet(name);
        match fault {
            Some(Fault::Rival) => {
                let _ = self.inner.append(at, &[rival(at)]);
                return self.inner.append(at, drafts);
            }
            Some(Fault::Refuse) => {
                return Err(AppendError::Refused(lost("the journal took nothing").with_outcome(Outcome::Refused)));
            }
            Some(Fault::AnswerLost) => {
                if let Err(AppendError::Conflict) = self.inner.append(at, drafts) {
                    return Err(AppendError::Conflict);
                }
            }
            Some(Fault::Late(calls)) => {
                let mut plan = self.faults.plan();
                let due = plan.calls + calls;
                plan.late.push((due, *at, drafts.to_vec()));
            }
            Some(Fault::RequestLost) | None => {}
        }
        Err(AppendError::Unknown(lost("the journal's answer was lost")))
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        self.inner.syncer()
    }

    fn durable(&mut self) -> Position {
        self.inner.durable()
    }

    fn note_synced(&mut self, synced: &Synced) {
        self.inner.note_synced(synced);
    }

    fn heal(&mut self, wait: Millis) -> Result<()> {
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

    fn stats(&mut self) -> Result<JournalStats> {
        self.inner.stats()
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        Ok(Box::new(Self { inner: self.inner.reopen()?, faults: self.faults.clone() }))
    }

    fn close(&mut self) -> Result<()> {
        self.inner.close()
    }
}
