//! Posting in rounds, for a host with a loop of its own. Waking a thread costs more than a small transaction does: so what
//! the host's callers ask for in one turn of its loop goes over to the courier at once, and the answers come back at once.
//!
//! ```text
//!  callers ── post ──► gathered ── post_round, once all that are ready have posted ──► inbox ──► courier
//!     ▲                                                                                            │
//!     └── each its own ◄── answers, dropped where the host likes ◄── Rounds::give ◄────────────────┘
//! ```

use std::{fmt, sync::Arc};

use tenure_core::{Committed, Result};

use super::{
    Store, at,
    post::{Letter, Post, rouse},
};

/// A host's own loop, where it says when a round of requests is complete and where answers are given.
pub trait Rounds: Send + Sync {
    /// The first request of a round was posted: [`Store::post_round`] is to be called once those callers that are ready
    /// too have posted theirs.
    fn begin(&self);

    /// Gives answers, on whatever thread suits. Called on a thread of the store.
    fn give(&self, answers: Answers);
}

/// Answers that are there. They are given as this is dropped.
#[derive(Default)]
pub struct Answers(Vec<(Box<Letter>, Result<Committed>)>);

impl Answers {
    /// The letter goes along: what was asked for is best let go of where it was put together.
    pub(super) fn add(&mut self, letter: Box<Letter>, answer: Result<Committed>) {
        self.0.push((letter, answer));
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for (letter, answer) in self.0.drain(..) {
            (letter.answer)(answer);
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("answers", &self.0.len()).finish_non_exhaustive()
    }
}

impl Store {
    /// From now on what is posted through this handle and its clones goes out in rounds; with `None`, as it is posted, and
    /// what was gathered goes out. Where the store is a service's it always goes out as it is posted.
    ///
    /// ```
    /// use std::sync::{Arc, mpsc};
    /// use tenure::{Add, Answers, Request, Rounds, Store};
    ///
    /// /// A loop that is told what happens through a channel.
    /// struct Loop(mpsc::Sender<Option<Answers>>);
    ///
    /// impl Rounds for Loop {
    ///     fn begin(&self) {
    ///         let _ = self.0.send(None);
    ///     }
    ///
    ///     fn give(&self, answers: Answers) {
    ///         let _ = self.0.send(Some(answers));
    ///     }
    /// }
    ///
    /// let store = Store::memory()?;
    /// let (tell, told) = mpsc::channel();
    /// store.post_in_rounds(Some(Arc::new(Loop(tell))));
    /// for part in ["one", "two"] {
    ///     let adds = vec![Add { group: "map".into(), data: part.into(), ..Add::default() }];
    ///     store.post(Request { adds, ..Request::default() }, |answer| println!("{answer:?}"));
    /// }
    /// let answers = loop {
    ///     match told.recv() {
    ///         Ok(None) => store.post_round(), // one round of both
    ///         Ok(Some(answers)) => break answers,
    ///         Err(_) => return Ok(()),
    ///     }
    /// };
    /// drop(answers); // both are told, on this thread
    /// assert_eq!(store.group("map")?.tasks, 2);
    /// # Ok::<(), tenure::Error>(())
    /// ```
    pub fn post_in_rounds(&self, rounds: Option<Arc<dyn Rounds>>) {
        at!(
            self,
            |shared| {
                let mut inbox = shared.post.inbox();
                inbox.complete();
                inbox.rounds = rounds;
                rouse(inbox);
            },
            |_remote| drop(rounds)
        );
    }

    /// What was posted since [`Rounds::begin`] goes out.
    pub fn post_round(&self) {
        at!(self, |shared| shared.post.complete(), |_remote| ());
    }
}

impl Post {
    /// What was gathered goes out.
    pub fn complete(&self) {
        let mut inbox = self.inbox();
        inbox.complete();
        rouse(inbox);
    }

    /// Gives answers, as the host wants it.
    pub fn give(&self, answers: Answers) {
        let rounds = self.inbox().rounds.clone();
        match rounds {
            Some(rounds) => rounds.give(answers),
            None => drop(answers),
        }
    }
}
