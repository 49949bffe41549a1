//! Claims from a service: asked again until something is there, and given back where the caller has gone.

use std::time::Duration;

use tenure_core::{Claim, Committed, Millis, Request, Result, When, json};
use tokio::runtime::Handle;

use super::{
    call::Call,
    client::{Client, draw},
};
use crate::store::release;

/// How long it is tried to give back what nobody waits for any more.
const SETTLE: Duration = Duration::from_secs(2);

/// A claim in somebody's name, under the request id that it is asked with.
#[derive(Clone)]
pub(super) struct Signed {
    claim: Claim,
    /// Whether the id was drawn here: then another one may take its place.
    drawn: bool,
}

impl Client {
    /// Claims tasks, and answers at once: an empty list where none is available.
    pub async fn claim_now(&self, claim: Claim) -> Result<Committed> {
        self.claim_until(&claim, Some(0)).await
    }

    /// Claims tasks; where none is available, waits for one until the clock shows `until` (`None`: for ever). The list is
    /// empty when the time is up. Where the future is dropped, what it got is given back.
    ///
    /// # Errors
    /// As [`update`](Client::update).
    pub async fn claim_until(&self, claim: &Claim, until: Option<Millis>) -> Result<Committed> {
        let mut waiting = Waiting { client: self, claim: self.signed(claim)?, left: true };
        let claimed = self.claim_signed(&mut waiting.claim, until).await;
        waiting.left = false;
        claimed
    }

    pub(super) fn signed(&self, claim: &Claim) -> Result<Signed> {
        let (mut claim, drawn) = (claim.clone(), claim.request_id.is_none());
        self.sign(&mut claim.owner, &mut claim.request_id)?;
        Ok(Signed { claim, drawn })
    }

    /// A signed claim, as often as the service has to be asked.
    pub(super) async fn claim_signed(&self, signed: &mut Signed, until: Option<Millis>) -> Result<Committed> {
        loop {
            let left = until.map_or(Millis::MAX, |until| until.saturating_sub(self.now()));
            let wait = left.min(self.longest_wait());
            let call = json::ClaimCall { claim: signed.claim.clone(), wait: Some(wait) };
            let (wait, actor) = (Duration::from_millis(wait), signed.claim.actor.clone());
            let post = Call { wait, actor, ..Call::post("/v1/claim", json::text(&call)) };
            let mut got = self.call(&post, json::read_committed).await?;
            self.saw(got.revision);
            if got.repeated && signed.drawn {
                // The answer came so late that the lease ran out and others claimed: it is as if nothing had been found.
                got.tasks.retain(|task| task.origin.0 != 0);
                if got.tasks.is_empty() {
                    signed.claim.request_id = Some(draw()?);
                    continue;
                }
            }
            // One that found nothing was not committed, and may be asked again under the same request id.
            // A service that stops answers early.
            if !got.tasks.is_empty() || got.repeated || until.is_some_and(|until| until <= self.now()) {
                return Ok(got);
            }
        }
    }

    /// Gives back what a claim got whose caller has gone.
    pub(super) async fn settle(&self, Signed { claim, .. }: Signed) {
        let (owner, actor) = (claim.owner, claim.actor.clone());
        let soon = |post: Call| Call { retry_for: Some(SETTLE), actor: actor.clone(), ..post };
        let call = json::ClaimCall { claim, wait: Some(0) };
        let post = soon(Call::post("/v1/claim", json::text(&call)));
        // Under the same request id it is answered with what the first one got. Where nobody answers, the service gives
        // it back by itself, or the lease runs out.
        let Ok(got) = self.call(&post, json::read_committed).await else { return };
        let known = got.tasks.iter().filter(|task| task.origin.0 != 0);
        let updates: Vec<_> = known.map(|task| release(task, When::Now)).collect();
        if !updates.is_empty() {
            let mut request = Request { owner, updates, ..Request::default() };
            if self.sign(&mut request.owner, &mut request.request_id).is_ok() {
                let post = soon(Call::post("/v1/update", json::text(&request)));
                let _ = self.call(&post, json::read_committed).await;
            }
        }
    }
}

/// A claim whose caller waits. Where he goes, what it got is given back.
struct Waiting<'a> {
    client: &'a Client,
    claim: Signed,
    left: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Without a runtime nothing can be sent any more: the service sees that the connection is gone.
        let (true, Ok(runtime)) = (self.left, Handle::try_current()) else { return };
        let (client, claim) = (self.client.clone(), self.claim.clone());
        runtime.spawn(async move { client.settle(claim).await });
    }
}
