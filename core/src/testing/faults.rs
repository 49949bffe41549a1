//! What goes wrong with a simulated folder, and when.

use alloc::boxed::Box;

use super::{
    disk::SimDisk,
    world::{Fault, Hook, Lost},
};

impl SimDisk {
    /// Lets the `n`th call from now of this process fail; a write is half done then, and a failing sync loses data.
    pub fn fail_at(&self, n: u64) {
        self.plan(n, Fault::Fail);
    }

    /// Lets this process die in its `n`th call from now: its lock is free, what it wrote stays.
    pub fn die_at(&self, n: u64) {
        self.plan(n, Fault::Die);
    }

    fn plan(&self, n: u64, fault: Fault) {
        let mut state = self.state();
        let own = &mut state.processes[self.process];
        own.plans.push((own.calls + n, fault));
    }

    /// Does something before the `n`th call from now of this process.
    pub fn before_call(&self, n: u64, hook: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        let own = &mut state.processes[self.process];
        own.hook = Some((own.calls + n, Hook(Box::new(hook))));
    }

    /// Lets the power go in the `n`th call from now, of any process. See [`SimDisk::after_crash`].
    pub fn crash_at(&self, n: u64) {
        let mut state = self.state();
        state.crash_at = Some(state.calls + n);
    }

    /// Ends this process now.
    pub fn die(&self) {
        let process = self.process;
        self.state().die(process);
    }

    /// Whether the power went, or this process died.
    pub fn is_off(&self) -> bool {
        let state = self.state();
        state.crashed || state.processes[self.process].dead
    }

    /// Lets the next `n` syncs of files fail and lose data; later ones succeed, and bring nothing back.
    pub fn fail_syncs(&self, n: u64, lost: Lost) {
        let mut state = self.state();
        state.failing_syncs = n;
        state.lost = Some(lost);
    }
}
