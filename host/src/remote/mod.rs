//! A store that another program serves, over HTTP: `tenure serve` is at the other end.
//!
//! ```text
//!   options   token, certificates, patience     url      where it is
//!   dial      connections, TCP and TLS          call     one call and its repeats
//!   problem   what went wrong, as an error      client   the async client: commits
//!   claim     its claims                        verb     its verbs
//!   read      its reads                         events   what happens, as it comes
//!   stats     numbers                           copy     backups
//!   place     the blocking side, of `Store`     drive    futures on the thread that asks
//!   post      calls that hold no thread
//! ```
//!
//! [`connect`] gives a [`Store`], which does the same as an embedded one; [`Client`] has the
//! same calls as futures. A call whose answer does not come is made again under the same request id, so that it is
//! committed once; see [`Options::retry_for`](crate::Options::retry_for).

mod call;
mod claim;
mod client;
mod copy;
mod dial;
mod drive;
mod events;
mod options;
mod place;
mod post;
mod problem;
mod read;
mod stats;
mod url;
mod verb;

pub use client::Client;
pub use events::Events;
pub(crate) use options::Remoteness;
pub(crate) use place::Remote;
pub(crate) use post::{Pending, Stop};

use crate::{Options, Result, Store};

/// Connects to a store that is served at a URL, as `http://127.0.0.1:8048`. [`Options::connect`] takes a token and more.
///
/// # Errors
/// `Invalid` where that is no URL, or the service refuses; `Unavailable` where nobody answers in time.
pub fn connect(url: impl AsRef<str>) -> Result<Store> {
    Options::new().connect(url)
}
