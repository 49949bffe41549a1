//! Transactions that only read: nothing is to be written, and what they read must have been true at one moment.

use alloc::vec::Vec;

use crate::{
    error::{Error, Refusal, Result},
    id::Revision,
    request::{Committed, Guard},
    state::State,
    time::Millis,
};

/// Whether all of these records are as they were read.
pub(super) fn check(state: &State, guards: &[Guard], now: Millis) -> Result<Committed> {
    let changed: Vec<Refusal> = guards
        .iter()
        .filter_map(|guard| {
            let value = state.tables().get(&guard.table, &guard.key).filter(|value| value.visible(now));
            let found = value.map_or(Revision(0), |value| value.revision);
            (found != guard.expect).then(|| Refusal::StaleRecord {
                table: guard.table.clone(),
                key: guard.key.clone(),
                expected: guard.expect,
                found,
            })
        })
        .collect();
    if changed.is_empty() {
        Ok(Committed { revision: state.revision(), ..Committed::default() })
    } else {
        Err(Error::rejected(changed))
    }
}
