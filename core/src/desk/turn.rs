//! Turns: staging what is queued.

use alloc::vec::Vec;

use super::{Desk, Job, Ticket, Window, Work, guards};
use crate::{
    driver,
    engine::Stage,
    error::{Error, Result},
    frame::encode_row,
    limits::NO_SPACE,
    port::{Draft, Tail},
    request::Committed,
    rows::RowLog,
    time::Millis,
    txn::Ask,
};

/// Entries that one append may take.
const BATCH: usize = 1024;

/// Bytes of payload that one append may take, unless a single entry is larger.
const BATCH_BYTES: usize = 4 << 20;

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
    pub jobs: Vec<Staged>,
    /// The tail behind what is appended.
    pub tail: Tail,
    pub now: Millis,
    /// Whether nothing was staged.
    pub idle: bool,
    /// An append whose outcome is not known: why, and how often it was looked for.
    pub unsure: Option<(Error, u32)>,
}

/// A job, and its answer where it did not become an entry.
pub(crate) struct Staged {
    pub job: Job,
    pub answer: Option<Result<Committed>>,
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

    pub(super) fn encode(&self, drafts: &[Draft]) -> Result<(Vec<Vec<u8>>, Tail)> {
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
}
