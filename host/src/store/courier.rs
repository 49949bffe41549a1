//! The thread that commits what was posted: all that came as one group, one sync for them, and then their answers.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    mem,
    sync::{Arc, Weak},
    time::Instant,
};

use tenure_core::{Millis, txn::Ask};

use super::{
    Shared,
    cancel::cancelled,
    post::{Letter, Letters, Post, closed},
    rounds::Answers,
    wait::{Interest, Wake},
};
use crate::clock::Clock;

/// The thread that commits what was posted, and what it knows of claims that wait.
pub(super) struct Courier {
    post: Arc<Post>,
    shared: Weak<Shared>,
    clock: Clock,
    waiting: HashMap<u64, Box<Letter>>,
    times: BinaryHeap<Reverse<(Millis, u64)>>,
    /// What other processes write is looked for while claims wait.
    interest: Option<Interest>,
}

impl Courier {
    pub fn new(post: Arc<Post>, shared: Weak<Shared>, clock: Clock) -> Self {
        Self { post, shared, clock, waiting: HashMap::new(), times: BinaryHeap::new(), interest: None }
    }

    /// Until the handle is closed.
    pub fn run(mut self) {
        while let Some(letters) = self.fetch() {
            let Some(shared) = self.shared.upgrade() else { break };
            self.deliver(&shared, letters);
        }
        // The handle is closed. What was put in meanwhile hears it too.
        let mut answers = Answers::default();
        let late = mem::take(&mut self.post.inbox().letters);
        for letter in self.waiting.drain().map(|(_, letter)| letter).chain(late) {
            answers.add(letter, Err(closed()));
        }
        self.post.give(answers);
    }

    /// Waits until there is something to do; `None` once the handle is closed.
    fn fetch(&mut self) -> Option<Letters> {
        loop {
            let mut inbox = self.post.inbox();
            if inbox.closed {
                return None;
            }
            let mut letters = mem::take(&mut inbox.letters);
            let (woken, cancelled) = (mem::take(&mut inbox.woken), mem::take(&mut inbox.cancelled));
            inbox.idle = letters.is_empty() && woken.is_empty() && cancelled.is_empty();
            drop(inbox);
            let posted = letters.len();
            letters.extend(woken.iter().filter_map(|id| self.waiting.remove(id)));
            self.take_due(&mut letters);
            self.cancel(&cancelled, &mut letters);
            if !letters.is_empty() {
                // A wait for tasks is not what a request takes.
                if letters.len() > posted {
                    let now = Instant::now();
                    letters.iter_mut().filter(|letter| letter.entered.is_some()).for_each(|letter| letter.since = now);
                }
                if posted == 0 {
                    self.post.inbox().idle = false;
                }
                return Some(letters);
            }
            if self.waiting.is_empty() {
                self.interest = None;
                self.times.clear();
            }
            if !self.post.inbox().idle {
                continue;
            }
            self.clock.park(self.times.peek().map(|Reverse((at, _))| *at));
        }
    }

    /// Those whose time has come.
    fn take_due(&mut self, letters: &mut Letters) {
        let now = self.clock.now();
        while let Some(Reverse((at, id))) = self.times.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.times.pop();
            // A letter that has looked since has another time.
            if self.waiting.get(&id).is_some_and(|letter| letter.look_at == Some(at)) {
                letters.extend(self.waiting.remove(&id));
            }
        }
    }

    fn cancel(&mut self, ids: &[u64], letters: &mut Letters) {
        for id in ids {
            let letter = self.waiting.remove(id).or_else(|| {
                let at = letters.iter().position(|letter| letter.id == *id)?;
                Some(letters.swap_remove(at))
            });
            let Some(letter) = letter else { continue };
            if let (Some((groups, waiter)), Some(shared)) = (letter.entered, self.shared.upgrade()) {
                shared.waits.leave(&groups, &waiter);
                shared.pass_on(&groups);
            }
            (letter.answer)(Err(cancelled()));
        }
    }

    /// Commits all of them as one group, and answers those that have an answer.
    fn deliver(&mut self, shared: &Arc<Shared>, mut letters: Letters) {
        let mut left: Vec<Arc<str>> = Vec::new();
        for letter in &mut letters {
            if let Some((groups, waiter)) = letter.entered.take() {
                shared.waits.leave(&groups, &waiter);
                left.extend(groups);
            }
        }
        let now = self.clock.now();
        let mut driver = shared.driver_anyway();
        let asks: Vec<Ask<'_>> = letters.iter().map(|letter| letter.work.ask()).collect();
        let answers = shared.commit(&mut driver, &asks);
        drop(asks);
        let until = driver.engine().tail().position;
        let mut done = Vec::with_capacity(letters.len());
        let mut unseen = false;
        for (mut letter, answer) in letters.into_iter().zip(answers) {
            let answer = answer.map(|done| done.committed);
            if !letter.waits_on(&answer, now) {
                done.push((letter, answer));
                continue;
            }
            let groups = letter.groups();
            // Under the lock under which it looked: nothing can come between.
            let state = driver.engine().state();
            let next =
                groups.iter().filter(|group| !state.paused(group)).filter_map(|group| state.next_available(group));
            letter.look_at = next.min().into_iter().chain(letter.until()).min();
            // Before anybody looks for what others write, one more look is needed after that has begun.
            if self.interest.is_none() {
                unseen = true;
                letter.look_at = Some(now);
            }
            let waiter = shared.waits.enter(&groups, Wake::Post(self.post.clone(), letter.id));
            letter.entered = Some((groups, waiter));
            self.times.extend(letter.look_at.map(|at| Reverse((at, letter.id))));
            self.waiting.insert(letter.id, letter);
        }
        drop(driver);
        if unseen {
            self.interest = Some(Shared::interest(shared));
        }
        // Whoever leaves may have taken a wake that another needs.
        if !left.is_empty() {
            left.sort_unstable();
            left.dedup();
            shared.pass_on(&left);
        }
        if done.is_empty() {
            return;
        }
        let durable = shared.durable_enough(until);
        let now = Instant::now();
        let mut answers = Answers::default();
        for (letter, answer) in done {
            self.post.times.note(now.duration_since(letter.since));
            answers.add(letter, durable.clone().and(answer));
        }
        self.post.give(answers);
    }
}
