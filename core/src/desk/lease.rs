//! Held tasks: each knows its present id, and is renewed when a third of its lease is over.

use alloc::vec::Vec;

use super::{Desk, Work};
use crate::{
    error::{Code, Error, Refusal, Result},
    id::{OwnerId, TaskId},
    request::{Committed, Request, Update, Verb},
    time::{Millis, When},
};

/// What names a held task to its desk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HeldId(pub u64);

/// A task that is held.
#[derive(Debug)]
pub(crate) struct Lease {
    id: TaskId,
    origin: TaskId,
    owner: OwnerId,
    lease: Millis,
    /// Until when it is held as far as is known.
    until: Millis,
    due: Option<Millis>,
    ended: bool,
    lost: Option<Error>,
}

impl Lease {
    pub fn is_live(&self) -> bool {
        !self.ended && self.lost.is_none()
    }

    /// `Err` where nothing can be done with it any more.
    pub fn check(&self) -> Result<()> {
        match &self.lost {
            Some(lost) => Err(lost.clone()),
            None if self.ended => {
                Err(Error::new(Code::Invalid, "this held task was finished, failed or given back before"))
            }
            None => Ok(()),
        }
    }

    /// Names it in a request by its present id.
    pub fn rename(&self, request: &mut Request) {
        let same = |origin: Option<TaskId>| origin == Some(self.origin);
        request.updates.iter_mut().filter(|update| same(update.origin)).for_each(|update| update.id = self.id);
        request.deletes.iter_mut().filter(|delete| same(delete.origin)).for_each(|delete| delete.id = self.id);
    }

    pub fn renewal(&self) -> Request {
        let update = Update {
            id: self.id,
            origin: Some(self.origin),
            verb: Verb::Renew,
            available: Some(When::After(self.lease)),
            ..Update::default()
        };
        Request { owner: self.owner, updates: Vec::from([update]), ..Request::default() }
    }

    /// A third of the lease from now; earlier where the present lease ends sooner than a whole one would.
    fn next_due(&self, now: Millis) -> Millis {
        let third = (self.lease / 3).max(1);
        let in_time = self.until.saturating_sub(third * 2);
        now.saturating_add(third).min(in_time).max(now)
    }

    fn is_lost_by(&self, error: &Error) -> bool {
        error.refusals().iter().any(|refusal| match refusal {
            Refusal::MissingUpdate { id, .. } | Refusal::MissingDelete { id, .. } | Refusal::NotHeld { id } => {
                *id == self.id
            }
            _ => false,
        })
    }
}

impl Desk {
    /// Keeps a claimed task, which its owner has until `until`: from now on it is renewed in time, for `lease` each time.
    pub fn hold(
        &mut self,
        id: TaskId,
        origin: TaskId,
        owner: OwnerId,
        until: Millis,
        lease: Millis,
        now: Millis,
    ) -> HeldId {
        self.leases += 1;
        let held = HeldId(self.leases);
        let mut kept = Lease { id, origin, owner, lease, until, due: None, ended: false, lost: None };
        kept.due = Some(kept.next_due(now));
        self.held.insert(held, kept);
        held
    }

    /// The present id of a held task; `None` where it is no longer kept.
    pub fn present(&self, held: HeldId) -> Option<TaskId> {
        self.held.get(&held).map(|lease| lease.id)
    }

    /// Whether a held task was finished, failed or given back.
    pub fn is_ended(&self, held: HeldId) -> bool {
        self.held.get(&held).is_none_or(|lease| lease.ended)
    }

    /// Renews it now.
    pub fn renew(&mut self, held: HeldId) -> super::Ticket {
        self.submit(Work::Renew(held))
    }

    /// Keeps it no longer: its lease runs out by itself.
    pub fn forget(&mut self, held: HeldId) {
        self.held.remove(&held);
    }

    /// Held tasks that were found to be lost since this was last asked, with all that is known.
    pub fn take_lost(&mut self) -> Vec<(HeldId, Error)> {
        core::mem::take(&mut self.lost)
    }

    /// How many leases are kept.
    pub fn held_count(&self) -> usize {
        self.held.values().filter(|lease| lease.is_live()).count()
    }

    pub(super) fn next_renewal(&self) -> Option<Millis> {
        self.held.values().filter(|lease| lease.is_live()).filter_map(|lease| lease.due).min()
    }

    pub(super) fn renew_due(&mut self, now: Millis) {
        let is_due = |lease: &Lease| lease.is_live() && lease.due.is_some_and(|due| due <= now);
        let due: Vec<HeldId> = self.held.iter().filter(|(_, lease)| is_due(lease)).map(|(held, _)| *held).collect();
        for held in due {
            if let Some(lease) = self.held.get_mut(&held) {
                // Until this one is answered.
                lease.due = None;
            }
            self.submit(Work::Renew(held));
        }
    }

    /// The handle ends: nothing can be done with what it held.
    pub(super) fn lose_all(&mut self, error: &Error) {
        for (held, lease) in self.held.iter_mut().filter(|(_, lease)| lease.is_live()) {
            lease.lost = Some(error.clone());
            self.lost.push((*held, error.clone()));
        }
    }

    /// What an answer means for the leases that its request named.
    pub(super) fn note(&mut self, held: &[HeldId], answer: &Result<Committed>, now: Millis) {
        for held in held {
            let Some(lease) = self.held.get_mut(held).filter(|lease| lease.is_live()) else { continue };
            match answer {
                Ok(committed) => match committed.tasks.iter().find(|task| task.origin == lease.origin) {
                    Some(task) if task.owner == lease.owner => {
                        lease.id = task.id;
                        lease.until = task.available_at;
                        lease.due = Some(lease.next_due(now));
                    }
                    _ => lease.ended = true,
                },
                Err(error) if lease.is_lost_by(error) => {
                    lease.lost = Some(error.clone());
                    self.lost.push((*held, error.clone()));
                }
                // A failure of the storage is tried again while there is time.
                Err(_) if lease.due.is_none() => lease.due = Some(now + (lease.lease / 20).max(1)),
                Err(_) => {}
            }
        }
    }
}
