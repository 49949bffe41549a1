//! A file of zeros that is let go of when the disk is full, so that there is room for what frees some: finishing,
//! deleting, a snapshot.
//!
//! While it is missing, and can't be made again, the journal is *short*: the driver refuses what only adds.

use alloc::vec;

use super::{
    ByteLog,
    disk::{Disk, DiskFile},
};
use crate::error::{Code, Error, Result};

/// The reserve's name.
pub(super) const NAME: &str = "reserve";
impl<D: Disk> ByteLog<D> {
    /// Whether there is no reserve, and no room for one.
    pub(super) fn is_short(&mut self) -> bool {
        if self.options.read_only || self.closed {
            return false;
        }
        match self.disk.open(NAME) {
            // Where it is not whole, somebody is writing it, or died over that. Where it can't be removed another
            // handle was quicker.
            Ok(file) => match file.len() {
                Ok((len, _)) if len < self.options.reserve_bytes as u64 => {
                    let _ = self.disk.remove(NAME);
                    self.lacks_room()
                }
                _ => false,
            },
            Err(error) if error.code() == Code::NotFound => self.lacks_room(),
            Err(_) => false,
        }
    }

    /// Makes the reserve; whether there is no room for it. Where another handle makes it at the same time there is.
    fn lacks_room(&mut self) -> bool {
        self.make_reserve().is_err_and(|error| error.code() == Code::NoSpace)
    }

    fn make_reserve(&mut self) -> Result<()> {
        let file = self.disk.create(NAME)?;
        let written = file.write_at(0, &vec![0; self.options.reserve_bytes]);
        if written.is_err() {
            // Cut first: a process that is being started may have the file open for a moment.
            let _ = file.truncate(0);
            let _ = self.disk.remove(NAME);
        }
        written
    }

    /// Lets go of the reserve, where the error says that the disk is full.
    pub(super) fn spend_reserve(&mut self, error: &Error) {
        if error.code() == Code::NoSpace {
            // Where it is spent already there is nothing to let go of.
            if let Ok(file) = self.disk.open(NAME) {
                let _ = file.truncate(0);
                let _ = self.disk.remove(NAME);
            }
        }
    }
}
