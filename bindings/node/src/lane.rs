//! Commits in batches. JavaScript has one thread, so what it asks without awaiting gathers here: whoever runs takes all of it
//! along, in the order asked. Two run at most: one stages while the other's sync is on its way.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tenure::{Code, Committed, Error, Held, Request, Result, Staged, TaskName, Work};

use crate::{
    hub::{Hub, Message, Ticket},
    pool,
    types::Answer,
};

/// How many run at once.
const RUNNERS: u8 = 2;

/// What is made of what was committed.
pub type Spell = Box<dyn FnOnce(Committed) -> Result<Answer> + Send>;

/// What is asked of a held task, once it is known under which name.
pub type Change = Box<dyn FnOnce(TaskName) -> Request + Send>;

/// What becomes of a change of a held task that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Late {
    /// It is refused.
    Refuse,
    /// Nothing happens.
    Ignore,
}

#[allow(clippy::large_enum_variant)] // Most are the large one.
enum Ask {
    Work(Work),
    Held { held: Arc<Held>, late: Late, change: Change },
}

struct Job {
    ticket: Ticket,
    ask: Ask,
    spell: Spell,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    runners: u8,
}

/// Where the answer to a job comes from.
enum Way<'a> {
    /// It is known without a commit.
    Known(Result<Committed>),
    Work,
    Held(Staged<'a>),
}

/// The way of one store's commits.
pub struct Lane {
    store: tenure::Store,
    /// Under which the store is closed at the end.
    kept: u32,
    hub: Arc<Hub>,
    queue: Mutex<Queue>,
    /// Held from taking a batch until it is staged, so that batches are staged in their order.
    staging: Mutex<()>,
}

impl Lane {
    /// The lane of a store.
    pub fn new(store: tenure::Store, hub: Arc<Hub>) -> Self {
        let kept = hub.keep(store.clone());
        Self { store, kept, hub, queue: Mutex::default(), staging: Mutex::new(()) }
    }

    /// Asks for something.
    pub fn push(self: &Arc<Self>, ticket: Ticket, work: Work, spell: Spell) {
        self.enqueue(Job { ticket, ask: Ask::Work(work), spell });
    }

    /// Asks for a change of a held task.
    pub fn push_held(self: &Arc<Self>, ticket: Ticket, held: Arc<Held>, late: Late, change: Change, spell: Spell) {
        self.enqueue(Job { ticket, ask: Ask::Held { held, late, change }, spell });
    }

    fn enqueue(self: &Arc<Self>, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.push_back(job);
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
            let mut jobs = std::mem::take(&mut queue.jobs);
            if jobs.is_empty() {
                queue.runners -= 1;
                return;
            }
            drop(queue);
            // What is staged lives no longer than these.
            let held: Vec<Option<Arc<Held>>> = jobs.iter().map(Job::held).collect();
            let mut work = Vec::with_capacity(jobs.len());
            let mut ways = Vec::with_capacity(jobs.len());
            for held in &held {
                let Some(job) = jobs.pop_front() else { break };
                let Job { ticket, ask, spell } = job;
                let way = match (ask, held) {
                    (Ask::Work(asked), _) => {
                        work.push(asked);
                        Way::Work
                    }
                    (Ask::Held { held: kept, late, change }, Some(held)) => {
                        // Who has staged others waits for none: it could be waited for. A second change of one task goes
                        // with the next batch, when the first has given it its new id.
                        let alone = !ways.iter().any(|(_, _, way)| matches!(way, Way::Held(_)));
                        match if alone { Some(held.stage()) } else { held.try_stage() } {
                            Some(staged) => asked_of(held, staged, late, change, &mut work),
                            None => {
                                jobs.push_front(Job { ticket, ask: Ask::Held { held: kept, late, change }, spell });
                                break;
                            }
                        }
                    }
                    (Ask::Held { .. }, None) => continue,
                };
                ways.push((ticket, spell, way));
            }
            if !jobs.is_empty() {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                jobs.append(&mut queue.jobs);
                queue.jobs = jobs;
            }
            let batch = self.store.begin(&work);
            drop(staging);
            let mut answers = batch.wait().into_iter();
            // One that is settled may send by itself that its lease is lost.
            let messages: Vec<Message> = ways
                .into_iter()
                .map(|(ticket, spell, way)| {
                    let mut answer =
                        || answers.next().unwrap_or_else(|| Err(Error::new(Code::Internal, "no answer came")));
                    let answer = match way {
                        Way::Known(answer) => answer,
                        Way::Work => answer(),
                        Way::Held(staged) => staged.settle(answer()),
                    };
                    match answer.and_then(spell) {
                        Ok(answer) => Message::Answer(ticket, answer),
                        Err(error) => Message::Error(ticket, error),
                    }
                })
                .collect();
            self.hub.send_all(messages);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.hub.let_go(self.kept);
    }
}

impl Job {
    fn held(&self) -> Option<Arc<Held>> {
        match &self.ask {
            Ask::Held { held, .. } => Some(held.clone()),
            Ask::Work(_) => None,
        }
    }
}

/// Adds the change of a held task to what is committed, unless it can't be by now.
fn asked_of<'a>(held: &'a Held, staged: Staged<'a>, late: Late, change: Change, work: &mut Vec<Work>) -> Way<'a> {
    if let Err(lost) = held.check() {
        return Way::Known(Err(lost));
    }
    if staged.is_ended() {
        let why = "this held task was finished, failed or given back before";
        return Way::Known(match late {
            Late::Refuse => Err(Error::new(Code::Invalid, why)),
            Late::Ignore => Ok(Committed { tasks: vec![staged.task().clone()], ..Committed::default() }),
        });
    }
    work.push(Work::Update(change(staged.name())));
    Way::Held(staged)
}
