//! Requests through the driver, once its lock is held, and who is to be told of what came of them.

use std::sync::{MutexGuard, TryLockError};

use tenure_core::{
    Code, Result,
    driver::{Done, Driver},
    txn::Ask,
};

use super::Shared;

impl Shared {
    /// The driver, where nobody has it.
    pub(super) fn driver_at_once(&self) -> Option<MutexGuard<'_, Driver>> {
        match self.driver.try_lock() {
            Ok(driver) => Some(driver),
            Err(TryLockError::Poisoned(driver)) => Some(driver.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Runs one request and tells everyone whom it concerns.
    pub(super) fn commit_one(&self, driver: &mut Driver, ask: Ask<'_>) -> Result<Done> {
        let mut answer = driver.ask(ask, &|| self.clock.now());
        if is_fenced(&answer) && self.replace_dead(driver) {
            answer = driver.ask(ask, &|| self.clock.now());
        }
        crate::trace::committed(1, usize::from(answer.is_err()), driver.engine().tail().revision);
        self.after(driver);
        answer
    }

    /// Runs requests and tells everyone whom it concerns.
    pub(super) fn commit(&self, driver: &mut Driver, asks: &[Ask<'_>]) -> Vec<Result<Done>> {
        let mut answers = driver.run(asks, &|| self.clock.now());
        if answers.iter().all(is_fenced) && self.replace_dead(driver) {
            answers = driver.run(asks, &|| self.clock.now());
        }
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        crate::trace::committed(asks.len(), refused, driver.engine().tail().revision);
        self.after(driver);
        answers
    }

    /// After entries were confirmed or ingested: wakes waiting claims, feeds watches, looks whether a snapshot is due.
    pub(super) fn after(&self, driver: &mut Driver) {
        self.tell(driver);
        self.snapshots.look(driver, &self.own);
    }

    /// Wakes waiting claims and feeds watches.
    pub(super) fn tell(&self, driver: &mut Driver) {
        if self.waits.is_empty() {
            // Whoever comes to wait looks behind this, under the same lock.
            driver.engine_mut().forget_stirred();
        } else {
            self.waits.wake(&driver.engine_mut().take_stirred());
        }
        self.watches.feed(driver.engine_mut());
    }
}

fn is_fenced(answer: &Result<Done>) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == Code::Fenced)
}
