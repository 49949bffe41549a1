//! Commits in batches. JavaScript has one thread, so what it asks without awaiting gathers here: whoever runs takes all of it
//! along, in the order asked. Two run at most: one stages while the other's sync is on its way.

use std::sync::{Arc, Mutex, PoisonError};

use tenure::{Committed, Result, Work};

use crate::{
    hub::{Hub, Message, Ticket},
    pool,
    types::Answer,
};

/// How many run at once.
const RUNNERS: u8 = 2;

/// What is made of what was committed.
pub type Spell = Box<dyn FnOnce(Committed) -> Result<Answer> + Send>;

struct Job {
    ticket: Ticket,
    spell: Spell,
}

#[derive(Default)]
struct Queue {
    work: Vec<Work>,
    jobs: Vec<Job>,
    runners: u8,
}

/// The way of one store's commits.
pub struct Lane {
    store: tenure::Store,
    hub: Arc<Hub>,
    queue: Mutex<Queue>,
    /// Held from taking a batch until it is staged, so that batches are staged in their order.
    staging: Mutex<()>,
}

impl Lane {
    /// The lane of a store.
    pub fn new(store: tenure::Store, hub: Arc<Hub>) -> Self {
        Self { store, hub, queue: Mutex::default(), staging: Mutex::new(()) }
    }

    /// Asks for something.
    pub fn push(self: &Arc<Self>, ticket: Ticket, work: Work, spell: Spell) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.work.push(work);
        queue.jobs.push(Job { ticket, spell });
        // The second one comes when there is something for it: the first may be held up by a sync.
        if queue.runners == RUNNERS {
            return;
        }
        queue.runners += 1;
        drop(queue);
        let lane = self.clone();
        if let Err(error) = pool::run(move || lane.run()) {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.runners -= 1;
            if queue.runners == 0 {
                queue.work.clear();
                let jobs = std::mem::take(&mut queue.jobs);
                drop(queue);
                self.hub.send_all(jobs.into_iter().map(|job| Message::Error(job.ticket, error.clone())));
            }
        }
    }

    fn run(&self) {
        loop {
            let staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let (work, jobs) = (std::mem::take(&mut queue.work), std::mem::take(&mut queue.jobs));
            if work.is_empty() {
                queue.runners -= 1;
                return;
            }
            drop(queue);
            let batch = self.store.begin(&work);
            drop(staging);
            let answers = batch.wait();
            self.hub.send_all(jobs.into_iter().zip(answers).map(|(job, answer)| match answer.and_then(job.spell) {
                Ok(answer) => Message::Answer(job.ticket, answer),
                Err(error) => Message::Error(job.ticket, error),
            }));
        }
    }
}
