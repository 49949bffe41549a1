//! What was claimed by somebody who was gone before he was told. It is released: at once, or, where the claim had a
//! request id, a little later, since whoever lost his connection asks again with the same one and is told then.
//!
//! ```text
//!  ask ──► asking ── found something ──► claimed ── the answer is on its way ──► told: nothing is left under this id
//!            │                              └────── dropped before ──► left ── GRACE, and nobody asks ──► released
//!            └── found nothing ──► over                                  └── somebody who asked later was told ──► forgotten
//! ```
//!
//! An old connection may end after the new one was told, or while the new one still asks; so everyone who asks has a turn,
//! and what is left by an earlier turn than the last that was told belongs to that one.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tenure::{Claim, Committed, OwnerId, Request, Store, TaskId, Update, Verb, When};

/// How long one who lost his connection has to ask again.
const GRACE: Duration = Duration::from_secs(2);

/// Claims that nobody was told of yet.
#[derive(Debug)]
pub struct Orphans {
    store: Store,
    names: Mutex<Names>,
}

/// The owner and the request id.
type Name = (OwnerId, Arc<str>);

#[derive(Debug, Default)]
struct Names {
    /// The last turn that was given out.
    turn: u64,
    asked: HashMap<Name, Asked>,
}

/// What goes on under one request id. It is kept while somebody asks or something is left.
#[derive(Debug, Default)]
struct Asked {
    /// How many ask at this moment, each on a connection of his own.
    asking: u32,
    /// The latest turn that was told.
    told: u64,
    left: Option<Left>,
}

#[derive(Debug)]
struct Left {
    turn: u64,
    since: Instant,
    by: By,
    tasks: Vec<(TaskId, TaskId)>,
}

#[derive(Clone, Debug)]
struct By {
    owner: OwnerId,
    actor: Option<Arc<str>>,
}

impl Orphans {
    pub fn new(store: Store) -> Self {
        Self { store, names: Mutex::default() }
    }

    /// Somebody claims.
    pub fn ask(self: &Arc<Self>, claim: &Claim) -> Ask {
        let by = By { owner: claim.owner, actor: claim.actor.clone() };
        let name: Option<Name> = claim.request_id.as_deref().map(|id| (claim.owner, id.into()));
        let turn = name.as_ref().map_or(0, |name| {
            let mut names = self.lock();
            names.asked.entry(name.clone()).or_default().asking += 1;
            names.turn += 1;
            names.turn
        });
        Ask { orphans: self.clone(), by, name, turn }
    }

    /// Releases those for whom nobody came; `all` where nobody can any more.
    pub fn release(&self, all: bool) {
        let mut over = Vec::new();
        self.lock().asked.retain(|_, asked| {
            let due = |left: &mut Left| all || asked.asking == 0 && left.since.elapsed() >= GRACE;
            over.extend(asked.left.take_if(due));
            asked.is_needed()
        });
        for left in over {
            self.give_back(&left.by, &left.tasks);
        }
    }

    fn give_back(&self, by: &By, tasks: &[(TaskId, TaskId)]) {
        let give_back = |(id, origin): &(TaskId, TaskId)| Update {
            id: *id,
            origin: Some(*origin),
            verb: Verb::Release,
            available: Some(When::Now),
            ..Update::default()
        };
        let updates = tasks.iter().map(give_back).collect();
        let request = Request { owner: by.owner, actor: by.actor.clone(), updates, ..Request::default() };
        // Where it does not work, the lease runs out by itself.
        self.store.post(request, |_| ());
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn is_needed(&self) -> bool {
        self.asking > 0 || self.left.is_some()
    }
}

/// Somebody who claims and has no answer yet.
#[derive(Debug)]
pub struct Ask {
    orphans: Arc<Orphans>,
    by: By,
    name: Option<Name>,
    turn: u64,
}

impl Ask {
    /// What there is to tell; `None` where nothing was found.
    pub fn found(self, committed: &Committed) -> Option<Claimed> {
        // A task of a repeated outcome that has changed since is somebody's by now.
        let known = committed.tasks.iter().filter(|task| task.origin.0 != 0);
        let tasks: Vec<_> = known.map(|task| (task.id, task.origin)).collect();
        (!tasks.is_empty()).then_some(Claimed { ask: self, tasks })
    }

