//! A clock for tests.

use std::time::{SystemTime, UNIX_EPOCH};

use napi::Unknown;
use napi_derive::napi;
use tenure::clock::Clock;

use crate::types::{given, millis, number};

/// A clock that stands still until it is advanced.
#[napi]
pub struct FakeClock(pub(crate) Clock);

#[napi]
impl FakeClock {
    /// A clock that stands at `now`, by default at the system's time.
    #[napi(constructor)]
    pub fn new(now: Unknown<'_>) -> napi::Result<Self> {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let now = given(now)?.map(|now| millis("now", &now)).transpose()?;
        Ok(Self(Clock::test(now.unwrap_or_else(wall))))
    }

    /// Moves the clock on, wakes whatever waits for it, and lets leases run out.
    #[napi]
    pub fn advance(&self, by: Unknown<'_>) -> napi::Result<()> {
        self.0.advance(std::time::Duration::from_millis(millis("by", &by)?));
        Ok(())
    }

    /// Puts the clock to a time, forwards or backwards.
    #[napi]
    pub fn set(&self, now: Unknown<'_>) -> napi::Result<()> {
        self.0.set(millis("now", &now)?);
        Ok(())
    }

    /// The time, in milliseconds since the Epoch.
    #[napi]
    pub fn now(&self) -> f64 {
        number(self.0.now())
    }
}
