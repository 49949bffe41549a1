//! The blocking side: what a [`Store`](crate::Store) asks of a service. Futures are driven by the thread that asks, which
//! sleeps meanwhile; one thread of the store reads and writes the sockets.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tenure_core::{Claim, Code, Committed, Error, Millis, Outcome, Request, Result};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

use super::{
    Events,
    call::{closed, either},
    client::Client,
};
use crate::{
    Options,
    clock::Clock,
    interrupt,
    store::{Cancel, Renewals, Work, cancelled},
};

/// How often a sleeping thread asks whether the host wants it back.
const LOOK: Duration = Duration::from_millis(50);

/// A service, as a store asks it.
pub(crate) struct Remote {
    client: Client,
    runtime: Option<Runtime>,
    renewals: Arc<Renewals>,
    /// What ends every wait once the handle is closed.
    ending: Cancel,
    fork: u64,
}

/// Wakes a thread that drives a future.
struct Driven {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Driven {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Why a thread no longer drives a future.
enum Left {
    Cancelled,
    Closed,
    Interrupted,
}

impl Remote {
    pub fn connect(url: &str, options: &Options) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tenure-client")
            .enable_all()
            .build()
            .map_err(|error| Error::new(Code::Unavailable, format!("no thread for the client: {error}")))?;
        // Until it is connected there is a client without a store.
        let connecting = Client::connect_with(url, options);
        let ending = Cancel::new();
        let connected = drive(&runtime, connecting, &ending, None);
        let client = match connected {
            Ok(client) => client,
            Err(left) => {
                runtime.shutdown_background();
                return Err(left.error(false));
            }
        };
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        Ok(Self { client, runtime: Some(runtime), renewals: Arc::default(), ending, fork: crate::fork::generation() })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn clock(&self) -> &Clock {
        self.client.clock()
    }

    pub fn renewals(&self) -> &Arc<Renewals> {
        &self.renewals
    }

    pub fn here(&self) -> Result<()> {
        if self.fork == crate::fork::generation() {
            return Ok(());
        }
        Err(Error::new(
            Code::Forked,
            "this handle was inherited by a forked process, where its threads do not exist: connect anew there",
        ))
    }

    pub fn may_go_on(&self) -> Result<()> {
        self.here()?;
        self.client.may_go_on()
    }

    /// Ends the handle: waits end, renewals end, later calls answer `Closed`.
    pub fn close(&self) {
        self.client.close();
        self.renewals.close();
        self.ending.cancel();
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.may_go_on()?;
        self.runtime.as_ref().ok_or_else(closed)
    }

    /// Waits for a call that changes something.
    pub fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        drive(self.runtime()?, call, &self.ending, None).unwrap_or_else(|left| Err(left.error(true)))
    }

    /// Waits for a call that only looks.
    pub fn read<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.read_unless(call, None)
    }

    /// The same, unless it is cancelled.
    pub fn read_unless<T>(&self, call: impl Future<Output = Result<T>>, cancel: Option<&Cancel>) -> Result<T> {
        drive(self.runtime()?, call, &self.ending, cancel).unwrap_or_else(|left| Err(left.error(false)))
    }

    /// Waits for a claim. One that is cancelled holds nothing.
    pub fn claim_until(&self, claim: &Claim, until: Option<Millis>, cancel: Option<&Cancel>) -> Result<Committed> {
        let runtime = self.runtime()?;
        let mut claim = claim.clone();
        self.client.sign(&mut claim.owner, &mut claim.request_id)?;
        let waiting = self.client.claim_asked(claim.clone(), until);
        match drive(runtime, waiting, &self.ending, cancel) {
            Ok(got) => got,
            Err(Left::Closed) => Err(closed()),
            Err(left) => {
                let _ = drive(runtime, self.client.settle(claim), &self.ending, None);
                Err(left.error(false))
            }
        }
    }

    /// Makes a call without a thread that waits.
    pub fn post(&self, request: Request, answer: impl FnOnce(Result<Committed>) + Send + 'static) {
        match self.runtime() {
            Err(error) => answer(Err(error)),
            Ok(runtime) => {
                let (client, letter) = (self.client.clone(), Letter(Some(answer)));
                runtime.spawn(async move { letter.answer(client.update(request).await) });
            }
        }
    }

    /// The same for a claim that waits.
    pub fn post_claim(
        &self,
        claim: Claim,
        until: Option<Millis>,
        answer: impl FnOnce(Result<Committed>) + Send + 'static,
    ) -> Stop {
        let stop = Stop(Arc::new(Notify::new()));
        match self.runtime() {
            Err(error) => answer(Err(error)),
            Ok(runtime) => {
                let (client, asked, letter) = (self.client.clone(), stop.0.clone(), Letter(Some(answer)));
                runtime.spawn(async move {
                    let got = either(client.claim_until(&claim, until), asked.notified()).await;
                    // Dropped before it was done, it gives back what it got.
                    letter.answer(got.unwrap_or_else(|| Err(cancelled())));
                });
            }
        }
        stop
    }

