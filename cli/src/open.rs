//! Opening the store that a command names.

use std::path::Path;

use tenure::{Code, Error, Options, OwnerId, Result, Store};

/// What all commands share.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The label of who does it.
    pub actor: Option<String>,
}

impl Setting {
    /// How a store is opened to write in it.
    pub fn options(&self, owner: Option<u64>) -> Options {
        let mut options = Options::new();
        if let Some(actor) = &self.actor {
            options = options.actor(actor);
        }
        if let Some(owner) = owner {
            options = options.owner(owner);
        }
        options
    }

    /// A store to write in, which must be there.
    pub fn present(&self, path: &Path) -> Result<Store> {
        self.options(None).create(false).open(path)
    }

    /// A store to write in, made where there is none.
    pub fn present_or_new(&self, path: &Path) -> Result<Store> {
        self.options(None).open(path)
    }

    /// A store to look at: nothing is written, not even a lock.
    pub fn to_look(&self, path: &Path) -> Result<Store> {
        self.options(None).read_only(true).create(false).open(path)
    }
}

/// An owner's number as it was given, 0 where none was.
pub fn owner(given: Option<u64>) -> OwnerId {
    OwnerId(given.unwrap_or_default())
}

/// A call that is wrong.
pub fn invalid(why: impl Into<String>) -> Error {
    Error::new(Code::Invalid, why)
}
