//! The service as a whole: its sockets, its threads, its end.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, mpsc},
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use tenure::{Code, Error, Request, Result, Store};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    app::App,
    config::Config,
    conn::{Conn, Word},
    serve::serve,
    stream::Noted,
    tls, turn,
};

/// How often it is looked whether a client takes too long.
const SWEEP: Duration = Duration::from_secs(1);

/// How long accepting pauses after it failed, as when there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// A service that runs.
pub struct Server {
    pub(crate) app: Arc<App>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts to serve a store.
    ///
    /// # Errors
    /// `Invalid` where the configuration can't be right or is not safe; `Unavailable` where an address can't be had.
    pub fn start(store: Store, config: Config) -> Result<Self> {
        config.check()?;
        raise_limit();
        let acceptor = config.tls.as_ref().map(|(chain, key)| tls::acceptor(chain, key)).transpose()?;
        let unavailable =
            |what: String| move |error: io::Error| Error::new(Code::Unavailable, format!("{what}: {error}"));
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.threads.max(1))
            .thread_name("tenure-serve")
            .enable_all()
            .build()
            .map_err(unavailable("no threads to serve with".into()))?;
        let mut listeners = Vec::new();
        let mut config = config;
        for address in &mut config.listen {
            let listener = runtime
                .block_on(TcpListener::bind(*address))
                .map_err(unavailable(format!("can't listen on {address}")))?;
            *address = listener.local_addr().map_err(unavailable(format!("can't listen on {address}")))?;
            listeners.push(listener);
        }
        let addresses = config.listen.clone();
        let (stop, stopping) = watch::channel(false);
        turn::begin(&store, runtime.handle());
        let app = Arc::new(App::new(store, config, stopping)?);
        for listener in listeners {
            runtime.spawn(accept(app.clone(), listener, acceptor.clone()));
        }
        runtime.spawn(sweep(app.clone()));
        #[cfg(unix)]
        runtime.spawn(reload(app.clone()));
        Ok(Self { app, addresses, stop, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Ends it: nothing new is taken on, waiting claims are answered, what is under way is finished, within the time of
    /// [`Config::stop_within`]. The store stays open.
    pub fn stop(mut self) {
        self.end();
    }

    /// Runs until the process is told to end, by SIGTERM or Ctrl-C, and stops then.
    pub fn run(self) -> Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let told = runtime.block_on(told_to_end());
        told.map_err(|error| Error::new(Code::Unavailable, format!("signals can't be waited for: {error}")))?;
        self.stop();
        Ok(())
    }

    fn end(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        self.stop.send_replace(true);
        self.app.conns.stop();
        let until = Instant::now() + self.app.config.stop_within;
        while self.app.conns.count() > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        // Nobody is left whose turn it could be.
        self.app.store.post_in_rounds(None);
        self.app.orphans.release(true);
        runtime.shutdown_timeout(until.saturating_duration_since(Instant::now()).max(PAUSE));
        self.wait_for_the_last();
    }

    /// Waits until what was given back as the connections ended is committed: an answer to whoever comes behind it.
    fn wait_for_the_last(&self) {
        let (tell, told) = mpsc::channel();
        self.app.store.post(Request::default(), move |_| {
            let _ = tell.send(());
        });
        let _ = told.recv_timeout(PAUSE);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Lets this process have as many descriptors as it may.
fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // Where it does not work, fewer connections fit.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

/// Reads the tokens anew on SIGHUP.
#[cfg(unix)]
async fn reload(app: Arc<App>) {
    use tokio::signal::unix::{SignalKind, signal};
    if app.config.tokens.is_none() {
        return;
    }
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
    while hang_up.recv().await.is_some() {
        match app.read_tokens() {
            Ok(()) => app.log.event("tokens read anew", &[]),
            Err(error) => {
                app.log.event("tokens could not be read; the former ones stay", &[("error", error.message())]);
            }
        }
    }
}

#[cfg(unix)]
async fn told_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn told_to_end() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

async fn accept(app: Arc<App>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let mut stopping = app.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let conn = Arc::new(Conn::new());
        if !app.conns.enter(&conn, app.config.connections) {
            // All of them are at work: this one is closed at once.
            continue;
        }
        tokio::spawn(connection(app.clone(), conn, stream, tls.clone()));
    }
}

async fn connection(app: Arc<App>, conn: Arc<Conn>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    // Small answers should not wait for the next ones.
    let _ = stream.set_nodelay(true);
    let stream = Noted::new(stream, conn.clone());
    let mut served = pin!(async {
        match tls {
            None => serve(&app, &conn, stream).await,
            Some(tls) => {
                // Apart, so that a plain connection has no room set aside for it.
                let encrypted = Box::pin(async {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(&app, &conn, stream).await;
                    }
                });
                encrypted.await;
            }
        }
    });
    poll_fn(|cx| if conn.hears(Word::End, cx) { Poll::Ready(()) } else { served.as_mut().poll(cx) }).await;
    // What was claimed and not answered is given back.
    drop(conn.take_owed());
    app.conns.leave(&conn);
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        app.conns.sweep(&app.config.patience);
        app.orphans.release(false);
    }
}
