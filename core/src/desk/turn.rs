//! Turns: staging what is queued, and what came of the append.

use alloc::{format, vec::Vec};

use super::{Desk, Job, Ticket, Window, Work, guards};
use crate::{
    driver,
    engine::Stage,
    error::{Code, Error, Outcome, Result},
    frame::encode_row,
    limits::NO_SPACE,
    port::{Draft, Journal, Tail},
    request::{Committed, Request},
    rows::RowLog,
    time::Millis,
    txn::Ask,
};

/// Entries that one append may take.
const BATCH: usize = 1024;

/// Bytes of payload that one append may take, unless a single entry is larger.
const BATCH_BYTES: usize = 4 << 20;

/// How often in a row the race for the journal's end may be lost.
const ATTEMPTS: u32 = 64;

/// How often a journal that did not answer is looked at before an answer is given up.
const LOOKS: u32 = 3;

/// What came of an append.
#[derive(Clone, Debug)]
pub enum Appended {
    /// It is there, and durable.
    Done,
    /// Something else stands there.
    Conflict,
    /// Surely nothing of it is there.
    Refused(Error),
    /// It may be there.
    Unknown(Error),
}

/// A turn that waits for what came of its append.
pub(crate) struct Turn {
    jobs: Vec<Staged>,
    /// The tail behind what is appended.
    tail: Tail,
    now: Millis,
    /// Whether nothing was staged.
    idle: bool,
    /// An append whose outcome is not known: why, and how often it was looked for.
    unsure: Option<(Error, u32)>,
}

/// A job, and its answer where it did not become an entry.
struct Staged {
    job: Job,
    answer: Option<Result<Committed>>,
}

impl Turn {
    pub fn into_jobs(self) -> impl Iterator<Item = Job> {
        self.jobs.into_iter().map(|staged| staged.job)
    }

    pub fn find(&mut self, ticket: Ticket) -> Option<&mut Job> {
        self.jobs.iter_mut().map(|staged| &mut staged.job).find(|job| job.ticket == ticket)
    }
}

impl Desk {
    /// Takes in rows that lie before the journal's end. For hosts that fetch in pieces; the last goes to
    /// [`open_turn`](Self::open_turn).
    ///
    /// # Errors
    /// `Truncated`, where the state has to be [loaded anew](Self::reload); `Fenced` with code `replaced`; `Corrupt`.
    pub fn feed(&mut self, window: Window, now: Millis) -> Result<()> {
        self.check_identity(window.identity)?;
        if self.turn.is_some() {
            return Ok(());
        }
        self.catch_up(window, now)
    }

    /// Begins a turn: takes in what others appended, stages what is queued, and gives the rows to append at
    /// [`Engine::tail`](crate::engine::Engine::tail). Where there are none, the turn is to be closed with [`Appended::Done`].
    /// In one that may not `append`, only what reads is done.
    ///
    /// # Errors
    /// As [`feed`](Self::feed); then no turn is open, and what is queued stays so until [`fail`](Self::fail).
    pub fn open_turn(&mut self, window: Window, append: bool, now: Millis) -> Result<Vec<Vec<u8>>> {
        self.check_identity(window.identity)?;
        if let Some(turn) = self.turn.take() {
            return self.look_again(turn, window, now);
        }
        self.catch_up(window, now)?;
        let mut turn = Turn { jobs: Vec::new(), tail: *self.engine.tail(), now, idle: true, unsure: None };
        if append {
            self.stage(&mut turn, now);
        } else {
            self.read(&mut turn, now);
        }
        turn.idle = self.engine.drafts().is_empty();
        let rows = match self.encode(self.engine.drafts()) {
            Ok((rows, tail)) => {
                turn.tail = tail;
                rows
            }
            Err(error) => {
                self.turn = Some(turn);
                self.close_turn(Appended::Refused(error), now);
                return Ok(Vec::new());
            }
        };
        self.turn = Some(turn);
        Ok(rows)
    }

    fn catch_up(&mut self, window: Window, now: Millis) -> Result<()> {
        self.walks.grew(&window, self.engine.tail());
        driver::catch_up(&mut self.engine, &mut RowLog::new(window), &|| now)?;
        self.wake_stirred();
        Ok(())
    }

    fn encode(&self, drafts: &[Draft]) -> Result<(Vec<Vec<u8>>, Tail)> {
        let mut tail = *self.engine.tail();
        let durable = tail.position;
        let mut rows = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let (row, behind) = encode_row(self.salt, &tail, durable, draft)?;
            rows.push(row);
            tail = behind;
        }
        Ok((rows, tail))
    }

    fn stage(&mut self, turn: &mut Turn, now: Millis) {
        let mut bytes = 0;
        let journal_bytes = if self.short { NO_SPACE } else { self.walks.bytes() };
        while let Some(job) = self.queue.pop_front() {
            let staged = self.stage_job(&job, now, journal_bytes);
            let answer = match staged {
                Ok(Stage::Staged) => {
                    bytes += self.engine.drafts().last().map_or(0, |draft| draft.payload.len());
                    None
                }
                Ok(Stage::Answered(committed)) => Some(Ok(committed)),
                Ok(Stage::Deferred) => {
                    self.queue.push_front(job);
                    break;
                }
                Err(error) => Some(Err(error)),
            };
            turn.jobs.push(Staged { job, answer });
            if self.engine.drafts().len() >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
        }
        self.short = false;
    }

    fn read(&mut self, turn: &mut Turn, now: Millis) {
        for job in core::mem::take(&mut self.queue) {
            if !job.work.only_reads() {
                self.queue.push_back(job);
                continue;
            }
            let answer = self
                .stage_job(&job, now, 0)
                .map(|_| Committed { revision: self.engine.tail().revision, ..Committed::default() });
            turn.jobs.push(Staged { job, answer: Some(answer) });
        }
    }

    fn stage_job(&mut self, job: &Job, now: Millis, journal_bytes: u64) -> Result<Stage> {
        let engine = &mut self.engine;
        match &job.work {
            Work::Look => engine.may_read().map(|()| Stage::Answered(Committed::default())),
            Work::Claim(claim, _) => engine.stage(Ask::Claim(claim), now, journal_bytes),
            Work::GiveBack(request) => engine.stage(Ask::Update(request), now, journal_bytes),
            Work::Verify(guards) => {
                engine.may_read()?;
                guards::check(engine.state(), guards, now).map(Stage::Answered)
            }
            Work::Update(request, held) if held.is_empty() => engine.stage(Ask::Update(request), now, journal_bytes),
            Work::Update(request, held) => {
                let mut request = request.clone();
                for held in held {
                    let Some(lease) = self.held.get(held) else { continue };
                    lease.check()?;
                    lease.rename(&mut request);
                }
                engine.stage(Ask::Update(&request), now, journal_bytes)
            }
            Work::Renew(held) => match self.held.get(held).filter(|lease| lease.is_live()) {
                Some(lease) => engine.stage(Ask::Update(&lease.renewal()), now, journal_bytes),
                None => Ok(Stage::Answered(Committed::default())),
            },
            Work::Snapshot => engine.stage_snapshot_marker(now).map(|()| Stage::Staged),
        }
    }

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
    fn look_again(&mut self, mut turn: Turn, window: Window, now: Millis) -> Result<Vec<Vec<u8>>> {
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
