//! The bytes of a connection on their way: each is noted, and the answer to a claim does not go to an end that has closed.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{conn::Conn, orphans::Claimed};

/// A stream that notes on its connection whenever a byte moves.
#[derive(Debug)]
pub struct Noted {
    stream: TcpStream,
    conn: Arc<Conn>,
}

impl Noted {
    pub fn new(stream: TcpStream, conn: Arc<Conn>) -> Self {
        Self { stream, conn }
    }

    /// Fails where a claim is to be answered and the other end has closed: the kernel would take the bytes all the same,
    /// and nobody would have what was claimed.
    fn may_answer(&self) -> io::Result<()> {
        if self.conn.owes() && has_gone(&self.stream) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>, given: usize) {
        self.conn.block(!matches!(written, Poll::Ready(Ok(length)) if *length == given));
        if let Poll::Ready(Ok(_)) = written {
            self.conn.take_owed().into_iter().for_each(Claimed::told);
            self.conn.moved(false);
        }
    }
}

/// Whether the other end sends no more.
#[cfg(target_os = "linux")]
fn has_gone(stream: &TcpStream) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut asked = [PollFd::new(stream, PollFlags::RDHUP)];
    poll(&mut asked, Some(&now)).is_ok_and(|gone| gone > 0)
}

/// Elsewhere the write that fails says so, if it does.
#[cfg(not(target_os = "linux"))]
fn has_gone(_: &TcpStream) -> bool {
    false
}

impl AsyncRead for Noted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.conn.moved(true);
        }
        read
    }
}

impl AsyncWrite for Noted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.may_answer()?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&written, bytes.len());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.may_answer()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(&written, slices.iter().map(|slice| slice.len()).sum());
        written
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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tenure::{Claim, Committed, Store};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::orphans::Orphans;

    async fn answer(gone: bool) -> (bool, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(b"claim").await.unwrap();
        let conn = Arc::new(Conn::new());
        let mut stream = Noted::new(listener.accept().await.unwrap().0, conn.clone());
        stream.read_exact(&mut [0; 5]).await.unwrap();
        if gone {
            client.shutdown().await.unwrap();
            // Until its end has come here.
            while !has_gone(&stream.stream) {
                tokio::task::yield_now().await;
            }
        }
        let store = Store::memory().unwrap();
        let tasks = vec![store.add("g", "x").unwrap()];
        let ask = Arc::new(Orphans::new(store)).ask(&Claim::default());
        conn.owe(ask.found(&Committed { tasks, ..Committed::default() }).unwrap());
        let sent = stream.write_all(b"answer").await.is_ok();
        (sent, !conn.take_owed().is_empty())
    }

    #[test]
    fn a_claim_is_answered_only_to_an_end_that_is_there() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(answer(false)), (true, false));
        assert_eq!(runtime.block_on(answer(true)), (false, true), "it stays owed, and is given back");
    }
}
