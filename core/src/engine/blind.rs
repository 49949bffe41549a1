//! An engine that knows nothing of the state but where the journal ends: enough for adds without conditions.

use super::{Engine, Setup};
use crate::{id::Author, port::Tail, state::State};

impl Engine {
    /// An engine behind this tail that takes every task and record for absent, everyone for a writer, and the level
    /// for the first. Only a request that [is unconditional](crate::request::Request::is_unconditional)
    /// may be staged.
    pub fn blind(setup: Setup, tail: Tail) -> Self {
        let mut state = State::new();
        state.stand_at(&tail, 1, Author(0));
        Self::new(setup, state, tail)
    }
}
