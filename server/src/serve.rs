//! A connection's requests, one after the other. While a claim waits for a task the connection has no HTTP: its buffers, of
//! 16 KiB with hyper, are most of what thousands of waiting claims would take up.
//!
//! ```text
//!  talk ── hyper reads a request and calls the service, which puts it into the slot ──► answered by hyper, the next one
//!    ▲        └── the claim waits ──► hyper is taken apart; what it read ahead is kept
//!    │                                   └─► wait, for the answer or the end of the connection
//!    └── a new hyper reads the head of a request that is answered in the same manner, and then what was kept ◄──┘
//! ```

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    app::App,
    body::Body,
    conn::{Conn, Word},
    service,
    underway::Slot,
    wire::Wire,
};

/// Bytes of a request's head, and of what is read ahead.
pub const HEAD: usize = 32 << 10;

/// Header lines of a request.
pub const HEADERS: usize = 64;

/// Serves a connection until it ends.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(app: &Arc<App>, conn: &Arc<Conn>, stream: S) {
    let slot = Arc::new(Slot::default());
    let mut stream = Wire::new(stream, conn.clone());
    while let Some(parted) = talk(app, conn, &slot, stream).await {
        stream = parted;
        let Some(mut head) = slot.head() else { return };
        let Some(answer) = wait(&slot, &mut stream).await else { return };
        slot.keep(answer);
        head.append(&mut stream.ahead);
        stream.ahead = head;
    }
}

/// Speaks HTTP until the connection ends, or until what is under way waits: then the stream is given back.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    app: &Arc<App>,
    conn: &Arc<Conn>,
    slot: &Arc<Slot>,
    stream: Wire<S>,
) -> Option<Wire<S>> {
    let (own_app, own_conn, own_slot) = (app.clone(), conn.clone(), slot.clone());
    let service =
        service_fn(move |request| service::answer(own_app.clone(), own_conn.clone(), own_slot.clone(), request));
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD).max_headers(HEADERS).ignore_invalid_headers(false);
    // Apart, so that a connection that waits has no room set aside for it.
    let mut connection = Box::new(http.serve_connection(TokioIo::new(stream), service));
    loop {
        // First hyper: one that has just been built has an answer to write before it may be told to end.
        let word = poll_fn(|cx| match Pin::new(&mut *connection).poll(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending if conn.hears(Word::Waits, cx) => Poll::Ready(Some(Word::Waits)),
            Poll::Pending if conn.hears(Word::Stop, cx) => Poll::Ready(Some(Word::Stop)),
            Poll::Pending => Poll::Pending,
        });
        match word.await {
            None => {
                linger(conn, connection.into_parts().io.into_inner()).await;
                return None;
            }
            Some(Word::End) => return None,
            Some(Word::Waits) => conn.forget(Word::Waits),
            Some(Word::Stop) => break,
        }
        // What is answered by now is hyper's, as is what the client has not taken yet.
        if slot.is_underway() && !conn.is_blocked() {
            let parts = connection.into_parts();
            let mut stream = parts.io.into_inner();
            stream.ahead.splice(..0, parts.read_buf);
            return Some(stream);
        }
    }
    Pin::new(&mut *connection).graceful_shutdown();
    let _ = connection.await;
    None
}

/// Waits for the answer; `None` where the other end closes before. What it sends ahead is kept.
async fn wait<S: AsyncRead + AsyncWrite + Unpin>(slot: &Slot, stream: &mut Wire<S>) -> Option<Response<Body>> {
    loop {
        tokio::select! {
            biased;
            answer = slot.answer() => return Some(answer),
            more = stream.read_ahead(), if stream.ahead.len() < HEAD => if !more { return None },
        }
    }
}

/// Ends a connection on which nothing is said any more; without waiting for the other end, where the service stops.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(conn: &Conn, stream: Wire<S>) {
    // Apart, so that a connection that is still used has no room set aside for it.
    let mut lingers = Box::pin(stream.linger());
    poll_fn(|cx| if conn.hears(Word::Stop, cx) { Poll::Ready(()) } else { lingers.as_mut().poll(cx) }).await;
}
