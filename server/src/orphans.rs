//! What was claimed by somebody who was gone before he was told. It is released: at once, or, where the claim had a
//! request id, a little later, since whoever lost his connection asks again with the same one and is told then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tenure::{Committed, OwnerId, Request, Store, Update, Verb, When};

/// How long one who lost his connection has to ask again.
const GRACE: Duration = Duration::from_secs(2);

/// Who claims, and under which request id.
#[derive(Clone, Debug)]
pub struct Claimant {
    pub owner: OwnerId,
    pub actor: Option<Arc<str>>,
    pub request_id: Option<String>,
}

/// What somebody claimed and was not told.
#[derive(Debug)]
struct Untold {
    since: Instant,
    actor: Option<Arc<str>>,
    claimed: Committed,
}

/// Claims that nobody was told of yet, by owner and request id.
#[derive(Debug, Default)]
pub struct Orphans(Mutex<HashMap<(OwnerId, String), Untold>>);

impl Orphans {
    /// Takes in what nobody was told of.
    pub fn take_in(&self, store: &Store, by: Claimant, claimed: Committed) {
        let Claimant { owner, actor, request_id } = by;
        match request_id {
            None => release(store, owner, actor, &claimed),
            Some(id) => {
                let untold = Untold { since: Instant::now(), actor, claimed };
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((owner, id), untold);
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
        kept.retain(|(owner, _), untold| {
            let over = all || untold.since.elapsed() >= GRACE;
            if over {
                release(store, *owner, untold.actor.take(), &untold.claimed);
            }
            !over
        });
    }
}

fn release(store: &Store, owner: OwnerId, actor: Option<Arc<str>>, claimed: &Committed) {
    // A task of a repeated outcome that has changed since is somebody's by now.
    let known = claimed.tasks.iter().filter(|task| task.origin.0 != 0);
    let updates: Vec<Update> = known
        .map(|task| Update {
            id: task.id,
            origin: Some(task.origin),
            verb: Verb::Release,
            available: Some(When::Now),
            ..Update::default()
        })
        .collect();
    if !updates.is_empty() {
        // Where it does not work, the lease runs out by itself.
        store.post(Request { owner, actor, updates, ..Request::default() }, |_| ());
    }
}
