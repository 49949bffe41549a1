//! What all requests share, and how they reach the store: writes are posted to it and hold no thread, reads run on a
//! thread that may wait.

use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use hyper::{HeaderMap, StatusCode};
use prometheus_client::metrics::gauge::Gauge;
use tenure::{Claim, Code, Committed, Error, Millis, Posted, Request, Result, Store};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{
    access::{Owners, Who},
    coming::{Room, UNIT},
    config::Config,
    conn::{Conn, Conns, Word},
    hub::Hub,
    log::Log,
    metrics::Metrics,
    orphans::{Claimed, Orphans},
    problem::Problem,
    site::Site,
    tokens::{Tokens, own_number},
};

/// What all requests share.
pub struct App {
    pub store: Store,
    pub config: Config,
    pub site: Site,
    pub conns: Conns,
    pub owners: Owners,
    pub orphans: Arc<Orphans>,
    pub hub: Hub,
    pub log: Log,
    pub metrics: Arc<Metrics>,
    tokens: RwLock<Option<Arc<Tokens>>>,
    anyone: Arc<Who>,
    pub bodies: Arc<Semaphore>,
    /// Becomes true when the service is to end.
    pub stopping: watch::Receiver<bool>,
    pub started: Instant,
}

/// How long a claim waits, in milliseconds, before its connection gives up its buffers.
const SOON: Millis = 20;

fn stopped() -> Error {
    Error::new(Code::Closed, "the service is stopping: try again once it runs")
}

impl App {
    pub fn new(store: Store, config: Config, stopping: watch::Receiver<bool>) -> Result<Self> {
        let app = Self {
            owners: Owners::default(),
            orphans: Arc::new(Orphans::new(store.clone())),
            hub: Hub::default(),
            log: Log::new(config.log),
            metrics: Arc::new(Metrics::new(&store)?),
            tokens: RwLock::default(),
            anyone: Arc::new(Who { owner: own_number(""), ..Who::default() }),
            site: Site::new(&config),
            conns: Conns::default(),
            // One that takes all there is waits for the others, and not for ever.
            bodies: Arc::new(Semaphore::new(config.all_body_bytes.max(config.body_bytes).div_ceil(UNIT))),
            started: Instant::now(),
            store,
            config,
            stopping,
        };
        app.read_tokens()?;
        Ok(app)
    }

    /// Reads the file of tokens, where there is one; what is wrong with it leaves those that were read before.
    pub fn read_tokens(&self) -> Result<()> {
        let Some(path) = &self.config.tokens else { return Ok(()) };
        let tokens = Tokens::read(path)?;
        for who in tokens.all() {
            if let Some(name) = &who.name {
                self.owners.keep(who.owner, name);
            }
        }
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(tokens));
        Ok(())
    }

    /// Who sends these headers.
    pub fn who(&self, headers: &HeaderMap, open: bool) -> Result<Arc<Who>, Problem> {
        if open || self.config.tokens.is_none() {
            return Ok(self.anyone.clone());
        }
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        tokens.find(headers)
    }

    /// Commits a transaction: it is on its way before this is waited for, which holds nothing of it.
    pub fn update(&self, request: Request, room: Room) -> impl Future<Output = Result<Committed>> + use<> {
        let (tell, told) = oneshot::channel();
        self.store.post(request, move |answer| {
            drop(room);
            // Whoever asked may be gone; what was committed stays.
            let _ = tell.send(answer);
        });
        async { told.await.unwrap_or_else(|_| Err(stopped())) }
    }

    /// Claims tasks, waiting for them at most `wait` milliseconds, or until the service stops. Where this is dropped
    /// before it answers, nothing stays held; nor where `conn` ends before the answer is on its way.
    pub fn claim<'a>(
        &'a self,
        conn: &'a Conn,
        claim: Claim,
        wait: Millis,
        room: Room,
    ) -> impl Future<Output = Result<Committed>> + use<'a> {
        let wait = wait.min(Millis::try_from(self.config.wait.as_millis()).unwrap_or(Millis::MAX));
        // Who does not wait does not need the time.
        let until = if wait > 0 { self.store.now().saturating_add(wait) } else { 0 };
        let (tell, told) = oneshot::channel();
        let ask = self.orphans.ask(&claim);
        let posted = self.store.post_claim(claim, Some(until), move |answer| {
            drop(room);
            let claimed = answer.as_ref().ok().and_then(|committed| ask.found(committed));
            // Where nobody listens, what was claimed is given back as it is dropped.
            let _ = tell.send((answer, claimed));
        });
        async move {
            let (answer, claimed) = if wait == 0 {
                told.await.unwrap_or_else(|_| (Err(stopped()), None))
            } else {
                self.metrics.waiting.inc();
                self.wait(conn, Waiting { posted, told, counted: &self.metrics.waiting }, wait).await
            };
            if let Some(claimed) = claimed {
                conn.owe(claimed);
            }
            answer
        }
    }

    async fn wait(&self, conn: &Conn, mut waiting: Waiting<'_>, wait: Millis) -> Found {
        let mut stopping = self.stopping.clone();
        let long = async {
            if wait > SOON {
                tokio::time::sleep(Duration::from_millis(SOON)).await;
                conn.tell(Word::Waits);
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            answer = &mut waiting.told => return answer.unwrap_or_else(|_| (Err(stopped()), None)),
            _ = stopping.wait_for(|stopping| *stopping) => {}
            never = long => match never {},
        }
        waiting.posted.cancel();
        match (&mut waiting.told).await {
            // To the one who waits it is as if the time were up.
            Ok((Err(error), _)) if error.code() == Code::Cancelled => {
                let revision = self.store.weak().revision();
                (revision.map(|revision| Committed { revision, ..Committed::default() }), None)
            }
            answer => answer.unwrap_or_else(|_| (Err(stopped()), None)),
        }
    }

    /// Reads, on a thread that may wait for the journal.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || read(&store)).await {
            Ok(read) => read.map_err(Problem::from),
            Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a read was broken off")),
        }
    }
}

/// The answer to a claim, and what its caller is owed by it.
type Found = (Result<Committed>, Option<Claimed>);

/// A claim whose caller still listens.
struct Waiting<'a> {
    posted: Posted,
    told: oneshot::Receiver<Found>,
    counted: &'a Gauge,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counted.dec();
        if !self.told.is_terminated() {
            // Dropped with the channel, what comes all the same is given back.
            self.posted.cancel();
        }
    }
}
