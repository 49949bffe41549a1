//! What became of ids that are no longer, so that a refusal can say it. A bounded memory, kept by each handle for
//! itself: it words errors and decides nothing but how they are worded.

use alloc::{collections::VecDeque, sync::Arc};

use super::memo::FoldMap;
use crate::{entry::Reason, time::Millis};

/// Ids that are remembered.
const IDS: usize = 32_768;
/// Labels that are remembered.
const ACTORS: usize = 4_096;

/// An id that was superseded or removed.
#[derive(Debug, Clone, Copy)]
pub struct Gone {
    /// The id.
    pub id: u64,
    /// The origin of its task.
    pub origin: u64,
    /// Who had claimed it, 0 for nobody.
    pub holder: u64,
    /// Until when it was held.
    pub until: Millis,
    /// Who ended it.
    pub by: u64,
    /// When.
    pub at: Millis,
    /// Why, where the task ended with it.
    pub reason: Option<Reason>,
}

/// The memory.
#[derive(Debug, Default)]
pub struct Past {
    gone: VecDeque<Gone>,
    actors: FoldMap<u64, Arc<str>>,
    latest: (u64, Arc<str>),
}

impl Past {
    /// Remembers an id.
    pub fn push(&mut self, gone: Gone) {
        if self.gone.len() == IDS {
            self.gone.pop_front();
        }
        self.gone.push_back(gone);
    }

    /// What became of an id.
    pub fn of(&self, id: u64) -> Option<&Gone> {
        self.gone.iter().rev().find(|gone| gone.id == id)
    }

    /// How the task of an origin ended.
    pub fn end_of(&self, origin: u64) -> Option<&Gone> {
        self.gone.iter().rev().find(|gone| gone.origin == origin && gone.reason.is_some())
    }

    /// Remembers who an owner is.
    pub fn meet(&mut self, owner: u64, actor: &str) {
        if self.latest.0 == owner && *self.latest.1 == *actor {
            return;
        }
        let known = self.actors.get(&owner).filter(|label| ***label == *actor).cloned();
        let label = known.unwrap_or_else(|| {
            if self.actors.len() == ACTORS {
                self.actors.clear();
            }
            let label: Arc<str> = actor.into();
            self.actors.insert(owner, label.clone());
            label
        });
        self.latest = (owner, label);
    }

    /// Who an owner is, empty where that is not known.
    pub fn actor(&self, owner: u64) -> Arc<str> {
        self.actors.get(&owner).cloned().unwrap_or_default()
    }
}
