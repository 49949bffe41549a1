//! What a response carries: bytes that are there, or pieces that come.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;

use crate::conn::Sending;

/// A response's body.
pub struct Body {
    kind: Kind,
    /// While it lives the connection is answering.
    _sending: Option<Sending>,
}

enum Kind {
    Whole(Bytes),
    Pieces(mpsc::Receiver<io::Result<Bytes>>),
    Done,
}

impl Body {
    /// Pieces as they come; an error breaks the connection off, so that nobody takes the part for the whole.
    pub fn pieces(pieces: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self { kind: Kind::Pieces(pieces), _sending: None }
    }

    /// The same, noting on its connection when it is gone.
    pub fn noting(self, sending: Sending) -> Self {
        Self { _sending: Some(sending), ..self }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self { kind: Kind::Whole(bytes.into()), _sending: None }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.kind {
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Done;
                if bytes.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(bytes)))) }
            }
            Kind::Pieces(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data))),
            Kind::Done => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Pieces(_) => false,
            Kind::Done => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Pieces(_) => SizeHint::default(),
            Kind::Done => SizeHint::with_exact(0),
        }
    }
}
