//! Which groups have something new to claim, for those who wait.

use alloc::{sync::Arc, vec::Vec};

use super::State;
use crate::record::GROUPS_TABLE;

/// Names of stirred groups that are kept apart.
const STIRRED: usize = 1024;

impl State {
    /// The groups in which tasks were added, released or given another time since this was last asked; every group
    /// where there were too many to keep apart.
    pub fn take_stirred(&mut self) -> Vec<Arc<str>> {
        let stirred = core::mem::take(&mut self.stirred);
        if core::mem::take(&mut self.stirred_all) {
            return self.groups.iter().map(|(_, group)| group.name.clone()).collect();
        }
        stirred
    }

    /// Other settings of a group may let claims go on there.
    pub(super) fn stir_settings(&mut self, table: &str, group: &str) {
        if table == GROUPS_TABLE && self.groups.find(group).is_some() {
            self.stir(group);
        }
    }

    pub(super) fn stir(&mut self, group: &str) {
        if self.stirred_all || self.stirred.last().is_some_and(|last| **last == *group) {
            return;
        }
        let number = self.groups.number(group);
        let name = self.groups[number].name.clone();
        self.stirred.push(name);
        // A handle that nobody asks (a replay) must not collect for ever: beyond this, any group may be meant.
        if self.stirred.len() >= STIRRED {
            self.stirred.sort_unstable();
            self.stirred.dedup();
            self.stirred_all = self.stirred.len() >= STIRRED / 2;
        }
    }
}
