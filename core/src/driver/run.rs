//! Requests on their way through a section: staged, appended, answered.

use alloc::{format, vec::Vec};

use smallvec::SmallVec;

use super::{ATTEMPTS, Clock, Done, catch_up, lost_every_race};
use crate::{
    engine::{Engine, Stage},
    error::{Code, Error, Outcome, Result},
    id::Position,
    limits::NO_SPACE,
    port::{AppendError, Journal, Tail},
    request::Committed,
    time::Millis,
    txn::Ask,
};

/// Entries that one append may take.
const BATCH: usize = 1024;

/// Bytes of payload that one append may take, unless a single entry is larger.
const BATCH_BYTES: usize = 4 << 20;

/// How often a journal that fails is looked at again before an answer is given up.
const LOOKS: u32 = 3;

/// Answers in the order of their requests; mostly it is one.
pub(super) type Answers = SmallVec<[Result<Done>; 1]>;

/// Requests on their way to answers.
pub(super) struct Run<'a> {
    asks: &'a [Ask<'a>],
    answers: Answers,
    /// How many of the requests behind those are staged, or have an answer that follows staged ones.
    staged: usize,
    /// The latter, by their place among them.
    aside: Vec<(usize, Result<Done>)>,
    attempts: u32,
    /// Whether the storage was found full.
    pub short: bool,
}

