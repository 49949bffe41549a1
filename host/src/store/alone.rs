//! A store that one handle has for itself: taking it, and taking the place of one that died without giving it back.
//!
//! ```text
//!   found             opened shared          opened exclusive          opened to take over
//!   nobody            –                      hand-off                  hand-off
//!   one that lives    writes are `Fenced`    `Fenced`                  hand-off: the other is fenced
//!   one that is gone  hand-off, release      hand-off                  hand-off
//! ```
//!
//! On files a handle that is gone is known by its life-long lock, which nobody holds; elsewhere only taking over helps.

use std::path::Path;

use tenure_core::{
    Author, Result,
    driver::{Clock, Driver},
    engine::Engine,
};

use super::Shared;
use crate::{
    file::Life,
    options::{Options, Sharing},
};

/// Takes the store as the options say; gives the lock that says so while it is held.
pub(super) fn enter(
    driver: &mut Driver,
    folder: Option<&Path>,
    options: &Options,
    clock: Clock<'_>,
) -> Result<Option<Life>> {
    if options.read_only {
        return Ok(None);
    }
    if options.sharing == Sharing::Shared {
        replace(driver, folder, clock)?;
        return Ok(None);
    }
    let author = driver.engine().author();
    // Before the hand-off: whoever reads that finds its author alive.
    let life = folder.map(|folder| Life::begin(folder, author, options.file_mode)).transpose()?;
    let mut before = None;
    driver.control(clock, &mut |engine, now| {
        before = gone(engine, folder);
        engine.stage_hand_off(now, before.is_some() || options.sharing == Sharing::TakeOver).map(|()| true)
    })?;
    if let (Some(folder), Some(before)) = (folder, before) {
        Life::bury(folder, before);
    }
    Ok(life)
}

/// The author who has the store for itself and is gone.
fn gone(engine: &Engine, folder: Option<&Path>) -> Option<Author> {
    let author = engine.state().exclusive();
    let other = author != Author(0) && author != engine.author();
    folder.filter(|folder| other && !Life::is_lived(folder, author)).map(|_| author)
}

/// Gives the store back in the place of one that is gone; says whether there was one.
fn replace(driver: &mut Driver, folder: Option<&Path>, clock: Clock<'_>) -> Result<bool> {
    let Some(folder) = folder else { return Ok(false) };
    if gone(driver.engine(), Some(folder)).is_none() {
        return Ok(false);
    }
    let mut before = None;
    driver.control(clock, &mut |engine, now| {
        before = gone(engine, Some(folder));
        before.map_or(Ok(false), |_| engine.stage_hand_off(now, true).map(|()| true))
    })?;
    // Where another handle was quicker, this one has nothing to give back.
    if driver.engine().state().exclusive() == driver.engine().author() {
        driver.release(clock)?;
    }
    if let Some(before) = before {
        Life::bury(folder, before);
    }
    Ok(before.is_some())
}

impl Shared {
    /// Where the store is another's who is gone: gives it back to everyone.
    pub(super) fn replace_dead(&self, driver: &mut Driver) -> bool {
        driver.fenced_by().is_some()
            && replace(driver, self.path.as_deref(), &|| self.clock.now()).is_ok_and(|replaced| replaced)
    }
}
