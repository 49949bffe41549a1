//! Making durable, beside the appends.

use crate::{error::Result, id::Position};

/// What a sync covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Synced {
    /// Everything before it is durable.
    pub position: Position,
}

/// A sync that is ready to run. It was made under the handle's own lock and runs without it, so that appends go on.
pub trait Syncer: Send {
    /// Makes durable everything before the position that was the tail when this was made, and tells other handles
    /// of the journal, so that they can skip their own. Where another handle did it already, this is free.
    fn sync(&mut self) -> Result<Synced>;
}
