//! How a store that is served is reached.

use std::{fmt, time::Duration};

use tenure_core::Result;

use crate::{Options, Store};

/// What concerns a served store alone.
#[derive(Clone)]
pub(crate) struct Remoteness {
    pub token: Option<String>,
    pub authorities: Option<Vec<u8>>,
    pub retry_for: Duration,
    pub answer_within: Duration,
}

impl Default for Remoteness {
    fn default() -> Self {
        Self {
            token: None,
            authorities: None,
            retry_for: Duration::from_secs(30),
            answer_within: Duration::from_secs(20),
        }
    }
}

/// Nothing secret.
impl fmt::Debug for Remoteness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remoteness")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("retry_for", &self.retry_for)
            .field("answer_within", &self.answer_within)
            .finish_non_exhaustive()
    }
}

/// For a store that is served. What concerns files, locks and syncs means nothing there, and is passed over.
impl Options {
    /// The token that a served store is asked with.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.remote.token = Some(token.into());
        self
    }

    /// The certificates, PEM, by which a service is believed to be what it says; those of the system by default.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.remote.authorities = Some(pem.into());
        self
    }

    /// For how long a call is made again whose answer did not come, under the same request id; 30 s by default, counted
    /// from the first failure. With zero it is made once.
    #[must_use]
    pub fn retry_for(mut self, span: Duration) -> Self {
        self.remote.retry_for = span;
        self
    }

    /// How long a served store may take to answer, beyond what the call itself waits for; 20 s by default.
    #[must_use]
    pub fn answer_within(mut self, span: Duration) -> Self {
        self.remote.answer_within = span;
        self
    }

    /// Connects to a store that is served at a URL, as `http://127.0.0.1:8048`, or `https://…` with the feature `tls`. See
    /// [`connect`](crate::connect).
    pub fn connect(&self, url: impl AsRef<str>) -> Result<Store> {
        Store::connect_with(url.as_ref(), self)
    }
}
