//! Claims that wait for a task.

use alloc::{sync::Arc, vec::Vec};

use super::{Desk, Job, Ticket, Work};
use crate::{
    error::{Code, Error},
    request::{Claim, Request, Update, Verb},
    task::Task,
    time::{Millis, When},
};

/// A claim that found nothing, and may wait.
pub(crate) struct Waiting {
    pub job: Job,
    pub until: Option<Millis>,
    pub groups: Vec<Arc<str>>,
}

#[cold]
pub(super) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the wait was cancelled; nothing is held by it")
}

/// What gives back tasks that a cancelled claim got.
pub(super) fn give_back(claim: &Claim, tasks: &[Task]) -> Request {
    let updates = tasks.iter().map(|task| Update {
        id: task.id,
        origin: Some(task.origin),
        verb: Verb::Release,
        available: Some(When::Now),
        ..Update::default()
    });
    Request { owner: claim.owner, updates: updates.collect(), ..Request::default() }
}

impl Desk {
    /// Ends a wait. What the claim got meanwhile, it releases before it is answered with `Timeout`, code `cancelled`.
    pub fn cancel(&mut self, ticket: Ticket) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.job.ticket == ticket) {
            self.waiting.remove(at);
            self.answers.push((ticket, Err(cancelled())));
        } else if let Some(at) = self.queue.iter().position(|job| job.ticket == ticket) {
            if let Some(Job { work: Work::Claim(..) | Work::Look, .. }) = self.queue.get(at) {
                self.queue.remove(at);
                self.answers.push((ticket, Err(cancelled())));
            }
        } else if let Some(job) = self.turn.as_mut().and_then(|turn| turn.find(ticket)) {
            job.cancelled = true;
        }
    }

    pub(super) fn wait(&mut self, job: Job, claim: &Claim, until: Option<Millis>) {
        let groups: Vec<Arc<str>> = claim.groups.iter().map(|group| Arc::from(group.as_str())).collect();
        self.waiting.push(Waiting { job, until, groups });
    }

    /// Whether claims wait.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn wake_stirred(&mut self) {
        let stirred = self.engine.take_stirred();
        if !stirred.is_empty() {
            self.wake(|waiting| waiting.groups.iter().any(|group| stirred.contains(group)));
        }
    }

    pub(super) fn wake_everyone(&mut self) {
        self.wake(|_| true);
    }

    pub(super) fn wake_due(&mut self, now: Millis) {
        let state = self.engine.state();
        let due = |waiting: &Waiting| {
            waiting.until.is_some_and(|until| until <= now)
                || waiting
                    .groups
                    .iter()
                    .any(|group| !state.paused(group) && state.next_available(group).is_some_and(|next| next <= now))
        };
        let due: Vec<bool> = self.waiting.iter().map(due).collect();
        let mut due = due.into_iter();
        self.wake(|_| due.next().unwrap_or(false));
    }

    fn wake(&mut self, mut woken: impl FnMut(&Waiting) -> bool) {
        let mut at = 0;
        while at < self.waiting.len() {
            if woken(&self.waiting[at]) {
                let waiting = self.waiting.remove(at);
                self.queue.push_back(waiting.job);
            } else {
                at += 1;
            }
        }
    }

    pub(super) fn next_waiting(&self) -> Option<Millis> {
        let state = self.engine.state();
        let next = |waiting: &Waiting| {
            let groups = waiting.groups.iter().filter(|group| !state.paused(group));
            groups.filter_map(|group| state.next_available(group)).chain(waiting.until).min()
        };
        self.waiting.iter().filter_map(next).min()
    }
}
