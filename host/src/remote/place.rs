//! The blocking side: what a [`Store`](crate::Store) asks of a service. Futures are driven by the thread that asks, which
//! sleeps meanwhile; one thread of the store reads and writes the sockets.

use std::{fmt, sync::Arc};

use tenure_core::{Claim, Code, Committed, Error, Millis, Result, engine::Event};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

use super::{
    Events,
    call::{closed, either},
    client::Client,
    drive::{Left, drive},
    post::Stop,
};
use crate::{
    Options,
    clock::Clock,
    store::{Cancel, Renewals},
};

/// A service, as a store asks it.
pub(crate) struct Remote {
    client: Client,
    runtime: Option<Runtime>,
    renewals: Arc<Renewals>,
    /// What ends every wait once the handle is closed.
    ending: Cancel,
    fork: u64,
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

    pub(super) fn runtime(&self) -> Result<&Runtime> {
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
        let mut claim = self.client.signed(claim)?;
        match drive(runtime, self.client.claim_signed(&mut claim, until), &self.ending, cancel) {
            Ok(got) => got,
            Err(Left::Closed) => Err(closed()),
            Err(left) => {
                let _ = drive(runtime, self.client.settle(claim), &self.ending, None);
                Err(left.error(false))
            }
        }
    }

    /// Follows the store; every event, and the failure that ends it, is given to `take`, which says whether it goes on.
    pub fn follow(&self, mut take: impl FnMut(Result<Event>) -> bool + Send + 'static) -> Result<Stop> {
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

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("client", &self.client).finish_non_exhaustive()
    }
}
