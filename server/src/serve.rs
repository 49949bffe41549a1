//! A connection's requests, one after the other. While a claim waits for a task the connection has no HTTP: its buffers, of
//! 16 KiB with hyper, are most of what thousands of waiting claims would take up.
//!
//! ```text
//!  talk ── hyper reads a request and calls the service, which puts it into the slot ──► answered by hyper, the next one
//!    ▲        └── the claim waits ──► hyper is taken apart; what it read ahead is kept
//!    │                                   └─► wait, for the answer or the end of the connection
//!    └── a new hyper reads the head of a request that is answered in the same manner, and then what was kept ◄──┘
//! ```

use std::{
    future::poll_fn,
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::{
    app::App,
    body::Body,
    conn::{Conn, Word},
    service,
    underway::Slot,
};

/// Bytes of a request's head, and of what is read ahead.
const HEAD: usize = 32 << 10;

/// Header lines of a request.
const HEADERS: usize = 64;

/// Serves a connection until it ends.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(app: &Arc<App>, conn: &Arc<Conn>, stream: S) {
    let slot = Arc::new(Slot::default());
    let mut stream = Ahead { ahead: Vec::new(), stream };
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
    stream: Ahead<S>,
) -> Option<Ahead<S>> {
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
            // A connection that broke concerns nobody.
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending if conn.hears(Word::Waits, cx) => Poll::Ready(Some(Word::Waits)),
            Poll::Pending if conn.hears(Word::Stop, cx) => Poll::Ready(Some(Word::Stop)),
            Poll::Pending => Poll::Pending,
        });
        match word.await {
            None | Some(Word::End) => return None,
            Some(Word::Waits) => conn.forget(Word::Waits),
            Some(Word::Stop) => break,
        }
        // What is answered by now is hyper's, as is what the client has not taken yet.
        if slot.is_underway() && !conn.is_blocked() {
            let parts = connection.into_parts();
            let mut stream = parts.io.into_inner();
            let mut ahead = parts.read_buf.to_vec();
            ahead.append(&mut stream.ahead);
            return Some(Ahead { ahead, ..stream });
        }
    }
    Pin::new(&mut *connection).graceful_shutdown();
    let _ = connection.await;
    None
}

/// Waits for the answer; `None` where the other end closes before. What it sends ahead is kept.
async fn wait<S: AsyncRead + Unpin>(slot: &Slot, stream: &mut Ahead<S>) -> Option<Response<Body>> {
    let mut piece = [0; 128];
    loop {
        tokio::select! {
            biased;
            answer = slot.answer() => return Some(answer),
            read = stream.stream.read(&mut piece), if stream.ahead.len() < HEAD => match read {
                Ok(length @ 1..) => stream.ahead.extend_from_slice(&piece[..length]),
                _ => return None,
            },
        }
    }
}

/// A stream of which some has been read already.
struct Ahead<S> {
    ahead: Vec<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.ahead.len().min(buf.remaining());
        let rest = self.ahead.split_off(length);
        buf.put_slice(&mem::replace(&mut self.ahead, rest));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
