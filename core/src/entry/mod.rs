//! What one append means: a head (when, who, which request) and the ops, in postcard.
//!
//! ```text
//! payload:  EntryHead | op | op | …          (head.ops of them, then nothing)
//! ```
//!
//! Ops carry absolute after-values, never deltas, so that replay needs neither clock nor randomness and a fuzzy
//! snapshot can be replayed over itself.

mod coalesce;
mod codec;
mod op;

pub use coalesce::{Coalescer, Ops};
pub(crate) use codec::{Rest, put_image};
pub use op::{Image, Op, Reason, Retitle};

use alloc::{borrow::Cow, string::ToString, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, Error, Result},
    id::OwnerId,
    time::Millis,
};

/// What kind of entry a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// Changes of tasks and records.
    Transaction = 1,
    /// From here on only the author of this frame may write.
    HandOff = 2,
    /// From here on everyone may write again.
    Release = 3,
    /// The author of this frame has begun a snapshot; others hold off.
    SnapshotBegun = 4,
    /// From here on the store has a higher format level.
    Upgrade = 5,
    /// Nothing: it fills a position whose fate was unknown.
    Noop = 6,
}

impl EntryKind {
    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Transaction,
            2 => Self::HandOff,
            3 => Self::Release,
            4 => Self::SnapshotBegun,
            5 => Self::Upgrade,
            6 => Self::Noop,
            _ => return None,
        })
    }

    /// The kind with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        (1..=6).filter_map(Self::from_number).find(|kind| kind.slug() == slug)
    }

    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::HandOff => "hand_off",
            Self::Release => "release",
            Self::SnapshotBegun => "snapshot_begun",
            Self::Upgrade => "upgrade",
            Self::Noop => "noop",
        }
    }
}

/// A remembered request: its id, what it asked (as a fingerprint), and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestMark<'a> {
    /// The id that the client gave.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// A hash of what was asked.
    pub fingerprint: u64,
    /// The ids that were answered, as runs of (first, how many).
    pub ids: Vec<(u64, u32)>,
    /// The numbers that the increments left.
    pub counts: Vec<i64>,
}

/// When, who, and how many ops.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntryHead<'a> {
    /// The `now` by which the transaction was judged.
    pub now: Millis,
    /// Who asked.
    pub owner: OwnerId,
    /// The label of who did it.
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    /// The request that a repeat must find again.
    #[serde(borrow)]
    pub request: Option<RequestMark<'a>>,
    /// How many ops follow.
    pub ops: u32,
}

/// A payload read: its head, and its ops one by one.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// The head.
    pub head: EntryHead<'a>,
    rest: &'a [u8],
    left: u32,
}

impl<'a> Payload<'a> {
    /// Reads the head of a payload. Every byte must be accounted for by the time the last op is read.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut quick = Rest(bytes);
        let (head, rest) = match quick.head() {
            Some(head) => (head, quick.0),
            None => postcard::take_from_bytes::<EntryHead<'a>>(bytes).map_err(|error| unreadable(&error))?,
        };
        Self::behind(head, rest)
    }

    /// The payload whose head was read, or just written, and behind which `rest` stands.
    pub(crate) fn behind(head: EntryHead<'a>, rest: &'a [u8]) -> Result<Self> {
        let left = head.ops;
        if left == 0 && !rest.is_empty() {
            return Err(excess());
        }
        Ok(Self { head, rest, left })
    }
}

impl<'a> Payload<'a> {
    /// Gives the ops to `visit` one by one, until it has enough of them.
    pub(crate) fn each(mut self, mut visit: impl FnMut(&Op<'a>) -> Result<()>) -> Result<()> {
        // Without the detour of an option of a result: an op is large, and this is every commit's way.
        while self.left > 0 {
            let mut quick = Rest(self.rest);
            let Some(op) = quick.op() else {
                let Some(op) = self.next() else { break };
                visit(&op?)?;
                continue;
            };
            self.rest = quick.0;
            self.left -= 1;
            if self.left == 0 && !self.rest.is_empty() {
                return Err(excess());
            }
            visit(&op)?;
        }
        Ok(())
    }
}

impl<'a> Iterator for Payload<'a> {
    type Item = Result<Op<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut quick = Rest(self.rest);
        let op = match quick.op() {
            Some(op) => {
                self.rest = quick.0;
                op
            }
            None => match postcard::take_from_bytes::<Op<'a>>(self.rest) {
                Ok((op, rest)) => {
                    self.rest = rest;
                    op
                }
                Err(error) => {
                    self.left = 0;
                    return Some(Err(unreadable(&error)));
                }
            },
        };
        if self.left == 0 && !self.rest.is_empty() {
            return Some(Err(excess()));
        }
        Some(Ok(op))
    }
}

#[cold]
fn excess() -> Error {
    Error::new(Code::Corrupt, "an entry has bytes behind its last op")
}

#[cold]
fn unreadable(error: &postcard::Error) -> Error {
    Error::new(
        Code::UpgradeNeeded,
        "an entry has a form that this program does not know; a newer Tenure wrote it: upgrade this program",
    )
    .context(&error.to_string())
}

/// A payload being written: head first, ops behind it.
pub fn write_head(out: &mut Vec<u8>, head: &EntryHead<'_>) {
    codec::put_who(out, head.now, head.owner, &head.actor);
    codec::put_request(out, head.request.as_ref(), head.ops);
}

/// Writes the first part of a head, when and who, behind what is there; [`write_request`] writes the rest.
pub(crate) fn write_who(out: &mut Vec<u8>, now: Millis, owner: OwnerId, actor: &str) {
    codec::put_who(out, now, owner, actor);
}

/// Writes the second part of a head.
pub(crate) fn write_request(out: &mut Vec<u8>, request: Option<&RequestMark<'_>>, ops: u32) {
    codec::put_request(out, request, ops);
}

/// Writes one op behind what is there.
pub fn write_op(out: &mut Vec<u8>, op: &Op<'_>) {
    codec::put_op(out, op);
}

/// Writes ops behind what is there.
pub(crate) fn write_ops(out: &mut Vec<u8>, ops: &[Op<'_>]) {
    for op in ops {
        codec::put_op(out, op);
    }
}

/// Writes a value behind what is there.
pub(crate) fn write<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    struct Append<'a>(&'a mut Vec<u8>);
    impl postcard::ser_flavors::Flavor for Append<'_> {
        type Output = ();
        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.0.push(byte);
            Ok(())
        }
        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn finalize(self) -> postcard::Result<()> {
            Ok(())
        }
    }
    // A growing buffer refuses nothing, and no type here has a map or sequence of unknown length.
    let written = postcard::serialize_with_flavor(value, Append(out));
    debug_assert!(written.is_ok(), "postcard refused a value: {written:?}");
}
