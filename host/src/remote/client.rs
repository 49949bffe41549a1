//! The async client: the same calls as [`Store`](crate::Store) has, as futures.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::header::HeaderValue;
use serde_json::Value;
use tenure_core::{
    Code, Committed, Error, Guard, Millis, OwnerId, Request, Result, Revision, StoreId, id::MAX_ID, json,
};
use tokio::sync::watch;

use super::{
    call::{Call, actor_header},
    dial::Dial,
    options::Remoteness,
    url::Url,
};
use crate::{
    Options,
    clock::Clock,
    store::{default_actor, millis, random, random_id},
};

/// A store that is served. Clones share it. Its futures run on tokio; dropping one ends the call: an update that was sent
/// may be committed all the same, and what a claim got is given back.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(super) struct Inner {
    pub url: Url,
    pub dial: Dial,
    pub token: Option<HeaderValue>,
    pub options: Remoteness,
    owner: OwnerId,
    actor: String,
    pub actor_header: HeaderValue,
    pub clock: Clock,
    /// What the service said of itself at the first call.
    pub known: OnceLock<Known>,
    /// The latest revision that an answer told of.
    seen: AtomicU64,
    pub closed: watch::Sender<bool>,
}

/// What a service says of itself.
pub(super) struct Known {
    store: StoreId,
    pub header: HeaderValue,
    revision: Revision,
    /// The longest that one claim may wait there.
    longest_wait: Duration,
}

impl Client {
    /// Connects to a store that is served at a URL, as `http://127.0.0.1:8048`.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self> {
        Self::connect_with(url.as_ref(), &Options::new()).await
    }

    /// The same, with a token and other options.
    pub async fn connect_with(url: &str, options: &Options) -> Result<Self> {
        let client = Self::new(url, options)?;
        let known = client.call(&Call::get("/v1/store"), read_known).await?;
        client.saw(known.revision);
        let _ = client.0.known.set(known);
        Ok(client)
    }

    fn new(url: &str, options: &Options) -> Result<Self> {
        let url = Url::read(url)?;
        let dial = Dial::new(&options.remote, url.secure)?;
        let owner = options.owner.map_or_else(|| random_id().map(OwnerId), Ok)?;
        if owner.0 == 0 || owner.0 > MAX_ID {
            return Err(Error::new(Code::Invalid, format!("owner {owner}: an owner's number runs from 1 to 2^53 - 1")));
        }
        let token = options.remote.token.as_ref().map(|token| {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let token = token.transpose().map_err(|_| {
            Error::new(
                Code::Invalid,
                "the token has signs that a header can't hold: give it as it stands in the service's file",
            )
        })?;
        let actor = options.actor.clone().unwrap_or_else(default_actor);
        let actor_header = actor_header(&actor)?;
        Ok(Self(Arc::new(Inner {
            url,
            dial,
            token,
            options: options.remote.clone(),
            owner,
            actor,
            actor_header,
            clock: options.clock.as_remote(),
            known: OnceLock::new(),
            seen: AtomicU64::new(0),
            closed: watch::Sender::new(false),
        })))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.0.url.as_str()
    }

    /// The store's identity: random, drawn when it was created. Once another store is served at this URL, every call
    /// answers `Fenced`.
    pub fn identity(&self) -> StoreId {
        self.0.known.get().map_or(StoreId::default(), |known| known.store)
    }

    /// The owner of requests that name none.
    pub fn owner(&self) -> OwnerId {
        self.0.owner
    }

    /// The label of who does it.
    pub fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The time by the service's clock, as it was told last, in milliseconds since the Epoch.
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn longest_wait(&self) -> Millis {
        self.0.known.get().map_or(60_000, |known| millis(known.longest_wait))
    }

    /// Ends the client: later calls, and repeats of those under way, answer `Closed`.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
    }

    /// Commits a transaction: all of it, or nothing. Where the answer does not come it is asked for again, under the
    /// request's id or under one that is drawn for it.
    ///
    /// # Errors
    /// As [`Store::update`](crate::Store::update), and `Unknown` where no answer came in time.
    pub async fn update(&self, mut request: Request) -> Result<Committed> {
        if request.changes_nothing() {
            // It may be judged as often as it takes; with a request id it would be kept, as an entry of its own.
            request.owner = if request.owner.0 == 0 { self.0.owner } else { request.owner };
        } else {
            self.sign(&mut request.owner, &mut request.request_id)?;
        }
        let (actor, after) = (request.actor.clone(), Some(self.seen()));
        let post = Call { after, actor, ..Call::post("/v1/update", json::text(&request)) };
        self.call(&post, json::read_committed).await.inspect(|committed| self.saw(committed.revision))
    }

    /// A revision that the store has reached.
    fn seen(&self) -> Revision {
        Revision(self.0.seen.load(Ordering::Relaxed))
    }

    pub(super) fn saw(&self, revision: Revision) {
        self.0.seen.fetch_max(revision.0, Ordering::Relaxed);
    }

    /// In whose name, and under which id it is made again.
    pub(super) fn sign(&self, owner: &mut OwnerId, request_id: &mut Option<String>) -> Result<()> {
        if owner.0 == 0 {
            *owner = self.0.owner;
        }
        if request_id.is_none() {
            *request_id = Some(draw()?);
        }
        Ok(())
    }

    /// As [`Store::check`](crate::Store::check).
    pub async fn check(&self, guards: &[Guard]) -> Result<Committed> {
        let request = Request { guards: guards.to_vec(), ..Request::default() };
        let post = Call { writes: false, ..Call::post("/v1/check", json::text(&request)) };
        self.call(&post, json::read_committed).await
    }
}

/// A request id that nobody else uses.
pub(super) fn draw() -> Result<String> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}

pub(super) fn object(bytes: &[u8]) -> Result<Value> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(Error::new(Code::Invalid, "no JSON object")) }
}

pub(super) fn missing(name: &str) -> Error {
    Error::new(Code::Invalid, format!("the answer has no {name}"))
}

pub(super) fn read_revision(bytes: &[u8]) -> Result<Revision> {
    object(bytes)?["revision"].as_u64().map(Revision).ok_or_else(|| missing("revision"))
}

fn read_known(bytes: &[u8]) -> Result<Known> {
    let value = object(bytes)?;
    let store = value["store"].as_str().and_then(StoreId::from_text).ok_or_else(|| missing("store"))?;
    let longest_wait = value["longest_wait"].as_u64().ok_or_else(|| missing("longest_wait"))?;
    let header = HeaderValue::try_from(store.to_string()).map_err(|_| missing("store"))?;
    let revision = Revision(value["revision"].as_u64().ok_or_else(|| missing("revision"))?);
    Ok(Known { store, header, revision, longest_wait: Duration::from_millis(longest_wait) })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url()).field("owner", &self.owner()).finish_non_exhaustive()
    }
}
