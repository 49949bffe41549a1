//! Claiming one task after another.

use std::time::Duration;

use tenure_core::{Claim, Code, Order, Result, Task};

use super::{Cancel, Held, Store, verb::millis};

/// Claims one task after another: an iterator of [`Held`].
#[derive(Debug, Clone)]
pub struct Claims {
    store: Store,
    claim: Claim,
    idle: Option<Duration>,
    stop: Cancel,
}

impl Store {
    /// Claims tasks of these groups one after another, an earlier group before a later one. By default a lease is 60 s,
    /// renewed while the [`Held`] lives, and the iterator waits for ever; see [`Claims::idle`] and [`Claims::stop`].
    pub fn claims<G: Into<String>>(&self, groups: impl IntoIterator<Item = G>) -> Claims {
        let groups = groups.into_iter().map(Into::into).collect();
        let claim = Claim { groups, ..Claim::default() };
        Claims { store: self.clone(), claim, idle: None, stop: Cancel::new() }
    }

    /// Holds a task that was claimed by this handle: renews its lease, `lease` at a time, until it is finished or dropped.
    pub fn hold(&self, task: Task, lease: Duration) -> Held {
        Held::new(self, task, millis(lease))
    }
}

impl Claims {
    /// How long a lease is; it is renewed at a third of it.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.claim.lease = millis(lease);
        self
    }

    /// After how long without a task the iterator ends.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Which of the available tasks are taken.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.claim.order = order;
        self
    }

    /// In whose name.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<tenure_core::OwnerId>) -> Self {
        self.claim.owner = owner.into();
        self
    }

    /// What ends the iterator from another thread.
    #[must_use]
    pub fn stop(mut self, stop: Cancel) -> Self {
        self.stop = stop;
        self
    }
}

impl Iterator for Claims {
    type Item = Result<Held>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stop.is_cancelled() {
            return None;
        }
        let until = self.idle.map(|idle| self.store.now().saturating_add(millis(idle)));
        match self.store.claim_until(&self.claim, until, Some(&self.stop)) {
            Ok(committed) => {
                let task = committed.into_task()?;
                Some(Ok(Held::new(&self.store, task, self.claim.lease)))
            }
            Err(error) if error.code() == Code::Cancelled => None,
            Err(error) => Some(Err(error)),
        }
    }
}
