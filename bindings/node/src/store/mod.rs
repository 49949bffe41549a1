//! The handle.
//!
//! * `options`  how it is opened
//! * `verb`     tasks: add, claim, finish and the rest
//! * `record`   records, and `update`
//! * `read`     tasks and groups as they are
//! * `claim`    claims, and what waits
//! * `held`     a held task
//! * `watch`    what is committed, as it comes

mod claim;
mod held;
mod options;
mod read;
pub(crate) mod record;
mod verb;
mod watch;

pub use claim::Cancel;
pub use held::{Held, Subject, failure, subject};
pub use watch::Watch;

use std::sync::Arc;

use napi_derive::napi;
use tenure::{Committed, Request, Result, Work};

use crate::{
    hub::{Hub, Ticket},
    lane::Lane,
    pool,
    types::{Answer, Numbers, number},
};

/// What the JavaScript class stands on.
#[napi]
pub struct Store {
    store: Option<tenure::Store>,
    lane: Option<Arc<Lane>>,
    hub: Arc<Hub>,
}

impl Store {
    /// Wraps a handle.
    pub fn new(store: tenure::Store, hub: &Arc<Hub>) -> Self {
        let lane = Arc::new(Lane::new(store.clone(), hub.clone()));
        Self { store: Some(store), lane: Some(lane), hub: hub.clone() }
    }

    /// The handle itself. It is there until the object goes.
    pub fn store(&self) -> &tenure::Store {
        // Only `drop` takes it.
        self.store.as_ref().expect("a store is there while its object is")
    }

    /// The way of its commits. It is there until the object goes.
    fn lane(&self) -> Arc<Lane> {
        self.lane.clone().expect("a lane is there while its store is")
    }

    /// The way back.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Answers from another thread.
    fn ask(&self, ticket: Ticket, work: impl FnOnce(&tenure::Store) -> Result<Answer> + Send + 'static) {
        let store = self.store().clone();
        self.hub.ask(ticket, move || work(&store));
    }

    /// Answers from another thread what may wait for others.
    fn wait(&self, ticket: Ticket, work: impl FnOnce(&tenure::Store) -> Result<Answer> + Send + 'static) {
        let store = self.store().clone();
        self.hub.wait(ticket, move || work(&store));
    }

    /// Commits in the lane.
    fn commit(&self, ticket: Ticket, work: Work, spell: impl FnOnce(Committed) -> Result<Answer> + Send + 'static) {
        if let Some(lane) = &self.lane {
            lane.push(ticket, work, Box::new(spell));
        }
    }

    /// Commits an update in the lane.
    fn update_in_lane(
        &self,
        ticket: Ticket,
        request: Request,
        spell: impl FnOnce(Committed) -> Result<Answer> + Send + 'static,
    ) {
        self.commit(ticket, Work::Update(request), spell);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The last handle closes the store, and that may wait for the disk, or for a journal on this very thread.
        pool::let_go((self.store.take(), self.lane.take()));
    }
}

#[napi]
impl Store {
    /// Ends the handle.
    #[napi]
    pub fn close(&self, ticket: u32) {
        self.wait(ticket, |store| store.close().map(|()| Answer::Nothing));
    }

    /// Waits until everything that was answered is on stable storage.
    #[napi]
    pub fn flush(&self, ticket: u32) {
        self.ask(ticket, |store| store.flush().map(|()| Answer::Nothing));
    }

    /// Takes a snapshot now.
    #[napi]
    pub fn snapshot(&self, ticket: u32) {
        self.wait(ticket, |store| store.snapshot().map(|revision| Answer::Number(number(revision.0))));
    }

    /// The same store with reads that never wait.
    #[napi]
    pub fn weak(&self) -> Self {
        Self::new(self.store().weak(), &self.hub)
    }

    /// The store's identity.
    #[napi(getter)]
    pub fn identity(&self) -> String {
        self.store().identity().to_string()
    }

    /// The owner of what this handle claims.
    #[napi(getter)]
    pub fn owner(&self) -> f64 {
        number(self.store().owner().0)
    }

    /// The label of who does it.
    #[napi(getter)]
    pub fn actor(&self) -> String {
        self.store().actor().into()
    }

    /// The time by this handle's clock, in milliseconds since the Epoch.
    #[napi]
    pub fn now(&self) -> f64 {
        number(self.store().now())
    }

    /// The revision that a read would see.
    #[napi]
    pub fn revision(&self, ticket: u32) {
        self.ask(ticket, |store| store.revision().map(|revision| Answer::Number(number(revision.0))));
    }

    /// Revision and digest over all tasks and records.
    #[napi]
    pub fn digest(&self, ticket: u32) {
        self.ask(ticket, |store| store.digest().map(|(revision, digest)| Answer::Digest(number(revision.0), digest)));
    }

    /// Numbers about the store and this handle.
    #[napi]
    pub fn stats(&self, ticket: u32) {
        self.ask(ticket, |store| {
            let stats = store.stats()?;
            let journal = stats.journal;
            let numbers = [
                ("revision", stats.revision.0),
                ("nextId", stats.next_id.0),
                ("tasks", stats.tasks),
                ("records", stats.records),
                ("groups", stats.groups),
                ("requests", stats.requests),
                ("stateBytes", stats.state_bytes),
                ("maxStateBytes", stats.max_state_bytes),
                ("level", u64::from(stats.level)),
                ("exclusive", stats.exclusive.0),
                ("skipped", stats.skipped),
                ("clockAhead", stats.clock_ahead),
                ("journalBytes", journal.journal_bytes),
                ("snapshotBytes", journal.snapshot_bytes),
                ("segments", journal.segments),
                ("durable", journal.durable.0),
                ("floor", journal.floor.0),
                ("aborted", journal.aborted),
                ("syncs", stats.syncs),
                ("syncFailures", stats.sync_failures),
                ("snapshotsTaken", stats.snapshots_taken),
            ];
            let numbers = numbers.into_iter().map(|(name, value)| (name, number(value))).collect();
            let snapshot_error = stats.snapshot_error.map(|error| error.to_string());
            Ok(Answer::Numbers(Numbers { numbers, digest: stats.digest, snapshot_error }))
        });
    }
}
