//! An engine that knows nothing of the state but where the journal ends: enough for adds without conditions.

use super::{Engine, Setup};
use crate::{id::Author, port::Tail, request::Request, state::State};

impl Engine {
    /// An engine behind this tail that takes every task and record for absent, everyone for a writer, and the level
    /// for the first. Only what [`is_unconditional`] may be staged.
    pub fn blind(setup: Setup, tail: Tail) -> Self {
        let mut state = State::new();
        state.stand_at(&tail, 1, Author(0));
        Self::new(setup, state, tail)
    }
}

/// Whether a request only adds tasks, whatever the state is: no key that another task could have, no request id that
/// could be a repeat. The bounds on the size of a whole store are not judged by it.
pub fn is_unconditional(request: &Request) -> bool {
    let Request { request_id, adds, updates, deletes, depends, puts, removes, increments, guards, .. } = request;
    !adds.is_empty()
        && adds.iter().all(|add| add.key.is_none())
        && request_id.is_none()
        && updates.is_empty()
        && deletes.is_empty()
        && depends.is_empty()
        && puts.is_empty()
        && removes.is_empty()
        && increments.is_empty()
        && guards.is_empty()
}
