//! What was claimed by somebody who was gone before he was told. It is released: at once, or, where the claim had a
//! request id, a little later, since whoever lost his connection asks again with the same one and is told then.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tenure::{Committed, OwnerId, Request, Store, Update, Verb, When};

/// How long one who lost his connection has to ask again.
const GRACE: Duration = Duration::from_secs(2);

/// Who asked, and under which request id.
type Name = (OwnerId, String);

/// Claims that nobody was told of yet.
#[derive(Debug, Default)]
pub struct Orphans(Mutex<HashMap<Name, (Instant, Committed)>>);

impl Orphans {
    /// Takes in what nobody was told of.
    pub fn take_in(&self, store: &Store, owner: OwnerId, request_id: Option<&str>, untold: Committed) {
        match request_id {
            None => release(store, owner, &untold),
            Some(id) => {
                let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                all.insert((owner, id.to_owned()), (Instant::now(), untold));
            }
        }
    }

    /// Whoever claimed under this id asks again: he is told now.
    pub fn adopt(&self, owner: OwnerId, request_id: Option<&str>) {
        if let Some(id) = request_id {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(owner, id.to_owned()));
        }
    }

    /// Releases those for whom nobody came; `all` where nobody can any more.
    pub fn release(&self, store: &Store, all: bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(owner, _), (since, untold)| {
            let over = all || since.elapsed() >= GRACE;
            if over {
                release(store, *owner, untold);
            }
            !over
        });
    }
}

fn release(store: &Store, owner: OwnerId, untold: &Committed) {
    // A task of a repeated outcome that has changed since is somebody's by now.
    let known = untold.tasks.iter().filter(|task| task.origin.0 != 0);
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
        store.post(Request { owner, updates, ..Request::default() }, |_| ());
    }
}
