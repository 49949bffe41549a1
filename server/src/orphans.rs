//! What was claimed by somebody who was gone before he was told. It is released: at once, or, where the claim had a
//! request id, a little later, since whoever lost his connection asks again with the same one and is told then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tenure::{Committed, OwnerId, Request, Store, TaskId, Update, Verb, When};

/// How long one who lost his connection has to ask again.
const GRACE: Duration = Duration::from_secs(2);

/// Who claims, and under which request id.
#[derive(Clone, Debug)]
pub struct Claimant {
    pub owner: OwnerId,
    pub actor: Option<Arc<str>>,
    pub request_id: Option<String>,
}

/// What somebody claimed who is not told yet.
#[derive(Debug)]
pub struct Claimed {
    by: Claimant,
    /// The tasks' ids and origins.
    tasks: Vec<(TaskId, TaskId)>,
}

impl Claimed {
    /// What there is to tell; `None` where nothing was found.
    pub fn new(by: Claimant, claimed: &Committed) -> Option<Self> {
        // A task of a repeated outcome that has changed since is somebody's by now.
        let known = claimed.tasks.iter().filter(|task| task.origin.0 != 0);
        let tasks: Vec<_> = known.map(|task| (task.id, task.origin)).collect();
        (!tasks.is_empty()).then_some(Self { by, tasks })
    }
}

/// Claims that nobody was told of yet, by owner and request id, and since when.
#[derive(Debug, Default)]
pub struct Orphans(Mutex<HashMap<(OwnerId, String), (Instant, Claimed)>>);

impl Orphans {
    /// Takes in what nobody was told of.
    pub fn take_in(&self, store: &Store, untold: Claimed) {
        match untold.by.request_id.clone() {
            None => release(store, &untold),
            Some(id) => {
                let name = (untold.by.owner, id);
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (Instant::now(), untold));
            }
        }
    }

    /// Whoever claimed under this id asks again: he is told now.
    pub fn adopt(&self, by: &Claimant) {
        if let Some(id) = &by.request_id {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(by.owner, id.clone()));
        }
    }

    /// Releases those for whom nobody came; `all` where nobody can any more.
    pub fn release(&self, store: &Store, all: bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (since, untold)| {
            let over = all || since.elapsed() >= GRACE;
            if over {
                release(store, untold);
            }
            !over
        });
    }
}

fn release(store: &Store, untold: &Claimed) {
    let Claimant { owner, actor, .. } = &untold.by;
    let give_back = |(id, origin): &(TaskId, TaskId)| Update {
        id: *id,
        origin: Some(*origin),
        verb: Verb::Release,
        available: Some(When::Now),
        ..Update::default()
    };
    let updates = untold.tasks.iter().map(give_back).collect();
    // Where it does not work, the lease runs out by itself.
    store.post(Request { owner: *owner, actor: actor.clone(), updates, ..Request::default() }, |_| ());
}
