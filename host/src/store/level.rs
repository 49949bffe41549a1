//! The format level.

use tenure_core::Result;

use super::{Shared, Store, at};

impl Store {
    /// Raises the store's format level to that of this program, so that older programs can't use it any more. Answers
    /// with the level that it has then, and whether it was raised.
    pub fn upgrade(&self) -> Result<(u32, bool)> {
        at!(self, |shared| shared.upgrade(), |_remote| Err(tenure_core::Error::new(
            tenure_core::Code::Unsupported,
            "a served store's format level is raised where it lies: stop the service, and run tenure upgrade there"
        )))
    }
}

impl Shared {
    fn upgrade(&self) -> Result<(u32, bool)> {
        let mut driver = self.driver()?;
        let now = || self.clock.now();
        driver.catch_up(&now)?;
        let before = driver.engine().state().level();
        let until = driver.upgrade(&now)?;
        let level = driver.engine().state().level();
        self.after(&mut driver);
        drop(driver);
        self.wait_durable(until)?;
        Ok((level, level != before))
    }
}
