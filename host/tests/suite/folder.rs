//! Where the stores of a suite are: in a folder, opened by each handle.

use tenure::{Options, Store, clock::Clock};

pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new(_: &Clock) -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn open(&self, options: &Options) -> Store {
        options.open(self.0.path().join("s")).unwrap()
    }
}