impl<'a> Run<'a> {
    pub fn new(asks: &'a [Ask<'a>]) -> Self {
        let answers = SmallVec::with_capacity(asks.len());
        Self { asks, answers, staged: 0, aside: Vec::new(), attempts: 0, short: false }
    }

    pub fn into_answers(self) -> Answers {
        self.answers
    }

    pub fn finished(&self) -> bool {
        self.answers.len() == self.asks.len()
    }

    /// Every request that has no answer yet gets this one.
    pub fn fail(&mut self, error: &Error) {
        self.forget();
        while !self.finished() {
            self.answers.push(Err(error.clone()));
        }
    }

    fn forget(&mut self) {
        self.staged = 0;
        self.aside.clear();
    }

    /// What is done inside a section of the journal.
    pub fn section(
        &mut self,
        engine: &mut Engine,
        journal: &mut dyn Journal,
        mut journal_bytes: u64,
        clock: Clock<'_>,
    ) -> Result<()> {
        self.forget();
        catch_up(engine, journal, clock)?;
        while !self.finished() {
            // One time for the round: it is microseconds long.
            let now = clock();
            self.stage(engine, journal_bytes, now);
            if engine.drafts().is_empty() {
                // Nothing is to be written, and these are the answers.
                self.answers.extend(self.aside.drain(..).map(|(_, answer)| answer));
                continue;
            }
            match journal.append(engine.tail(), engine.drafts()) {
                Ok(tail) => {
                    self.confirm(engine, &tail, now)?;
                    self.attempts = 0;
                }
                Err(AppendError::Conflict) => {
                    engine.rollback();
                    self.forget();
                    self.attempts += 1;
                    return if self.attempts == ATTEMPTS { Err(lost_every_race()) } else { Ok(()) };
                }
                Err(AppendError::Refused(error)) if error.code() == Code::NoSpace && journal_bytes != NO_SPACE => {
                    // There is a reserve for those that free space; those that take some are refused.
                    let standing = Self::standing(engine, journal, clock);
                    journal_bytes = NO_SPACE;
                    self.short = true;
                    self.answer_in_part(standing.done, engine.tail().position, standing.unseen.as_ref());
                    standing.read?;
                }
                Err(AppendError::Refused(error)) => {
                    let error = error.with_outcome(Outcome::Refused);
                    return self.settle(engine, journal, &error, clock);
                }
                Err(AppendError::Unknown(error)) => {
                    return self.resolve(engine, journal, &error, clock);
                }
            }
        }
        Ok(())
    }

    /// Stages requests until the batch is full or one meets another.
    fn stage(&mut self, engine: &mut Engine, journal_bytes: u64, now: Millis) {
        self.forget();
        let mut bytes = 0;
        for ask in &self.asks[self.answers.len()..] {
            let until = engine.tail().position;
            let last = self.answers.len() + self.staged + 1 == self.asks.len();
            let staged =
                if last { engine.stage_last(*ask, now, journal_bytes) } else { engine.stage(*ask, now, journal_bytes) };
            match staged {
                Ok(Stage::Staged) => bytes += engine.drafts().last().map_or(0, |draft| draft.payload.len()),
                Ok(Stage::Answered(committed)) => self.aside.push((self.staged, Ok(Done { committed, until }))),
                Ok(Stage::Deferred) => break,
                Err(error) => self.aside.push((self.staged, Err(error))),
            }
            self.staged += 1;
            if engine.drafts().len() >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
        }
    }

    /// What was staged stands in the journal: each gets its answer.
    fn confirm(&mut self, engine: &mut Engine, tail: &Tail, now: Millis) -> Result<()> {
        let until = tail.position;
        let Self { aside, answers, .. } = self;
        let first = answers.len();
        let mut aside = aside.drain(..).peekable();
        // One that was answered at once was judged behind what is appended now.
        let judged = |answer: Result<Done>| answer.map(|done| Done { until: done.until.max(until), ..done });
        engine.confirm_each(tail, now, &mut |committed| {
            while let Some((_, answer)) = aside.next_if(|(place, _)| first + place == answers.len()) {
                answers.push(judged(answer));
            }
            answers.push(Ok(Done { committed, until }));
        })?;
        for (_, answer) in aside {
            answers.push(judged(answer));
        }
        Ok(())
    }

    /// The first of what was staged have these answers, the others have this error; without one they are staged again.
    fn answer_in_part(&mut self, done: Vec<Committed>, until: Position, error: Option<&Error>) {
        let mut done = done.into_iter();
        let mut lost = false;
        let mut aside = self.aside.drain(..).peekable();
        for place in 0..self.staged {
            let answer = match aside.next_if(|(at, _)| *at == place) {
                Some((_, answer)) if !lost => answer,
                // What it was judged by is not in the journal.
                Some(_) => Err(groundless()),
                None => match (done.next(), error) {
                    (Some(committed), _) => Ok(Done { committed, until }),
                    (None, Some(error)) => {
                        lost = true;
                        Err(error.clone())
                    }
                    (None, None) => break,
                },
            };
            self.answers.push(answer);
        }
    }

    /// The append failed, and a prefix of it may stand: what stands is confirmed entry by entry, the rest is refused.
    fn settle(
        &mut self,
        engine: &mut Engine,
        journal: &mut dyn Journal,
        error: &Error,
        clock: Clock<'_>,
    ) -> Result<()> {
        let Standing { done, unseen, read } = Self::standing(engine, journal, clock);
        let until = engine.tail().position;
        self.answer_in_part(done, until, Some(unseen.as_ref().unwrap_or(error)));
        read
    }

    /// What stands of an append that failed is confirmed; the rest is taken out of the engine.
    fn standing(engine: &mut Engine, journal: &mut dyn Journal, clock: Clock<'_>) -> Standing {
        let mut done: Vec<Committed> = Vec::new();
        let mut read = Ok(());
        for _ in 0..LOOKS {
            let from = *engine.tail();
            let looked = journal.read(&from, &mut |stored| {
                done.extend(engine.settle(&stored, clock())?);
                Ok(())
            });
            read = looked.map(|_| ());
            if read.is_ok() || engine.drafts().is_empty() {
                break;
            }
        }
        // What stands at their place was not seen: nobody can say that they are not there.
        let unseen = read.as_ref().err().filter(|_| !engine.drafts().is_empty()).map(unknown);
        engine.rollback();
        Standing { done, unseen, read }
    }

    /// The append's answer did not come. It is known only once a frame is seen at that position: its own, another's, or a
    /// filler that this handle puts there.
    fn resolve(
        &mut self,
        engine: &mut Engine,
        journal: &mut dyn Journal,
        error: &Error,
        clock: Clock<'_>,
    ) -> Result<()> {
        let at = *engine.tail();
        for _ in 0..LOOKS {
            if Self::seen_behind(journal, &at) {
                // What a host's own journal raised says more than that its place is taken.
                let refused = match error.code() {
                    Code::Foreign => error.clone(),
                    _ => Error::new(Code::Unavailable, "another handle's entry took the place of this one: try again"),
                };
                let refused = refused.with_outcome(Outcome::Refused);
                return self.settle(engine, journal, &refused, clock);
            }
            if let Ok(filler) = Self::filler(engine, &at, clock()) {
                // Whoever stands there after this is seen by the next look.
                let _ = journal.append(&at, &[filler]);
            }
        }
        engine.rollback();
        self.answer_in_part(Vec::new(), at.position, Some(&unknown(error)));
        Ok(())
    }

    fn seen_behind(journal: &mut dyn Journal, at: &Tail) -> bool {
        let mut seen = false;
        let read = journal.read(at, &mut |_| {
            seen = true;
            Ok(())
        });
        read.is_ok() && seen
    }

    fn filler(engine: &Engine, at: &Tail, now: Millis) -> Result<crate::port::Draft> {
        engine.may_write()?;
        Ok(engine.filler(at, now))
    }
}

/// What was found of an append that failed.
struct Standing {
    /// The answers of the entries that stand.
    done: Vec<Committed>,
    /// Why nobody can say that the others do not.
    unseen: Option<Error>,
    /// How the reading ended.
    read: Result<()>,
}

fn unknown(error: &Error) -> Error {
    let why = format!(
        "the journal did not say whether it took the entry: repeat the request with the same request id ({error})"
    );
    Error::new(Code::Unknown, why).with_source(error.clone())
}

/// An answer that was judged by something which is not in the journal is none.
pub(crate) fn groundless() -> Error {
    Error::new(Code::Unavailable, "a transaction before this one did not reach the journal: ask again")
        .with_outcome(Outcome::Refused)
}
