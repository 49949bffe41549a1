//! A clock for tests.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use tenure::clock::Clock;

use crate::types::{Seconds, seconds};

/// A clock that stands still until it is advanced: give it to `tenure.memory` or `tenure.open`.
///
/// >>> import tenure
/// >>> clock = tenure.FakeClock()
/// >>> with tenure.memory(clock=clock) as store:
/// ...     task = store.add("mail", "hello", delay=60)
/// ...     early = store.claim("mail")
/// ...     clock.advance(60)
/// ...     late = store.claim("mail")
/// >>> early is None, late.text()
/// (True, 'hello')
#[pyclass(frozen, module = "tenure")]
pub struct FakeClock(pub Clock);

#[pymethods]
impl FakeClock {
    #[new]
    #[pyo3(signature = (now=None))]
    fn new(now: Option<Seconds>) -> Self {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        Self(Clock::test(now.map_or_else(wall, |now| now.0)))
    }

    /// Moves the clock on, wakes whatever waits for it, and lets leases run out.
    fn advance(&self, py: Python<'_>, by: Seconds) {
        py.detach(|| self.0.advance(by.span()));
    }

    /// Puts the clock to a time, forwards or backwards, in seconds since the Epoch.
    fn set(&self, py: Python<'_>, now: Seconds) {
        py.detach(|| self.0.set(now.0));
    }

    /// The time, in seconds since the Epoch.
    fn now(&self) -> f64 {
        seconds(self.0.now())
    }

    fn __repr__(&self) -> String {
        format!("FakeClock({})", self.now())
    }
}
