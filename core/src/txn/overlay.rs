//! What is staged and not yet confirmed, as later requests of the same batch must see it.
//!
//! Records are seen with their staged values. Tasks and keys are only marked: a request that meets a marked one is
//! deferred until the batch is confirmed. So there is no undo: dropping the overlay is the whole rollback.

use alloc::{collections::BTreeMap, sync::Arc};

use super::footprint::Footprint;
use crate::{
    data::Data,
    id::{OwnerId, Revision},
    state::{FoldMap, State},
    time::Millis,
};

/// What is staged and not yet confirmed.
#[derive(Debug, Default)]
pub struct Overlay {
    staged: bool,
    tasks: FoldMap<u64, ()>,
    groups: FoldMap<Arc<str>, Millis>,
    keys: FoldMap<u64, ()>,
    requests: FoldMap<(u64, Arc<str>), ()>,
    records: BTreeMap<(Arc<str>, Arc<str>), Option<Seen>>,
    added_tasks: i64,
    added_bytes: u64,
}

/// A record as a request sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub data: Data,
    pub revision: Revision,
    pub expires_at: Millis,
}

impl Overlay {
    /// From when the first of what staged transactions put into a group can be claimed.
    pub(crate) fn first_in(&self, group: &str) -> Option<Millis> {
        if self.groups.is_empty() { None } else { self.groups.get(group).copied() }
    }

    /// Whether a staged transaction changes this task.
    pub(crate) fn touches(&self, id: u64) -> bool {
        !self.tasks.is_empty() && self.tasks.contains_key(&id)
    }

    /// Whether a staged transaction gives or takes this key.
    pub(crate) fn touches_key(&self, hash: u64) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(&hash)
    }

    /// Whether a staged transaction has this request id.
    pub(crate) fn asked(&self, owner: OwnerId, id: &str) -> bool {
        !self.requests.is_empty() && self.requests.contains_key(&(owner.0, Arc::from(id)))
    }

    /// A record that can be seen at `now`.
    pub(crate) fn record(&self, state: &State, table: &str, key: &str, now: Millis) -> Option<Seen> {
        if !self.records.is_empty()
            && let Some(staged) = self.records.get(&(Arc::from(table), Arc::from(key)))
        {
            return staged.clone().filter(|seen| seen.expires_at == 0 || seen.expires_at > now);
        }
        let value = state.tables().get(table, key).filter(|value| value.visible(now))?;
        Some(Seen { data: value.data.clone(), revision: value.revision, expires_at: value.expires_at })
    }

    /// Whether a staged transaction writes this record.
    pub(crate) fn writes(&self, table: &str, key: &str) -> bool {
        !self.records.is_empty() && self.records.contains_key(&(Arc::from(table), Arc::from(key)))
    }

    /// Tasks that staged transactions add, less those that they remove.
    pub(crate) fn added_tasks(&self) -> i64 {
        self.added_tasks
    }

    /// Bytes that staged transactions add.
    pub(crate) fn added_bytes(&self) -> u64 {
        self.added_bytes
    }

    /// Takes in what a transaction touches, at the revision that it is staged as.
    pub(crate) fn stage(&mut self, footprint: &mut Footprint, revision: Revision) {
        self.staged = true;
        self.tasks.extend(footprint.tasks.drain(..).map(|id| (id, ())));
        for (group, available_at) in footprint.groups.drain(..) {
            let first = self.groups.entry(group).or_insert(available_at);
            *first = available_at.min(*first);
        }
        self.keys.extend(footprint.keys.drain(..).map(|hash| (hash, ())));
        self.requests.extend(footprint.request.take().map(|name| (name, ())));
        for (name, seen) in footprint.records.drain(..) {
            let seen = seen.map(|seen| Seen { revision, ..seen });
            self.records.insert(name, seen);
        }
        self.added_tasks += footprint.added_tasks;
        self.added_bytes += footprint.added_bytes;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        // Most batches are of one transaction, behind which nothing was staged.
        if !core::mem::take(&mut self.staged) {
            return;
        }
        self.tasks.clear();
        self.groups.clear();
        self.keys.clear();
        self.requests.clear();
        self.records.clear();
        self.added_tasks = 0;
        self.added_bytes = 0;
    }
}
