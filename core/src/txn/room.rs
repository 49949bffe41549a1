//! Whether there is room for what a transaction adds. Finishing and deleting need none.

use alloc::format;

use super::{Bench, Footprint};
use crate::{
    error::{Code, Error},
    limits::Limits,
};

/// Whether there is room for new tasks, or for records that are put.
pub(super) fn room(bench: &Bench<'_>, footprint: &Footprint, adds: bool, puts: bool) -> Result<(), Error> {
    if !adds && !puts {
        return Ok(());
    }
    let Bench { state, overlay, limits, journal_bytes, .. } = bench;
    let tasks = state.tasks().saturating_add_signed(overlay.added_tasks() + footprint.added_tasks);
    let bytes = state.bytes() + overlay.added_bytes() + footprint.added_bytes;
    full(limits, tasks, bytes, *journal_bytes, adds)
}

fn full(limits: &Limits, tasks: u64, bytes: u64, journal: u64, adds: bool) -> Result<(), Error> {
    let over = |what: &str, found: u64, limit: u64, next: &str| {
        Err(Error::new(Code::Full, format!("the store is full: {found} {what} of {limit} allowed: {next}")))
    };
    if adds && tasks > limits.max_tasks {
        return over("tasks", tasks, limits.max_tasks, "finish or delete some, or raise max_tasks");
    }
    if bytes > limits.max_state_bytes {
        return over(
            "bytes of state",
            bytes,
            limits.max_state_bytes,
            "finish or delete some, or raise max_state_bytes",
        );
    }
    if journal == crate::limits::NO_SPACE {
        return Err(Error::new(
            Code::NoSpace,
            "the disk is full: only finishing, deleting, and a snapshot go on; free some space, then try again",
        ));
    }
    if journal > limits.max_journal_bytes {
        return over(
            "bytes of journal",
            journal,
            limits.max_journal_bytes,
            "take a snapshot, or raise max_journal_bytes",
        );
    }
    Ok(())
}
