//! How the service runs. The defaults are those of a service that only this machine can reach.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tenure::{Code, Error, Result};

use crate::{conn::Patience, tls, tokens::Tokens};

/// How the service runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// Names, beside those that follow from `listen`, that a request may be addressed to.
    pub names: Vec<String>,
    /// Other sites whose pages may call.
    pub origins: Vec<String>,
    /// Certificate chain and private key, both PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The file of tokens.
    pub tokens: Option<PathBuf>,
    /// Whether to listen beyond this machine without tokens.
    pub insecure: bool,
    /// Bytes of one request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read or worked on.
    pub all_body_bytes: usize,
    /// Open connections.
    pub connections: usize,
    /// How long a claim may wait.
    pub wait: Duration,
    /// How long a client may take for what it has to do.
    pub patience: Patience,
    /// How long a stop waits for what is under way.
    pub stop_within: Duration,
    /// Threads that read and write sockets.
    pub threads: usize,
    /// What is logged.
    pub log: Level,
}

/// What is logged, each with all that stand above it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Start, stop, and what needs somebody's attention.
    #[default]
    Events,
    /// Requests that were refused.
    Refusals,
    /// Every request.
    Requests,
}

impl Config {
    /// Refuses what can't work, and to be open to everybody by oversight.
    ///
    /// # Errors
    /// `Invalid`, with what to say instead.
    pub fn check(&self) -> Result<()> {
        if let Some((chain, key)) = &self.tls {
            tls::acceptor(chain, key)?;
        }
        if let Some(tokens) = &self.tokens {
            Tokens::read(tokens)?;
        }
        let open = self.listen.iter().find(|address| !address.ip().is_loopback());
        let Some(open) = open.filter(|_| self.tokens.is_none() && !self.insecure) else { return Ok(()) };
        let why = format!(
            "{open} can be reached from other machines, and everyone there could do everything: give --tokens, or say \
             --insecure"
        );
        Err(Error::new(Code::Invalid, why))
    }

    /// The defaults, listening there.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen: vec![listen],
            names: Vec::new(),
            origins: Vec::new(),
            tls: None,
            tokens: None,
            insecure: false,
            body_bytes: 96 << 20,
            all_body_bytes: 256 << 20,
            connections: 16_384,
            wait: Duration::from_mins(1),
            patience: Patience {
                idle: Duration::from_secs(75),
                head: Duration::from_secs(10),
                stall: Duration::from_secs(20),
            },
            stop_within: Duration::from_secs(10),
            // One core is left to the store's own thread: with as many threads as cores a request took a seventh more CPU.
            threads: std::thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).clamp(1, 4)),
            log: Level::Events,
        }
    }
}
