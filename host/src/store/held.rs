//! A held task: it knows its present id and renews itself, until it is finished, failed or given back.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError},
    time::Duration,
};

use tenure_core::{Code, Committed, Data, Error, Millis, Refusal, Request, Result, Task, TaskId, Update};

use super::{Store, staged::Staged, verb::TaskName};

/// A task that this handle holds. Its lease is renewed in the background; dropping it gives the task back.
pub struct Held {
    state: Arc<HeldState>,
}

/// What renewal and transactions share of a held task.
#[doc(hidden)]
pub struct HeldState {
    pub(super) store: Store,
    present: Mutex<Present>,
    lost: OnceLock<Error>,
    on_lost: Mutex<Option<Hook>>,
    lease: Millis,
    origin: TaskId,
}

/// What a host wants to hear once the lease is lost.
type Hook = Box<dyn FnOnce() + Send>;

/// A held task as it is now.
#[doc(hidden)]
#[derive(Debug)]
pub struct Present {
    pub(super) task: Task,
    pub(super) ended: bool,
}

impl fmt::Debug for HeldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldState").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl HeldState {
    pub(super) fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` while a change is on its way.
    pub(super) fn try_present(&self) -> Option<MutexGuard<'_, Present>> {
        match self.present.try_lock() {
            Ok(present) => Some(present),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn origin(&self) -> TaskId {
        self.origin
    }

    pub(super) fn lease(&self) -> Millis {
        self.lease
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Notes that the lease is lost, where an error says so of this task.
    pub(super) fn note(&self, error: &Error, id: TaskId) {
        let speaks_of_it = error.refusals().iter().any(|refusal| match refusal {
            Refusal::MissingUpdate { id: other, .. }
            | Refusal::MissingDelete { id: other, .. }
            | Refusal::NotHeld { id: other } => *other == id,
            _ => false,
        });
        if speaks_of_it && self.lost.set(error.clone()).is_ok() {
            crate::trace::lease_lost(self.origin, error);
            self.tell();
        }
    }

    /// Tells the host, once, that the lease is lost.
    fn tell(&self) {
        let hook = self.on_lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hook) = hook {
            hook();
        }
    }

    /// Renews the lease once, unless it has ended.
    pub(super) fn renew(&self) -> Result<()> {
        let staged = self.stage();
        if staged.is_ended() || self.is_lost() {
            return Ok(());
        }
        self.commit(staged, |name| name.renew(Duration::from_millis(self.lease)))
    }

    /// Notes what came of a request that named the task as it was.
    pub(super) fn settle(&self, present: &mut Present, answer: &Result<Committed>) {
        match answer {
            Ok(committed) => match committed.tasks.iter().find(|task| task.origin == self.origin) {
                Some(task) if task.owner == present.task.owner => present.task = task.clone(),
                _ => present.ended = true,
            },
            Err(error) => self.note(error, present.task.id),
        }
    }

    fn stage(&self) -> Staged<'_> {
        Staged::new(self, self.present())
    }

    fn commit(&self, staged: Staged<'_>, how: impl FnOnce(TaskName) -> Request) -> Result<()> {
        let request = how(staged.name());
        staged.settle(self.store.update(request)).map(drop)
    }

    fn end(&self, how: impl FnOnce(TaskName) -> Request) -> Result<()> {
        self.check()?;
        let staged = self.stage();
        if staged.is_ended() {
            return Err(Error::new(Code::Invalid, "this held task was finished, failed or given back before"));
        }
        self.commit(staged, how)
    }

    fn check(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |lost| Err(lost.clone()))
    }
}

impl Held {
    pub(super) fn new(store: &Store, task: Task, lease: Millis) -> Self {
        let origin = task.origin;
        let present = Mutex::new(Present { task, ended: false });
        let (lost, on_lost) = (OnceLock::new(), Mutex::default());
        let state = Arc::new(HeldState { store: store.clone(), present, lost, on_lost, lease, origin });
        store.renew_in_time(&state);
        Self { state }
    }

    pub(super) fn state(&self) -> Arc<HeldState> {
        self.state.clone()
    }

    /// The task as it is now.
    pub fn task(&self) -> Task {
        self.state.present().task.clone()
    }

    /// How long each lease is.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.state.lease)
    }

    /// The work.
    pub fn data(&self) -> Data {
        self.state.present().task.data.clone()
    }

    /// The task and whether it has ended, as [`task`](Self::task) and [`is_ended`](Self::is_ended) say, but without
    /// waiting: `None` while a change of it is on its way.
    pub fn glance(&self) -> Option<(Task, bool)> {
        let present = self.state.try_present()?;
        Some((present.task.clone(), present.ended))
    }

    /// Calls `hook` once the lease is lost, on the thread that learns it; at once where it is lost by now. It must not
    /// block.
    pub fn on_lost(&self, hook: impl FnOnce() + Send + 'static) {
        *self.state.on_lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
        if self.is_lost() {
            self.state.tell();
        }
    }

    /// Whether the lease is lost: another may hold the task, or it is gone. Nothing that is done now can be committed
    /// with it.
    pub fn is_lost(&self) -> bool {
        self.state.is_lost()
    }

    /// Whether it was finished, failed or given back, by itself or in a transaction.
    pub fn is_ended(&self) -> bool {
        self.state.present().ended
    }

    /// `Err` with all that is known, once the lease is lost.
    pub fn check(&self) -> Result<()> {
        self.state.check()
    }

    /// Renews the lease now.
    pub fn renew(&self) -> Result<()> {
        self.state.check()?;
        self.state.renew()
    }

    /// Keeps a text with the task, as its error field, for those who look: how far the work has come. The lease stays.
    pub fn note(&self, text: &str) -> Result<()> {
        self.change(Update { error: Some(text.into()), ..Update::default() })
    }

    /// Changes the data, so that whoever goes on after a crash starts from there. The lease stays.
    pub fn save(&self, data: impl Into<Data>) -> Result<()> {
        self.change(Update { data: Some(data.into()), ..Update::default() })
    }

    fn change(&self, update: Update) -> Result<()> {
        self.state.check()?;
        self.state.commit(self.state.stage(), |name| name.change(update))
    }

    /// Begins a change of the task that is committed with others, by [`Store::begin`]; `None` while another one is on its way.
    /// Never waits.
    pub fn try_stage(&self) -> Option<Staged<'_>> {
        Some(Staged::new(&self.state, self.state.try_present()?))
    }

    /// As [`try_stage`](Self::try_stage), after the change that is on its way. Who has begun one and waits here for another
    /// may wait for ever.
    pub fn stage(&self) -> Staged<'_> {
        self.state.stage()
    }

    /// The work is done.
    pub fn finish(self) -> Result<()> {
        self.state.end(TaskName::finish)
    }

    /// The work failed: the task is given back with one more failure and its text, to be claimed after `delay`.
    pub fn fail(self, error: &str, delay: Duration) -> Result<()> {
        self.state.end(|name| name.fail(error, delay))
    }

    /// Gives the task back, to be claimed after `delay`.
    pub fn release(self, delay: Duration) -> Result<()> {
        self.state.end(|name| name.release(delay))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // In a forked process the lock may be held by a thread that is not there.
        let here = self.state.store.may_go_on().is_ok();
        if here && !self.state.present().ended && !self.state.is_lost() {
            // Best effort: where it does not work, the lease runs out by itself.
            let _ = self.state.end(|name| name.release(Duration::ZERO));
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("task", &self.task()).field("lost", &self.is_lost()).finish()
    }
}