    /// Makes calls one after the other, while the caller goes on.
    pub fn begin(&self, work: Vec<Work>) -> Pending {
        let (tell, told) = mpsc::channel();
        let count = work.len();
        match self.runtime() {
            Err(error) => work.iter().for_each(|_| {
                let _ = tell.send(Err(error.clone()));
            }),
            Ok(runtime) => {
                let client = self.client.clone();
                runtime.spawn(async move {
                    for work in work {
                        let answer = match work {
                            Work::Update(request) => client.update(request).await,
                            Work::Claim(claim) => client.claim_now(claim).await,
                        };
                        if tell.send(answer).is_err() {
                            return;
                        }
                    }
                });
            }
        }
        Pending { told, count }
    }

    /// Follows the store; every event, and the failure that ends it, is given to `take`, which says whether it goes on.
    pub fn follow(
        &self,
        mut take: impl FnMut(Result<tenure_core::engine::Event>) -> bool + Send + 'static,
    ) -> Result<Stop> {
        let mut events: Events = self.read(self.client.watch())?;
        let stop = Stop(Arc::new(Notify::new()));
        let asked = stop.0.clone();
        self.runtime()?.spawn(async move {
            let follow = async move {
                loop {
                    let event = events.next().await;
                    let goes_on = event.as_ref().err().is_none_or(|error| error.code() == Code::Truncated);
                    if !take(event) || !goes_on {
                        return;
                    }
                }
            };
            either(follow, asked.notified()).await;
        });
        Ok(stop)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.close();
        if let Some(runtime) = self.runtime.take() {
            if self.here().is_ok() {
                runtime.shutdown_background();
            } else {
                // Its threads are not there to be ended.
                std::mem::forget(runtime);
            }
        }
    }
}

/// A request without a thread that waits. Where it is let go of unanswered, the handle was closed.
struct Letter<F: FnOnce(Result<Committed>)>(Option<F>);

impl<F: FnOnce(Result<Committed>)> Letter<F> {
    fn answer(mut self, answer: Result<Committed>) {
        if let Some(call) = self.0.take() {
            call(answer);
        }
    }
}

impl<F: FnOnce(Result<Committed>)> Drop for Letter<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call(Err(closed()));
        }
    }
}

/// Ends what runs without a thread that waits.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Notify>);

impl Stop {
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Answers that come one after the other.
pub(crate) struct Pending {
    told: mpsc::Receiver<Result<Committed>>,
    count: usize,
}

impl Pending {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn wait(self) -> Vec<Result<Committed>> {
        (0..self.count).map(|_| self.told.recv().unwrap_or_else(|_| Err(closed()))).collect()
    }
}

impl Left {
    fn error(&self, writes: bool) -> Error {
        let error = match self {
            Self::Closed => closed(),
            Self::Cancelled | Self::Interrupted => cancelled(),
        };
        if writes { error.with_outcome(Outcome::Unknown) } else { error }
    }
}

/// Drives a future on this thread until it is done, or somebody wants the thread back. What is left is dropped within the
/// runtime, so that it can still send.
fn drive<F: Future>(
    runtime: &Runtime,
    future: F,
    ending: &Cancel,
    cancel: Option<&Cancel>,
) -> std::result::Result<F::Output, Left> {
    let _inside = runtime.enter();
    let driven = Arc::new(Driven { thread: thread::current(), woken: AtomicBool::new(true) });
    let waker = Waker::from(driven.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let every = cancel.and_then(Cancel::every).into_iter().chain(interrupt::is_checked().then_some(LOOK)).min();
    let mut look = interrupt::Look::begin(Instant::now());
    let _ending = ending.joined();
    let _cancel = cancel.map(Cancel::joined);
    loop {
        if driven.woken.swap(false, Ordering::AcqRel)
            && let Poll::Ready(value) = future.as_mut().poll(&mut context)
        {
            return Ok(value);
        }
        if ending.is_cancelled() {
            return Err(Left::Closed);
        }
        if cancel.is_some_and(Cancel::look) {
            return Err(Left::Cancelled);
        }
        if look.again(Instant::now()) {
            return Err(Left::Interrupted);
        }
        if driven.woken.load(Ordering::Acquire) {
            continue;
        }
        match every {
            None => thread::park(),
            Some(every) => thread::park_timeout(every),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("client", &self.client).finish_non_exhaustive()
    }
}