    /// Notes how it ended under its name.
    fn end(&mut self, end: impl FnOnce(&mut Asked, u64)) {
        let Some(name) = self.name.take() else { return };
        let mut names = self.orphans.lock();
        if let Some(asked) = names.asked.get_mut(&name) {
            asked.asking = asked.asking.saturating_sub(1);
            end(asked, self.turn);
            if !asked.is_needed() {
                names.asked.remove(&name);
            }
        }
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        self.end(|_, _| ());
    }
}

/// What somebody claimed who is not told yet. Dropped, it is given back.
#[derive(Debug)]
pub struct Claimed {
    ask: Ask,
    /// The tasks' ids and origins.
    tasks: Vec<(TaskId, TaskId)>,
}

impl Claimed {
    /// The answer is on its way.
    pub fn told(mut self) {
        self.tasks.clear();
        self.ask.end(|asked, turn| {
            asked.told = asked.told.max(turn);
            asked.left.take_if(|left| left.turn < turn);
        });
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let tasks = mem::take(&mut self.tasks);
        if tasks.is_empty() {
            return;
        }
        if self.ask.name.is_none() {
            self.ask.orphans.give_back(&self.ask.by, &tasks);
            return;
        }
        let by = self.ask.by.clone();
        self.ask.end(|asked, turn| {
            if asked.told < turn {
                let turn = asked.left.take().map_or(turn, |left| left.turn.max(turn));
                asked.left = Some(Left { turn, since: Instant::now(), by, tasks });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tenure::Add;

    use super::*;

    struct Bench {
        orphans: Arc<Orphans>,
    }

    impl Bench {
        fn new() -> Self {
            let store = Store::memory().unwrap();
            store.add("g", "x").unwrap();
            Self { orphans: Arc::new(Orphans::new(store)) }
        }

        /// Asks under one request id and finds the task.
        fn ask(&self) -> Claimed {
            let store = &self.orphans.store;
            let (groups, request_id) = (vec!["g".into()], Some("once".into()));
            let claim = Claim { owner: store.owner(), groups, lease: 60_000, request_id, ..Claim::default() };
            let ask = self.orphans.ask(&claim);
            ask.found(&store.claim_now(claim).unwrap()).unwrap()
        }

        /// Whether the task is held after everybody's time is up.
        fn is_held(&self) -> bool {
            for asked in self.orphans.lock().asked.values_mut() {
                if let Some(left) = &mut asked.left {
                    left.since = left.since.checked_sub(GRACE).unwrap();
                }
            }
            self.orphans.release(false);
            let store = &self.orphans.store;
            // What is posted is done in its order.
            let (tell, told) = mpsc::channel();
            store.post(
                Request { adds: vec![Add { group: "other".into(), ..Add::default() }], ..Request::default() },
                move |done| tell.send(done).unwrap(),
            );
            told.recv().unwrap().unwrap();
            store.group("g").unwrap().held == 1
        }

        fn names(&self) -> usize {
            self.orphans.lock().asked.len()
        }
    }

    #[test]
    fn what_nobody_was_told_of_and_nobody_asks_for_is_released() {
        let bench = Bench::new();
        drop(bench.ask());
        assert!(!bench.is_held());
        assert_eq!(bench.names(), 0);
    }

    #[test]
    fn what_is_told_to_one_who_asks_again_stays_his() {
        let bench = Bench::new();
        drop(bench.ask());
        bench.ask().told();
        assert!(bench.is_held());
        assert_eq!(bench.names(), 0);
    }

    #[test]
    fn an_old_connection_that_ends_after_the_new_one_was_told_takes_nothing_back() {
        let bench = Bench::new();
        let old = bench.ask();
        bench.ask().told();
        drop(old);
        assert!(bench.is_held());
        assert_eq!(bench.names(), 0);
    }

    #[test]
    fn what_is_left_stays_while_somebody_asks_for_it() {
        let bench = Bench::new();
        let (old, new) = (bench.ask(), bench.ask());
        drop(old);
        assert!(bench.is_held());
        drop(new);
        assert!(!bench.is_held(), "he has gone too");
        assert_eq!(bench.names(), 0);
    }

    #[test]
    fn one_who_asks_once_more_after_he_was_told_and_goes_leaves_it() {
        let bench = Bench::new();
        let old = bench.ask();
        bench.ask().told();
        drop(bench.ask());
        old.told();
        assert!(!bench.is_held());
        assert_eq!(bench.names(), 0);
    }
}
