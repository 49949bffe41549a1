//! The format level: what this program may touch.

use alloc::format;

use crate::{
    error::{Code, Error},
    state::State,
};

/// The format level that this program writes into new stores, and the highest that it reads.
pub const LEVEL: u32 = 1;

/// Why this program may not touch a store of this state, if it may not.
pub(super) fn too_new(state: &State) -> Option<Error> {
    let level = state.level();
    (level > LEVEL).then(|| {
        let why = format!("the store was upgraded to format level {level}; this program knows {LEVEL}: upgrade it");
        Error::new(Code::UpgradeNeeded, why)
    })
}
