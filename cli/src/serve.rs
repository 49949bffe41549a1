//! The service.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde_json::json;
use tenure::{Durability, Result};
use tenure_server::{Config, Level, Server};

use crate::{
    args::At,
    open::{Setting, folder, invalid},
    output::Output,
    quantity::{duration, size},
};

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    at: At,
    /// Where to listen; may be given more than once.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8048")]
    listen: Vec<String>,
    /// Another name under which it is reached; requests for names that it does not know are refused.
    #[arg(long, value_name = "HOST")]
    name: Vec<String>,
    /// A site whose pages may call, as `https://board.example`.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// The certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The file of tokens; read again on SIGHUP.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen beyond this machine without tokens.
    #[arg(long)]
    insecure: bool,
    /// Only look: whatever would change the store is refused.
    #[arg(long)]
    read_only: bool,
    /// Answer before a change is on stable storage; it is there within 50 ms.
    #[arg(long)]
    opportunistic: bool,
    /// The largest body of a request.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "96MiB")]
    max_body: u64,
    /// Open connections.
    #[arg(long, value_name = "NUMBER", default_value_t = 16_384)]
    max_connections: usize,
    /// How long a claim may wait.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    max_wait: Duration,
    /// What is logged, as JSON lines on stderr.
    #[arg(long, value_enum, default_value_t = Log::Events)]
    log: Log,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// Start, stop, and what needs attention.
    Events,
    /// Refused requests too.
    Refusals,
    /// Every request.
    Requests,
}

fn addresses(listen: &[String]) -> Result<Vec<SocketAddr>> {
    let mut found = Vec::new();
    for text in listen {
        let resolved = text.to_socket_addrs().map_err(|error| invalid(format!("--listen {text}: {error}")))?;
        found.extend(resolved);
    }
    found.dedup();
    Ok(found)
}

pub fn serve(setting: &Setting, out: &mut Output, args: &Serve) -> Result<()> {
    let mut listen = addresses(&args.listen)?;
    let Some(first) = listen.first().copied() else { return Err(invalid("--listen names no address")) };
    let mut config = Config::new(first);
    config.listen = std::mem::take(&mut listen);
    config.names.clone_from(&args.name);
    config.names.extend(args.listen.iter().filter_map(|text| text.rsplit_once(':')).map(|(host, _)| host.to_owned()));
    config.origins.clone_from(&args.allow_origin);
    config.tls = args.tls_cert.clone().zip(args.tls_key.clone());
    config.tokens.clone_from(&args.tokens);
    config.insecure = args.insecure;
    config.body_bytes = usize::try_from(args.max_body).unwrap_or(usize::MAX);
    config.connections = args.max_connections;
    config.wait = args.max_wait;
    config.log = match args.log {
        Log::Events => Level::Events,
        Log::Refusals => Level::Refusals,
        Log::Requests => Level::Requests,
    };
    // Before a store is made for nothing.
    let folder = folder("serve", &args.at.store)?;
    config.check()?;
    let mut options = setting.options(None);
    if args.read_only {
        options = options.read_only(true).create(false);
    }
    if args.opportunistic {
        options = options.durability(Durability::Opportunistic);
    }
    small_pages();
    let store = options.open(folder)?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let server = Server::start(store.clone(), config)?;
    let urls: Vec<String> = server.addresses().iter().map(|address| format!("{scheme}://{address}")).collect();
    out.report(&json!({"urls": urls}), || format!("serving {} at {}", args.at.store.display(), urls.join(", ")))?;
    server.run()?;
    store.close()
}

/// Keeps the kernel from putting huge pages where memory was given back: a service whose thousands of connections wait, with
/// few bytes each, would grow by a fifth while it does nothing.
fn small_pages() {
    #[cfg(target_os = "linux")]
    // Where it can't be said the service is larger, and no less right.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
