//! Calls that hold no thread while they are on their way.

use std::sync::{Arc, mpsc};

use tenure_core::{Claim, Committed, Millis, Request, Result};
use tokio::sync::Notify;

use super::{
    call::{closed, either},
    place::Remote,
};
use crate::store::{Work, cancelled};

impl Remote {
    /// Makes a call without a thread that waits.
    pub fn post(&self, request: Request, answer: impl FnOnce(Result<Committed>) + Send + 'static) {
        match self.runtime() {
            Err(error) => answer(Err(error)),
            Ok(runtime) => {
                let (client, letter) = (self.client().clone(), Letter(Some(answer)));
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
                let (client, asked, letter) = (self.client().clone(), stop.0.clone(), Letter(Some(answer)));
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
                let client = self.client().clone();
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
pub(crate) struct Stop(pub(super) Arc<Notify>);

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
