//! What came of a turn's append: confirmed, rolled back, or looked for.

use alloc::{format, vec::Vec};

use super::{
    Desk, Job, Ticket, Window, Work,
    turn::{Appended, Staged, Turn},
};
use crate::{
    driver,
    error::{Code, Error, Outcome, Result},
    port::Journal,
    request::{Committed, Request},
    rows::RowLog,
    time::Millis,
};

/// How often in a row the race for the journal's end may be lost.
const ATTEMPTS: u32 = 64;

/// How often a journal that did not answer is looked at before an answer is given up.
const LOOKS: u32 = 3;

impl Desk {
    /// Ends a turn with what came of its append.
    pub fn close_turn(&mut self, appended: Appended, now: Millis) {
        let Some(mut turn) = self.turn.take() else { return };
        if let Some((why, looks)) = turn.unsure.take() {
            // Whatever became of the filler: what stands there is seen by the next look.
            turn.unsure = Some((why, looks));
            self.turn = Some(turn);
            return;
        }
        match appended {
            Appended::Done => self.confirm(turn, now),
            Appended::Conflict => {
                self.engine.rollback();
                self.lost_races += 1;
                let given_up = self.lost_races >= ATTEMPTS;
                self.put_back(turn);
                if given_up {
                    self.lost_races = 0;
                    self.fail(&driver::lost_every_race(), now);
                }
            }
            Appended::Refused(error) if error.code() == Code::NoSpace && !turn.idle => {
                self.engine.rollback();
                if core::mem::replace(&mut self.walks.full, true) {
                    self.walks.full = false;
                    self.answer(turn, Vec::new(), &error.with_outcome(Outcome::Refused), now);
                } else {
                    // Those that free space may still find some; those that take it are refused.
                    self.short = true;
                    self.put_back(turn);
                }
            }
            Appended::Refused(error) => {
                self.engine.rollback();
                self.answer(turn, Vec::new(), &error.with_outcome(Outcome::Refused), now);
            }
            Appended::Unknown(error) => {
                turn.unsure = Some((error, 0));
                self.turn = Some(turn);
            }
        }
    }

    fn put_back(&mut self, turn: Turn) {
        for job in turn.jobs.into_iter().rev() {
            self.queue.push_front(job.job);
        }
    }

    fn confirm(&mut self, turn: Turn, now: Millis) {
        let bytes: u64 = self.engine.drafts().iter().map(|draft| draft.payload.len() as u64).sum();
        match self.engine.confirm(&turn.tail, turn.now) {
            Ok(done) => {
                self.walks.full = false;
                if !turn.idle {
                    self.lost_races = 0;
                    self.walks.wrote(bytes);
                }
                self.answer(turn, done, &lost(), now);
                // Behind the answers: a claim of this very turn that found nothing waits by now.
                self.wake_stirred();
            }
            Err(error) => {
                self.engine.rollback();
                self.answer(turn, Vec::new(), &error.with_outcome(Outcome::Unknown), now);
            }
        }
    }

    /// The first entries have these answers, the others this error.
    fn answer(&mut self, turn: Turn, done: Vec<Committed>, error: &Error, now: Millis) {
        let mut done = done.into_iter();
        let mut failed = false;
        for Staged { job, answer } in turn.jobs {
            let answer = match answer {
                Some(answer) if !failed => answer,
                // What it was judged by is not in the journal.
                Some(_) => Err(driver::groundless()),
                None => done.next().ok_or_else(|| {
                    failed = true;
                    error.clone()
                }),
            };
            self.conclude(job, answer, now);
        }
    }

    /// An append whose outcome is not known is resolved by seeing what stands at its place; where nothing does, this puts
    /// a filler there.
    pub(super) fn look_again(&mut self, mut turn: Turn, window: Window, now: Millis) -> Result<Vec<Vec<u8>>> {
        let Some((why, looks)) = turn.unsure.take() else {
            // A turn that was never closed: nothing is known of its append.
            turn.unsure = Some((Error::new(Code::Unknown, "the turn was not closed"), 0));
            self.turn = Some(turn);
            return Ok(Vec::new());
        };
        let at = *self.engine.tail();
        let mut done = Vec::new();
        let mut seen = false;
        let engine = &mut self.engine;
        self.walks.grew(&window, &at);
        let read = RowLog::new(window).read(&at, &mut |stored| {
            seen = true;
            done.extend(engine.settle(&stored, now)?);
            Ok(())
        });
        if let Err(error) = read {
            self.engine.rollback();
            self.answer(turn, done, &unknown(&error), now);
            return Err(error);
        }
        if seen {
            self.engine.rollback();
            // What a host's own journal raised says more than that its place is taken.
            let refused = match why.code() {
                Code::Foreign => why,
                _ => Error::new(Code::Unavailable, "another handle's entry took the place of this one: try again"),
            };
            self.answer(turn, done, &refused.with_outcome(Outcome::Refused), now);
            self.wake_stirred();
            return Ok(Vec::new());
        }
        if looks >= LOOKS {
            self.engine.rollback();
            self.answer(turn, done, &unknown(&why), now);
            return Ok(Vec::new());
        }
        let filler = self.engine.filler(&at, now);
        turn.unsure = Some((why, looks + 1));
        self.turn = Some(turn);
        self.encode(&[filler]).map(|(rows, _)| rows)
    }

    /// Whether the open turn looks for what became of an append.
    pub fn is_unsure(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.unsure.is_some())
    }

    /// A request that the owner of a lease makes of it.
    pub(super) fn give_back(&mut self, ticket: Ticket, request: Request) {
        self.queue.push_front(Job { ticket, work: Work::GiveBack(request), cancelled: true });
    }
}

#[cold]
pub(super) fn unknown(error: &Error) -> Error {
    let why = format!(
        "the journal did not say whether it took the entry: repeat the request with the same request id ({error})"
    );
    Error::new(Code::Unknown, why).with_source(error.clone())
}

#[cold]
fn lost() -> Error {
    Error::new(Code::Internal, "a request got no answer: report this as a fault of Tenure")
}
