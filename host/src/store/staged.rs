//! A change of a held task that is committed with others. While it is on its way the lease does not renew itself, so that the id
//! that it names is the present one.

use std::sync::MutexGuard;

use tenure_core::{Committed, Result, Task};

use super::{
    held::{HeldState, Present},
    verb::TaskName,
};

/// A held task of which a change is on its way, until that is [settled](Staged::settle).
#[derive(Debug)]
#[must_use = "a change is on its way until it is settled"]
pub struct Staged<'a> {
    held: &'a HeldState,
    present: MutexGuard<'a, Present>,
}

impl<'a> Staged<'a> {
    pub(super) fn new(held: &'a HeldState, present: MutexGuard<'a, Present>) -> Self {
        Self { held, present }
    }

    /// What a request names it by.
    pub fn name(&self) -> TaskName {
        self.task().into()
    }

    /// The task before the change.
    pub fn task(&self) -> &Task {
        &self.present.task
    }

    /// Whether it was finished, failed or given back before: then there is nothing to ask for.
    pub fn is_ended(&self) -> bool {
        self.present.ended
    }

    /// Notes what came of it, and hands it on.
    pub fn settle(mut self, answer: Result<Committed>) -> Result<Committed> {
        self.held.settle(&mut self.present, &answer);
        answer
    }
}
