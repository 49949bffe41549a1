//! Where the time comes from. Safety never depends on it: ids fence, clocks only say when a lease may be taken over.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tenure_core::Millis;

/// The clock of a handle: milliseconds since the Epoch.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    System(Base),
    /// That of a service, as it was told last.
    #[cfg(feature = "client")]
    Told(Told),
    Test(Mutex<Hands>),
}

/// Within a handle time is the wall clock as it was read last, plus the monotonic clock since; where the two have
/// parted by more than a second (a step, a suspended machine) the wall clock is read anew.
struct Base {
    opened: Instant,
    /// What is to be added to the milliseconds since `opened`.
    offset: AtomicU64,
    /// When, in milliseconds since `opened`, the wall clock was last looked at.
    looked: AtomicU64,
}

/// The time that was told, less the time since this clock began, by which it goes on.
#[cfg(feature = "client")]
struct Told {
    began: Instant,
    offset: AtomicU64,
}

#[cfg(feature = "client")]
impl Told {
    fn since(&self) -> Millis {
        self.began.elapsed().as_millis() as Millis
    }
}

struct Hands {
    now: Millis,
    waiting: Vec<Thread>,
}

/// How often the wall clock is looked at, in milliseconds.
const LOOK: Millis = 20;

/// How far wall and monotonic clock may part before the wall clock is believed.
const PART: Millis = 1_000;

fn wall() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Arc::new(Kind::System(Base {
            opened: Instant::now(),
            offset: AtomicU64::new(wall()),
            looked: AtomicU64::new(0),
        })))
    }

    /// A clock that stands at `now` until it is [advanced](Self::advance): for tests.
    pub fn test(now: Millis) -> Self {
        Self(Arc::new(Kind::Test(Mutex::new(Hands { now, waiting: Vec::new() }))))
    }

    /// The clock of a client of a service: leases are judged by the service's clock, so it follows that. A test clock stays
    /// what it is.
    #[cfg(feature = "client")]
    pub(crate) fn as_remote(&self) -> Self {
        match &*self.0 {
            Kind::Test(_) => self.clone(),
            _ => Self(Arc::new(Kind::Told(Told { began: Instant::now(), offset: AtomicU64::new(wall()) }))),
        }
    }

    /// What time it is at the service.
    #[cfg(feature = "client")]
    pub(crate) fn told(&self, now: Millis) {
        if let Kind::Told(told) = &*self.0 {
            told.offset.store(now.saturating_sub(told.since()), Ordering::Relaxed);
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        match &*self.0 {
            Kind::System(base) => base.now(),
            #[cfg(feature = "client")]
            Kind::Told(told) => told.offset.load(Ordering::Relaxed) + told.since(),
            Kind::Test(hands) => hands.lock().unwrap_or_else(PoisonError::into_inner).now,
        }
    }

    /// Moves a test clock on, and wakes whatever waits for it. A system clock takes no notice.
    pub fn advance(&self, by: Duration) {
        if let Kind::Test(hands) = &*self.0 {
            let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
            hands.now += by.as_millis() as Millis;
            hands.waiting.drain(..).for_each(|thread| thread.unpark());
        }
    }

    /// Puts a test clock to a time, forwards or backwards.
    pub fn set(&self, now: Millis) {
        if let Kind::Test(hands) = &*self.0 {
            let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
            hands.now = now;
            hands.waiting.drain(..).for_each(|thread| thread.unpark());
        }
    }

    /// Parks this thread until it is unparked or the clock shows `until` (`None`: for ever). May return early.
    pub(crate) fn park(&self, until: Option<Millis>) {
        self.park_at_most(until, None);
    }

    /// As [`park`](Self::park), but no longer than `most` by the system's own time, whatever the clock shows.
    pub(crate) fn park_at_most(&self, until: Option<Millis>, most: Option<Duration>) {
        let Kind::Test(hands) = &*self.0 else {
            // A wait of hours is cut: the wall clock may be stepped meanwhile.
            let left = until.map(|until| Duration::from_millis(until.saturating_sub(self.now()).min(60_000)));
            return sleep(left.into_iter().chain(most).min());
        };
        let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| until <= hands.now) {
            return;
        }
        let me = std::thread::current();
        if !hands.waiting.iter().any(|thread| thread.id() == me.id()) {
            hands.waiting.push(me);
        }
        drop(hands);
        sleep(most);
    }
}

/// Parks this thread, at most that long.
fn sleep(most: Option<Duration>) {
    match most {
        None => std::thread::park(),
        Some(Duration::ZERO) => {}
        Some(most) => std::thread::park_timeout(most),
    }
}

impl Base {
    fn now(&self) -> Millis {
        let since = self.opened.elapsed().as_millis() as Millis;
        let steady = self.offset.load(Ordering::Relaxed) + since;
        if since < self.looked.load(Ordering::Relaxed) + LOOK {
            return steady;
        }
        self.looked.store(since, Ordering::Relaxed);
        let wall = wall();
        if steady.abs_diff(wall) <= PART {
            return steady;
        }
        self.offset.store(wall.saturating_sub(since), Ordering::Relaxed);
        wall.max(since)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::System(_) => f.write_str("Clock::system()"),
            #[cfg(feature = "client")]
            Kind::Told(_) => write!(f, "Clock::told({})", self.now()),
            Kind::Test(_) => write!(f, "Clock::test({})", self.now()),
        }
    }
}
