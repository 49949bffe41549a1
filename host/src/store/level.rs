//! The format level.

use tenure_core::Result;

use super::Store;

impl Store {
    /// Raises the store's format level to that of this program, so that older programs can't use it any more. Answers
    /// with the level that it has then, and whether it was raised.
    pub fn upgrade(&self) -> Result<(u32, bool)> {
        let shared = &self.shared;
        let mut driver = shared.driver()?;
        let now = || shared.clock.now();
        driver.catch_up(&now)?;
        let before = driver.engine().state().level();
        let until = driver.upgrade(&now)?;
        let level = driver.engine().state().level();
        shared.after(&mut driver);
        drop(driver);
        shared.wait_durable(until)?;
        Ok((level, level != before))
    }
}
