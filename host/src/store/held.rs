//! A held task: it knows its present id and renews itself, until it is finished, failed or given back.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tenure_core::{
    Claim, Code, Data, Error, Millis, Order, Refusal, Request, Result, Task, TaskId, Update, Verb, When, entry::Reason,
};

use super::{
    Store,
    verb::{TaskName, millis},
    wait::Cancel,
};

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
    lease: Millis,
    origin: TaskId,
}

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
        if speaks_of_it {
            let _ = self.lost.set(error.clone());
        }
    }

    /// Renews the lease once, unless it has ended.
    pub(super) fn renew(&self) -> Result<()> {
        let mut present = self.present();
        if present.ended || self.is_lost() {
            return Ok(());
        }
        let available = Some(When::After(self.lease));
        let update = Update { verb: Verb::Renew, available, ..Update::default() };
        self.change(&mut present, update)
    }

    fn change(&self, present: &mut Present, update: Update) -> Result<()> {
        let name = TaskName::from(&present.task);
        let update = Update { id: name.id, origin: name.origin, ..update };
        let request = Request { owner: name.owner, updates: vec![update], ..Request::default() };
        match self.store.update(request) {
            Ok(committed) => {
                if let Some(task) = committed.into_task() {
                    present.task = task;
                }
                Ok(())
            }
            Err(error) => {
                self.note(&error, name.id);
                Err(error)
            }
        }
    }

    fn end(&self, how: impl FnOnce(&Task) -> Request) -> Result<()> {
        self.check()?;
        let mut present = self.present();
        if present.ended {
            return Err(Error::new(Code::Invalid, "this held task was finished, failed or given back before"));
        }
        let id = present.task.id;
        let request = Request { owner: present.task.owner, ..how(&present.task) };
        let ended = self.store.update(request).map(|_| ()).inspect_err(|error| self.note(error, id));
        present.ended = ended.is_ok();
        ended
    }

    fn check(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |lost| Err(lost.clone()))
    }
}

impl Held {
    pub(super) fn new(store: &Store, task: Task, lease: Millis) -> Self {
        let origin = task.origin;
        let present = Mutex::new(Present { task, ended: false });
        let state = Arc::new(HeldState { store: store.clone(), present, lost: OnceLock::new(), lease, origin });
        store.shared.renew_in_time(&state);
        Self { state }
    }

    pub(super) fn state(&self) -> Arc<HeldState> {
        self.state.clone()
    }

    /// The task as it is now.
    pub fn task(&self) -> Task {
        self.state.present().task.clone()
    }

    /// The work.
    pub fn data(&self) -> Data {
        self.state.present().task.data.clone()
    }

    /// Whether the lease is lost: another may hold the task, or it is gone. Nothing that is done now can be committed
    /// with it.
    pub fn is_lost(&self) -> bool {
        self.state.is_lost()
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
        self.state.check()?;
        let update = Update { error: Some(text.into()), ..Update::default() };
        self.state.change(&mut self.state.present(), update)
    }

    /// Changes the data, so that whoever goes on after a crash starts from there. The lease stays.
    pub fn save(&self, data: impl Into<Data>) -> Result<()> {
        self.state.check()?;
        let update = Update { data: Some(data.into()), ..Update::default() };
        self.state.change(&mut self.state.present(), update)
    }

    /// The work is done.
    pub fn finish(self) -> Result<()> {
        self.state.end(|task| {
            let delete =
                tenure_core::Delete { id: task.id, origin: Some(task.origin), reason: Reason::Finished, force: false };
            Request { deletes: vec![delete], ..Request::default() }
        })
    }

    /// The work failed: the task is given back with one more failure and its text, to be claimed after `delay`.
    pub fn fail(self, error: &str, delay: Duration) -> Result<()> {
        let update = Update { verb: Verb::Fail, error: Some(error.into()), ..Update::default() };
        self.give_back(update, delay)
    }

    /// Gives the task back, to be claimed after `delay`.
    pub fn release(self, delay: Duration) -> Result<()> {
        self.give_back(Update { verb: Verb::Release, ..Update::default() }, delay)
    }

    fn give_back(&self, update: Update, delay: Duration) -> Result<()> {
        self.state.end(|task| {
            let available = Some(When::After(millis(delay)));
            let update = Update { id: task.id, origin: Some(task.origin), available, ..update };
            Request { updates: vec![update], ..Request::default() }
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let open = !self.state.present().ended && !self.state.is_lost();
        if open {
            // Best effort: where it does not work, the lease runs out by itself.
            let _ = self.give_back(Update { verb: Verb::Release, ..Update::default() }, Duration::ZERO);
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("task", &self.task()).field("lost", &self.is_lost()).finish()
    }
}

/// Claims one task after another: an iterator of [`Held`].
#[derive(Debug, Clone)]
pub struct Claims {
    store: Store,
    claim: Claim,
    idle: Option<Duration>,
    stop: Cancel,
}

impl Store {
    /// Claims tasks of these groups one after another, an earlier group before a later one. By default a lease is 60 s,
    /// renewed while the [`Held`] lives, and the iterator waits for ever; see [`Claims::idle`] and [`Claims::stop`].
    pub fn claims<G: Into<String>>(&self, groups: impl IntoIterator<Item = G>) -> Claims {
        let groups = groups.into_iter().map(Into::into).collect();
        let claim = Claim { groups, ..Claim::default() };
        Claims { store: self.clone(), claim, idle: None, stop: Cancel::new() }
    }

    /// Holds a task that was claimed by this handle: renews its lease, `lease` at a time, until it is finished or dropped.
    pub fn hold(&self, task: Task, lease: Duration) -> Held {
        Held::new(self, task, millis(lease))
    }
}

impl Claims {
    /// How long a lease is; it is renewed at a third of it.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.claim.lease = millis(lease);
        self
    }

    /// After how long without a task the iterator ends.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Which of the available tasks are taken.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.claim.order = order;
        self
    }

    /// In whose name.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<tenure_core::OwnerId>) -> Self {
        self.claim.owner = owner.into();
        self
    }

    /// What ends the iterator from another thread.
    #[must_use]
    pub fn stop(mut self, stop: Cancel) -> Self {
        self.stop = stop;
        self
    }
}

impl Iterator for Claims {
    type Item = Result<Held>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stop.is_cancelled() {
            return None;
        }
        let until = self.idle.map(|idle| self.store.now().saturating_add(millis(idle)));
        match self.store.claim_until(&self.claim, until, Some(&self.stop)) {
            Ok(committed) => {
                let task = committed.into_task()?;
                Some(Ok(Held::new(&self.store, task, self.claim.lease)))
            }
            Err(error) if error.code() == Code::Cancelled => None,
            Err(error) => Some(Err(error)),
        }
    }
}
