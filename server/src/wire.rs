//! What hyper reads and writes in place of the socket. What was read ahead comes first; and where hyper refuses by itself what
//! is no HTTP, with a status and nothing else, problem details go out in place of that.

use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use crate::{
    conn::{Conn, Doing},
    problem::{PROBLEM, Problem},
    serve::{HEAD, HEADERS},
};

/// Bytes that are read, and thrown away, of one whose connection ends: with bytes unread the kernel would break it off, and the
/// last answer might be lost on its way.
const LINGER: usize = 1 << 20;

/// An answer of at most so many bytes goes out in one piece: the kernel takes longer over several than it takes to join them.
const SMALL: usize = 1 << 10;

/// A stream of which some has been read already.
pub struct Wire<S> {
    pub ahead: Vec<u8>,
    /// What goes out in place of hyper's own refusal.
    refusal: Vec<u8>,
    stream: S,
    conn: Arc<Conn>,
}

impl<S> Wire<S> {
    pub fn new(stream: S, conn: Arc<Conn>) -> Self {
        Self { ahead: Vec::new(), refusal: Vec::new(), stream, conn }
    }

    /// Takes an answer of hyper's own, to say more in its place.
    fn refuses(&mut self, bytes: &[u8]) -> bool {
        // Within a body that is sent in pieces there may be anything.
        if self.conn.doing() == Doing::Sending {
            return false;
        }
        let Some(refusal) = refusal(bytes) else { return false };
        self.refusal = refusal;
        true
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Reads something more ahead; false where the other end has closed.
    pub async fn read_ahead(&mut self) -> bool {
        let mut piece = [0; 128];
        match self.stream.read(&mut piece).await {
            Ok(length @ 1..) => {
                self.ahead.extend_from_slice(&piece[..length]);
                true
            }
            _ => false,
        }
    }

    /// Ends the stream once the other end has done so too.
    pub async fn linger(mut self) {
        let mut piece = [0; 1024];
        let mut left = LINGER;
        if self.shutdown().await.is_err() {
            return;
        }
        while let Ok(length @ 1..) = self.stream.read(&mut piece).await {
            left = left.saturating_sub(length);
            if left == 0 {
                return;
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.refusal.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.refusal))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.refusal.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

/// What is said in place of these bytes, where they are a refusal of hyper's own: a status with an empty body, which no answer
/// of the service with such a status has.
fn refusal(bytes: &[u8]) -> Option<Vec<u8>> {
    const EMPTY: &str = "content-length: 0\r\n";
    let problem = match bytes.strip_prefix(b"HTTP/1.")?.get(2..5)? {
        b"400" => Problem::invalid(
            "this is no HTTP request: a space, `\"`, `<` or `>` in a path or query is percent-encoded, and no header is broken \
             over two lines or has control characters",
        ),
        b"414" => {
            let why = "the path is too long: send what it names in a body";
            Problem::new(StatusCode::URI_TOO_LONG, "over_limit", why)
        }
        b"431" => {
            let why = format!("the request's head is larger than {HEAD} bytes, or has more than {HEADERS} lines");
            Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "over_limit", why)
        }
        _ => return None,
    };
    let head = std::str::from_utf8(bytes).ok().filter(|head| head.contains(EMPTY) && head.ends_with("\r\n\r\n"))?;
    let body = problem.text();
    let length = format!("content-type: {PROBLEM}\r\ncontent-length: {}\r\n", body.len());
    Some((head.replacen(EMPTY, &length, 1) + &body).into_bytes())
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.refuses(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices
            && self.refuses(bytes)
        {
            return Poll::Ready(Ok(bytes.len()));
        }
        let length = slices.iter().map(|slice| slice.len()).sum();
        let mut piece = [0; SMALL];
        if let Some(piece) = piece.get_mut(..length) {
            let mut rest = &mut *piece;
            for slice in slices {
                let (taken, left) = rest.split_at_mut(slice.len());
                taken.copy_from_slice(slice);
                rest = left;
            }
            return Pin::new(&mut self.stream).poll_write(cx, piece);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const OWN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";

    /// What arrives of `pieces` that are written while the connection is `doing` that.
    fn sent(doing: Doing, pieces: &[&[u8]]) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // So narrow that nothing goes out in one piece.
            let (near, mut far) = duplex(7);
            let conn = Arc::new(Conn::new());
            conn.begin(doing);
            let write = async {
                let mut wire = Wire::new(near, conn);
                for piece in pieces {
                    wire.write_all(piece).await.unwrap();
                }
                wire.flush().await.unwrap();
                wire.shutdown().await.unwrap();
            };
            let mut all = String::new();
            let (read, ()) = tokio::join!(far.read_to_string(&mut all), write);
            read.unwrap();
            all
        })
    }

    #[test]
    fn a_status_that_hyper_gives_by_itself_becomes_a_problem() {
        let all = sent(Doing::Head, &[OWN]);
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/problem+json\r\n"
        ));
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&400.into(), &"invalid".into()));
    }

    #[test]
    fn what_the_service_says_goes_out_as_it_is() {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let fine = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".as_slice();
        let problem = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}".as_slice();
        let head = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\r\n".as_slice();
        for said in [fine, problem, head, b"HTTP", b""] {
            assert_eq!(sent(Doing::Idle, &[said]), text(said));
        }
        assert_eq!(sent(Doing::Sending, &[b"data:", OWN]), "data:".to_owned() + &text(OWN), "a piece of a backup");
    }
}
