//! One call and its repeats.
//!
//! A call that changes something carries a request id, so that it can be made again whenever its answer did not come:
//! the service gives a repeat the first outcome. What was refused is never tried again here.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::{Body as _, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use tenure_core::{Code, Error, Outcome, Result, Revision};
use tokio::time::{Instant, sleep, timeout};

use super::{
    client::Client,
    problem::{Failure, cause},
};
use crate::store::random;

/// The largest answer that is taken in.
const MOST: usize = 512 << 20;

/// How long it waits before it calls again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

pub(super) const STORE: HeaderName = HeaderName::from_static("tenure-store");
const NOW: HeaderName = HeaderName::from_static("tenure-now");
/// A revision that the store had before a call was first made.
const SENT_AFTER: HeaderName = HeaderName::from_static("tenure-sent-after");
const ACTOR: HeaderName = HeaderName::from_static("tenure-actor");

/// What is called.
pub(super) struct Call {
    pub method: Method,
    pub path: String,
    pub body: Bytes,
    /// How long the service itself may wait.
    pub wait: Duration,
    /// Whether it changes anything.
    pub writes: bool,
    /// For how long it is made again; the client's own span where nothing is said.
    pub retry_for: Option<Duration>,
    /// A revision that the store had before, where a repeat that comes too late is to be refused.
    pub after: Option<Revision>,
    /// The label of who does it, where it is not the client's own.
    pub actor: Option<Arc<str>>,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Self {
        let (path, body, wait) = (path.into(), Bytes::new(), Duration::ZERO);
        Self { method: Method::GET, path, body, wait, writes: false, retry_for: None, after: None, actor: None }
    }

    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: body.into(), writes: true, ..Self::get(path) }
    }
}

impl Client {
    /// Makes a call, again and again where its answer does not come, and reads the answer.
    pub(super) async fn call<T>(&self, call: &Call, read: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
        let retry_for = call.retry_for.unwrap_or(self.inner().options.retry_for);
        let (mut pause, mut until, mut maybe_done) = (PAUSE.0, None, false);
        loop {
            self.may_go_on()?;
            let limit = self.inner().options.answer_within.saturating_add(call.wait);
            let attempt = match either(timeout(limit, self.attempt(call, maybe_done)), self.closing()).await {
                None if call.writes => return Err(closed().with_outcome(Outcome::Unknown)),
                None => return Err(closed()),
                Some(Ok(answered)) => answered,
                Some(Err(_)) => Err(Failure::broken(self.url(), &format!("not within {} s", limit.as_secs_f32()))),
            };
            let failure = match attempt {
                Ok(bytes) => match read(&bytes) {
                    Ok(value) => return Ok(value),
                    Err(error) => Failure::foreign(self.url(), error.message()),
                },
                Err(failure) => failure,
            };
            maybe_done |= failure.maybe_done;
            let until = *until.get_or_insert_with(|| Instant::now() + retry_for);
            let rest = jitter(pause);
            if !failure.again || Instant::now() + rest >= until {
                return Err(told(call, failure, maybe_done));
            }
            either(sleep(rest), self.closing()).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn attempt(&self, call: &Call, maybe_done: bool) -> std::result::Result<Bytes, Failure> {
        let after = call.after.filter(|_| maybe_done).map(|after| (SENT_AFTER, HeaderValue::from(after.0)));
        let (status, body) = self.send(call, after).await?;
        let too_much = || {
            let why = format!("the answer of {} has more than {} MiB: ask for less", self.url(), MOST >> 20);
            Failure { maybe_done: true, ..Failure::last(Error::new(Code::OverLimit, why)) }
        };
        if body.size_hint().lower() > MOST as u64 {
            return Err(too_much());
        }
        let body = Limited::new(body, MOST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return too_much();
            }
            Failure::broken(self.url(), &format!("it broke off ({error})"))
        })?;
        let bytes = body.to_bytes();
        if status.is_success() { Ok(bytes) } else { Err(Failure::told(self.url(), status, &bytes, self.now())) }
    }

    /// Sends a call, once, and answers with the head and what comes behind it.
    pub(super) async fn send(
        &self,
        call: &Call,
        more: Option<(HeaderName, HeaderValue)>,
    ) -> std::result::Result<(StatusCode, Incoming), Failure> {
        let inner = self.inner();
        let uri = inner.url.at(&call.path).map_err(Failure::last)?;
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        if matches!(call.method, Method::POST | Method::PUT) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(token) = &inner.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        if let Some(store) = inner.known.get() {
            headers.insert(STORE, store.header.clone());
        }
        let actor = call.actor.as_deref().map_or_else(|| Ok(inner.actor_header.clone()), actor_header);
        headers.insert(ACTOR, actor.map_err(Failure::last)?);
        headers.extend(more);
        let response = inner.dial.send(request).await.map_err(|error| {
            if error.is_connect() {
                Failure::unreached(self.url(), &error)
            } else {
                Failure::broken(self.url(), &cause(&error))
            }
        })?;
        if let Some(now) = response.headers().get(NOW).and_then(|now| now.to_str().ok()?.parse().ok()) {
            inner.clock.told(now);
        }
        Ok((response.status(), response.into_body()))
    }

    /// `Err` once the client is closed.
    pub(super) fn may_go_on(&self) -> Result<()> {
        if *self.inner().closed.borrow() { Err(closed()) } else { Ok(()) }
    }

    /// Waits until the client is closed.
    pub(super) async fn closing(&self) {
        // It lives as long as the client.
        let _ = self.inner().closed.subscribe().wait_for(|closed| *closed).await;
    }
}

#[cold]
pub(super) fn closed() -> Error {
    Error::new(Code::Closed, "the handle was closed: connect again")
}

/// A label as a header holds it: what is no visible ASCII becomes `_`.
pub(super) fn actor_header(actor: &str) -> Result<HeaderValue> {
    let spelled: String = actor.chars().map(|sign| if sign.is_ascii_graphic() { sign } else { '_' }).collect();
    HeaderValue::try_from(spelled).map_err(|error| Error::new(Code::Invalid, format!("the actor {actor:?}: {error}")))
}

/// The error of a call that is given up.
fn told(call: &Call, failure: Failure, maybe_done: bool) -> Error {
    let error = failure.error;
    // Of a look, as into a log, the same code says something else.
    if call.after.is_some() && maybe_done && error.code() == Code::Truncated {
        return Error::new(Code::Unknown, error.message());
    }
    // What was refused or rejected under the same request id was not done before either.
    if !call.writes || !maybe_done || error.outcome() == Outcome::Refused {
        return error;
    }
    if error.code() == Code::Unavailable {
        let why = format!("{}: it may have been committed; a repeat with the same request id tells", error.message());
        return Error::new(Code::Unknown, why);
    }
    error.with_outcome(Outcome::Unknown)
}

/// Between half and all of a span, so that those who failed together do not come again together.
fn jitter(span: Duration) -> Duration {
    let dice = random::<2>().map_or(u16::MAX, u16::from_ne_bytes);
    span / 2 + span.mul_f64(f64::from(dice) / 65_536.0 / 2.0)
}

/// The first future's value, or nothing where the second is done before.
pub(super) async fn either<F: Future>(first: F, second: impl Future) -> Option<F::Output> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    std::future::poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => second.as_mut().poll(context).map(|_| None),
    })
    .await
}
