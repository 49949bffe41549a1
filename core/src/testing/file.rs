//! An open file of a simulated folder.

use super::world::{Fault, Lost, World, enter, failed};
use crate::{
    bytelog::DiskFile,
    error::{Code, Error, Result},
};

/// An open file of a simulated folder.
#[derive(Debug)]
pub struct SimFile {
    pub(super) world: World,
    pub(super) process: usize,
    pub(super) opened: usize,
    pub(super) file: usize,
}

impl DiskFile for SimFile {
    fn len(&self) -> Result<(u64, bool)> {
        let mut state = enter(&self.world, self.process);
        state.plain(self.process, "len", format_args!(""))?;
        let linked = state.folder.names.values().any(|&file| file == self.file);
        Ok((state.folder.files[self.file].live.len() as u64, linked))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        let mut state = enter(&self.world, self.process);
        state.plain(self.process, "read_at", format_args!(""))?;
        let live = &state.folder.files[self.file].live;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(live.len());
        let read = into.len().min(live.len() - from);
        into[..read].copy_from_slice(&live[from..from + read]);
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = enter(&self.world, self.process);
        let fault = state.call(self.process, "write_at", format_args!("{} bytes at {offset}", bytes.len()))?;
        let mut kept = match fault {
            None | Some(Fault::Crash) => bytes.len(),
            Some(_) => bytes.len() / 2,
        };
        let offset = usize::try_from(offset).map_err(|_| failed("write_at"))?;
        let mut full = false;
        if let Some(capacity) = state.capacity {
            let len = state.folder.files[self.file].live.len();
            let room = capacity.saturating_sub(state.folder.bytes()) + len.saturating_sub(offset);
            full = room < kept;
            kept = kept.min(room);
        }
        state.folder.files[self.file].write(offset, &bytes[..kept]);
        match fault {
            Some(_) => Err(failed("write_at")),
            None if full => Err(Error::new(Code::NoSpace, "the simulated disk is full")),
            None => Ok(()),
        }
    }

    fn truncate(&self, len: u64) -> Result<()> {
        let mut state = enter(&self.world, self.process);
        let fault = state.call(self.process, "truncate", format_args!("to {len}"))?;
        if matches!(fault, None | Some(Fault::Crash)) {
            let len = usize::try_from(len).map_err(|_| failed("truncate"))?;
            state.folder.files[self.file].truncate(len);
        }
        if fault.is_some() { Err(failed("truncate")) } else { Ok(()) }
    }

    fn sync(&self) -> Result<()> {
        let mut state = enter(&self.world, self.process);
        let fault = state.call(self.process, "sync", format_args!(""))?;
        if matches!(fault, Some(Fault::Crash | Fault::Die)) {
            return Err(failed("sync"));
        }
        let mut lost = state.lost.filter(|_| state.failing_syncs > 0);
        state.failing_syncs = state.failing_syncs.saturating_sub(1);
        if fault.is_some() {
            lost = lost.or(Some(Lost::Medium));
        }
        if let Some(lost) = lost {
            state.folder.files[self.file].lose(lost == Lost::MediumAndCache);
        }
        // A failure is told once to each file that was open when it happened, and to nobody who opens it later.
        let failures = state.folder.files[self.file].failures;
        let told = &mut state.opened[self.opened].1;
        if core::mem::replace(told, failures) < failures {
            return Err(failed("sync"));
        }
        state.folder.files[self.file].sync();
        Ok(())
    }
}
