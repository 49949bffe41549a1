//! Which groups have something new to claim, for those who wait.

use alloc::{sync::Arc, vec::Vec};

use super::State;
use crate::record::GROUPS_TABLE;

/// Names of stirred groups that are kept apart.
const STIRRED: usize = 1024;

impl State {
    /// The groups in which tasks were added, released or given another time since this was last asked, and which have any
    /// still; every group where there were too many to keep apart.
    pub fn take_stirred(&mut self) -> Vec<Arc<str>> {
        if self.stirred_all {
            self.forget_stirred();
            return self.groups.iter().map(|(_, group)| group.name.clone()).collect();
        }
        // A number that another group has meanwhile wakes somebody for nothing.
        let groups = self.stirred.iter().map(|number| &self.groups[*number]);
        let names = groups.filter(|group| !group.agenda.is_empty()).map(|group| group.name.clone()).collect();
        self.forget_stirred();
        names
    }

    /// Nobody waits: whoever comes looks first.
    pub fn forget_stirred(&mut self) {
        self.stirred.clear();
        self.stirred_all = false;
    }

    /// Other settings of a group may let claims go on there.
    pub(super) fn stir_settings(&mut self, table: &str, group: &str) {
        if table == GROUPS_TABLE
            && let Some(number) = self.groups.find(group)
        {
            self.stir(number);
        }
    }

    pub(super) fn stir(&mut self, group: u32) {
        if self.stirred_all || self.stirred.last().is_some_and(|last| *last == group) {
            return;
        }
        self.stirred.push(group);
        // A handle that nobody asks (a replay) must not collect for ever: beyond this, any group may be meant.
        if self.stirred.len() >= STIRRED {
            self.stirred.sort_unstable();
            self.stirred.dedup();
            self.stirred_all = self.stirred.len() >= STIRRED / 2;
        }
    }
}
