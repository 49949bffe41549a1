//! A request that a handler is working on. It is kept beside its connection's HTTP rather than within, so that it outlives
//! that where it waits for long ([`serve`](crate::serve)).

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper::{Method, Request, Response, Version, header::HeaderValue};

use crate::{
    body::Body,
    headers::{Came, Named},
    route::Answer,
    service::Asked,
};

/// What of a request's head decides how its answer is written.
#[derive(Debug)]
pub struct Manner {
    method: Method,
    version: Version,
    connection: Option<HeaderValue>,
}

impl Manner {
    pub fn of<B>(request: &Request<B>, came: Came) -> Self {
        let connection = came.get(Named::Connection, request.headers());
        Self { method: request.method().clone(), version: request.version(), connection: connection.and_then(copy) }
    }

    /// The head of a request whose answer is written in the same manner.
    fn head(&self) -> Vec<u8> {
        let mut head = format!("{} / {:?}\r\n", self.method, self.version).into_bytes();
        if let Some(value) = &self.connection {
            head.extend_from_slice(b"connection: ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}

/// A header's value that does not keep the whole buffer which it was read into.
pub fn copy(value: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

/// A request that a handler is working on.
pub struct Underway {
    pub running: Pin<Box<dyn Future<Output = Answer> + Send>>,
    pub asked: Asked,
    pub manner: Manner,
}

impl Underway {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        self.running.as_mut().poll(cx).map(|answer| self.asked.finish(answer))
    }
}

#[derive(Default)]
enum Step {
    #[default]
    Nothing,
    Underway(Underway),
    /// Answered at once, or while there was no HTTP to write it.
    Answered(Response<Body>),
}

/// A connection's one request that is under way.
#[derive(Default)]
pub struct Slot(Mutex<Step>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is worked on from now on.
    pub fn begin(&self, underway: Underway) {
        *self.lock() = Step::Underway(underway);
    }

    /// Whether one is worked on.
    pub fn is_underway(&self) -> bool {
        matches!(&*self.lock(), Step::Underway(_))
    }

    /// The head that its answer is asked for with again; `None` where none is under way.
    pub fn head(&self) -> Option<Vec<u8>> {
        match &*self.lock() {
            Step::Underway(underway) => Some(underway.manner.head()),
            _ => None,
        }
    }

    /// Its answer, once it is there.
    pub async fn answer(&self) -> Response<Body> {
        poll_fn(|cx| {
            let mut step = self.lock();
            let answer = match &mut *step {
                Step::Nothing => Poll::Pending,
                Step::Underway(underway) => underway.poll(cx),
                Step::Answered(_) => match mem::take(&mut *step) {
                    Step::Answered(answer) => Poll::Ready(answer),
                    _ => Poll::Pending,
                },
            };
            if answer.is_ready() {
                *step = Step::Nothing;
            }
            answer
        })
        .await
    }

    /// Keeps an answer for whoever asks for it.
    pub fn keep(&self, answer: Response<Body>) {
        *self.lock() = Step::Answered(answer);
    }

    /// Whether an answer was kept.
    pub fn is_answered(&self) -> bool {
        matches!(&*self.lock(), Step::Answered(_))
    }
}
