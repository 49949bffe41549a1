//! What all handles on a simulated folder share: its images, its processes, and the faults that are planned for them.

use alloc::{boxed::Box, collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::image::{FolderImage, NameChange};
use crate::error::{Code, Error, Result};

/// What a failing sync loses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// The pages are not on the medium; the cache still has them, and takes them for clean.
    Medium,
    /// The cache forgot them too: a read finds what the medium has.
    MediumAndCache,
}

/// What happens at a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The call fails, perhaps half done.
    Fail,
    /// The process dies in it.
    Die,
    /// The power goes in it.
    Crash,
}

#[derive(Default, Debug)]
pub(super) struct Process {
    pub dead: bool,
    pub calls: u64,
    pub plans: Vec<(u64, Fault)>,
    pub hook: Option<(u64, Hook)>,
}

/// What a test does between two calls.
pub(super) struct Hook(pub Box<dyn FnOnce() + Send>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

#[derive(Default, Debug)]
pub(super) struct State {
    pub folder: FolderImage,
    pub processes: Vec<Process>,
    /// For each open file: which, and how many of its failures were reported to it.
    pub opened: Vec<(usize, u64)>,
    pub handles: usize,
    pub lock: Option<(usize, usize)>,
    pub calls: u64,
    pub counts: BTreeMap<&'static str, u64>,
    pub log: Option<Vec<String>>,
    pub crash_at: Option<u64>,
    pub crashed: bool,
    pub capacity: Option<usize>,
    pub failing_syncs: u64,
    pub lost: Option<Lost>,
}

pub(super) type World = Arc<Mutex<State>>;

pub(super) fn state(world: &World) -> MutexGuard<'_, State> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same, for a call of a process: what a test does before it is done first.
pub(super) fn enter(world: &World, process: usize) -> MutexGuard<'_, State> {
    let mut guard = state(world);
    let own = &mut guard.processes[process];
    if let Some((_, Hook(hook))) = own.hook.take_if(|(at, _)| *at == own.calls + 1) {
        drop(guard);
        hook();
        guard = state(world);
    }
    guard
}

pub(super) fn off() -> Error {
    Error::new(Code::Unavailable, "the simulated machine or process is off")
}

pub(super) fn failed(what: &str) -> Error {
    Error::new(Code::Unavailable, format!("the simulated disk failed in {what}"))
}

impl State {
    /// Counts a call and tells what happens in it.
    pub fn call(&mut self, process: usize, what: &'static str, about: fmt::Arguments<'_>) -> Result<Option<Fault>> {
        if self.crashed || self.processes[process].dead {
            return Err(off());
        }
        self.calls += 1;
        *self.counts.entry(what).or_default() += 1;
        if let Some(log) = &mut self.log {
            log.push(format!("{what} {about}"));
        }
        let own = &mut self.processes[process];
        own.calls += 1;
        let mut fault = None;
        if let Some(planned) = own.plans.iter().position(|(at, _)| *at == own.calls) {
            fault = Some(own.plans.swap_remove(planned).1);
        }
        if self.crash_at == Some(self.calls) {
            fault = Some(Fault::Crash);
        }
        match fault {
            Some(Fault::Crash) => self.crashed = true,
            Some(Fault::Die) => self.die(process),
            _ => {}
        }
        Ok(fault)
    }

    pub fn die(&mut self, process: usize) {
        self.processes[process].dead = true;
        self.lock = self.lock.filter(|(holder, _)| *holder != process);
    }

    /// A call that either works or does nothing.
    pub fn plain(&mut self, process: usize, what: &'static str, about: fmt::Arguments<'_>) -> Result<()> {
        match self.call(process, what, about)? {
            None => Ok(()),
            Some(_) => Err(failed(what)),
        }
    }

    /// A change of names: done, but not durable, where the power goes in it.
    pub fn rename(&mut self, process: usize, what: &'static str, change: NameChange) -> Result<()> {
        let fault = self.call(process, what, format_args!("{change:?}"))?;
        if matches!(fault, None | Some(Fault::Crash)) {
            self.folder.change(change);
        }
        if fault.is_some() { Err(failed(what)) } else { Ok(()) }
    }

    pub fn find(&self, name: &str) -> Result<usize> {
        let missing = || Error::new(Code::NotFound, format!("the simulated folder has no file {name:?}"));
        self.folder.names.get(name).copied().ok_or_else(missing)
    }

    pub fn open(&mut self, file: usize) -> usize {
        self.opened.push((file, self.folder.files[file].failures));
        self.opened.len() - 1
    }
}
