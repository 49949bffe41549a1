//! One connection: what it is doing and since when, so that a slow or stuck client can be told from one that waits for
//! its answer, and so that the one that has been idle longest makes room where there is none.
//!
//! ```text
//!  Idle ── bytes ──► Head ── whole ──► Serving (no bound: it may wait for a task) ── answer ──► Sending ──► Idle
//!   idle_for          head_within        └─ while its body is read: stall_for ─┘                stall_for
//! ```

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering, fence},
    },
    task::{Context, Waker},
    time::Duration,
};

use crate::orphans::Claimed;

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Doing {
    /// Nothing: it is kept open for another request.
    Idle,
    /// A request's head, or the handshake, has begun to come.
    Head,
    /// A request's body is coming.
    Reading,
    /// A request is on its way; the client has nothing to do but to wait.
    Serving,
    /// The answer is being sent.
    Sending,
}

/// One connection, as seen from outside.
#[derive(Debug)]
pub struct Conn {
    doing: AtomicU8,
    /// Since when, and when the last byte went either way; in [`tenths`] of a second.
    since: AtomicU32,
    moved: AtomicU32,
    /// What it was told, a bit for each [`Word`], and the task that it is for all its life.
    told: AtomicU8,
    task: OnceLock<Waker>,
    /// Whether the last write left something for later.
    blocked: AtomicBool,
    /// Claims whose answers have not gone out yet, more than one where a client sends ahead; `owes` says whether there are
    /// any.
    owed: Mutex<Vec<Claimed>>,
    owes: AtomicBool,
}

/// What a connection is told while it is busy with its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Word {
    /// It is to end at once; whatever it was serving is given up.
    End = 1,
    /// What it serves waits for long.
    Waits = 2,
    /// The service ends: it is to finish what is under way.
    Stop = 4,
}

/// How long each thing may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a request.
    pub idle: Duration,
    /// For a request's head, from its first byte.
    pub head: Duration,
    /// Without a byte, while a body or an answer is under way.
    pub stall: Duration,
}

impl Conn {
    pub fn new() -> Self {
        let now = tenths();
        Self {
            doing: AtomicU8::new(Doing::Head as u8),
            since: AtomicU32::new(now),
            moved: AtomicU32::new(now),
            told: AtomicU8::new(0),
            task: OnceLock::new(),
            blocked: AtomicBool::new(false),
            owed: Mutex::default(),
            owes: AtomicBool::new(false),
        }
    }

    /// Notes what it does from now on.
    pub fn begin(&self, doing: Doing) {
        let now = tenths();
        self.doing.store(doing as u8, Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.moved.store(now, Ordering::Relaxed);
    }

    pub fn doing(&self) -> Doing {
        match self.doing.load(Ordering::Relaxed) {
            0 => Doing::Idle,
            1 => Doing::Head,
            2 => Doing::Reading,
            3 => Doing::Serving,
            _ => Doing::Sending,
        }
    }

    /// For how long it has been doing that, and for how long no byte has moved.
    fn ages(&self) -> (Duration, Duration) {
        let now = tenths();
        // Another thread may have looked at the clock later.
        let since = |at: &AtomicU32| now.wrapping_sub(at.load(Ordering::Relaxed)).cast_signed().max(0);
        let age = |at: &AtomicU32| Duration::from_millis(u64::from(since(at).cast_unsigned()) * 100);
        (age(&self.since), age(&self.moved))
    }

    /// Notes that a byte came or went.
    pub fn moved(&self, came: bool) {
        if came && self.doing() == Doing::Idle {
            self.begin(Doing::Head);
        } else {
            self.moved.store(tenths(), Ordering::Relaxed);
        }
    }

    /// Whether its time is up.
    pub fn is_overdue(&self, patience: &Patience) -> bool {
        let (since, moved) = self.ages();
        match self.doing() {
            Doing::Idle => since > patience.idle,
            Doing::Head => since > patience.head,
            Doing::Reading | Doing::Sending => moved > patience.stall,
            Doing::Serving => false,
        }
    }

    /// A claim is to be answered. Until the answer is on its way, what was claimed would be held by nobody.
    pub fn owe(&self, claimed: Claimed) {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).push(claimed);
        self.owes.store(true, Ordering::Release);
    }

    pub fn owes(&self) -> bool {
        self.owes.load(Ordering::Relaxed)
    }

    /// What was claimed and not answered.
    pub fn take_owed(&self) -> Vec<Claimed> {
        if !self.owes.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        mem::take(&mut self.owed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells it something.
    pub fn tell(&self, word: Word) {
        self.told.fetch_or(word as u8, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    /// Whether it was told that, for its task alone: it is woken as it is told.
    pub fn hears(&self, word: Word, cx: &Context<'_>) -> bool {
        if self.task.get().is_none() {
            let _ = self.task.set(cx.waker().clone());
            // Either this sees the word, or whoever tells it sees the task.
            fence(Ordering::SeqCst);
        }
        self.told.load(Ordering::SeqCst) & word as u8 != 0
    }

    /// Forgets that it was told that.
    pub fn forget(&self, word: Word) {
        self.told.fetch_and(!(word as u8), Ordering::SeqCst);
    }

    /// Notes whether a write left something for later.
    pub fn block(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// Whether the other end has not taken all that was written.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }
}

/// The time in tenths of a second, to tell how long something took. It is asked for with each piece of each request, so of
/// the clock that costs least.
fn tenths() -> u32 {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::MonotonicCoarse);
        (now.tv_sec * 10 + now.tv_nsec / 100_000_000).cast_unsigned() as u32
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::time::Instant;
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        (BEGAN.get_or_init(Instant::now).elapsed().as_millis() / 100) as u32
    }
}

/// All connections that are open.
#[derive(Debug, Default)]
pub struct Conns(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: Vec<Arc<Conn>>,
    stopping: bool,
}

impl Conns {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one in; where there are `most` already, the one that has been idle longest is ended for it.
    pub fn enter(&self, conn: &Arc<Conn>, most: usize) -> bool {
        let Open { all, stopping } = &mut *self.lock();
        let full = all.len() >= most;
        if full {
            // One whose head drips in is no better than one that is idle. Of two, the one that came first goes.
            let idle = all.iter().rev().filter(|conn| matches!(conn.doing(), Doing::Idle | Doing::Head));
            let Some(longest) = idle.max_by_key(|conn| conn.ages().0).cloned() else { return false };
            all.retain(|conn| !Arc::ptr_eq(conn, &longest));
            longest.tell(Word::End);
        }
        if *stopping {
            conn.tell(Word::Stop);
        }
        all.push(conn.clone());
        true
    }

    pub fn leave(&self, conn: &Arc<Conn>) {
        self.lock().all.retain(|other| !Arc::ptr_eq(conn, other));
    }

    /// Ends those whose time is up.
    pub fn sweep(&self, patience: &Patience) {
        self.lock().all.iter().filter(|conn| conn.is_overdue(patience)).for_each(|conn| conn.tell(Word::End));
    }

    /// Tells all that are open, and all that come yet, that the service ends.
    pub fn stop(&self) {
        let mut open = self.lock();
        open.stopping = true;
        open.all.iter().for_each(|conn| conn.tell(Word::Stop));
    }

    pub fn count(&self) -> usize {
        self.lock().all.len()
    }
}

/// While it lives, its connection is sending an answer.
#[derive(Debug)]
pub struct Sending(Arc<Conn>);

impl Sending {
    pub fn begin(conn: Arc<Conn>) -> Self {
        conn.begin(Doing::Sending);
        Self(conn)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.begin(Doing::Idle);
    }
}
