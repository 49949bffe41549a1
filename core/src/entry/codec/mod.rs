//! The same bytes as postcard's, read and written without its detours: every commit and every replayed entry comes
//! through here.
//!
//! ```text
//! number   seven bits a byte, least first, the eighth says that more follow
//! text     number (its length), bytes
//! option   0, or 1 and the value
//! ```
//!
//! What is read here is what postcard would read. What it would refuse, and what is spelled in a way that this program
//! never writes, is `None` here and left to postcard, which then words the error.

#[cfg(test)]
mod tests;

use alloc::{borrow::Cow, vec::Vec};

use super::{EntryHead, Image, Op, Reason, RequestMark, Retitle};
use crate::id::{OwnerId, TaskId};

/// The top bit of each byte.
const MORE: u64 = 0x8080_8080_8080_8080;

/// Packs the low seven bits of each byte.
const fn gather(word: u64) -> u64 {
    let word = word & !MORE;
    let word = (word & 0x007F_007F_007F_007F) | ((word & 0x7F00_7F00_7F00_7F00) >> 1);
    let word = (word & 0x0000_3FFF_0000_3FFF) | ((word & 0x3FFF_0000_3FFF_0000) >> 2);
    (word & 0x0FFF_FFFF) | ((word & 0x0FFF_FFFF_0000_0000) >> 4)
}

/// The reverse, for numbers below 2^56.
const fn spread(number: u64) -> u64 {
    let word = (number & 0x0FFF_FFFF) | ((number << 4) & 0x0FFF_FFFF_0000_0000);
    let word = (word & 0x0000_3FFF_0000_3FFF) | ((word << 2) & 0x3FFF_0000_3FFF_0000);
    (word & 0x007F_007F_007F_007F) | ((word << 1) & 0x7F00_7F00_7F00_7F00)
}

/// Writes a number.
#[inline]
fn put_number(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        out.push(number as u8);
    } else {
        put_long(out, number);
    }
}

fn put_long(out: &mut Vec<u8>, mut number: u64) {
    while number >= 1 << 56 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    let bytes = (70 - (number | 1).leading_zeros() as usize) / 7;
    let more = MORE & ((1 << (8 * (bytes - 1))) - 1);
    let len = out.len();
    // Eight bytes at once, and those that are none of it go again.
    out.extend_from_slice(&(spread(number) | more).to_le_bytes());
    out.truncate(len + bytes);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_bytes(out, text.as_bytes());
        }
    }
}

/// Writes a task.
pub(crate) fn put_image(out: &mut Vec<u8>, image: &Image<'_>) {
    put_number(out, image.id.0);
    put_number(out, image.origin.0);
    put_bytes(out, image.group.as_bytes());
    put_option(out, image.key.as_deref());
    put_number(out, image.available_at);
    put_number(out, image.added_at);
    put_number(out, image.owner.0);
    put_number(out, u64::from(image.attempt));
    put_number(out, u64::from(image.failures));
    put_option(out, image.error.as_deref());
    put_bytes(out, &image.data);
}

/// Writes an op.
pub(super) fn put_op(out: &mut Vec<u8>, op: &Op<'_>) {
    match op {
        Op::Save { replaces, task } => {
            out.push(0);
            put_number(out, replaces.0);
            put_image(out, task);
        }
        Op::Retitle(retitle) => {
            out.push(1);
            put_number(out, retitle.old.0);
            put_number(out, retitle.id.0);
            put_number(out, retitle.available_at);
            put_number(out, retitle.owner.0);
            put_number(out, u64::from(retitle.attempt));
            put_number(out, u64::from(retitle.failures));
            put_option(out, retitle.group.as_deref());
            put_option(out, retitle.error.as_deref());
        }
        Op::Remove { id, reason } => {
            out.push(2);
            put_number(out, id.0);
            out.push(*reason as u8);
        }
        Op::Put { table, key, expires_at, value } => {
            out.push(3);
            put_bytes(out, table.as_bytes());
            put_bytes(out, key.as_bytes());
            put_number(out, *expires_at);
            put_bytes(out, value);
        }
        Op::RemoveRecord { table, key } => {
            out.push(4);
            put_bytes(out, table.as_bytes());
            put_bytes(out, key.as_bytes());
        }
        Op::Level(level) => {
            out.push(5);
            put_number(out, u64::from(*level));
        }
    }
}

/// Writes the first part of a head: when, and who.
pub(super) fn put_who(out: &mut Vec<u8>, now: crate::time::Millis, owner: OwnerId, actor: &str) {
    put_number(out, now);
    put_number(out, owner.0);
    put_bytes(out, actor.as_bytes());
}

/// Writes the second part: under which request, and how many ops follow.
pub(super) fn put_request(out: &mut Vec<u8>, request: Option<&RequestMark<'_>>, ops: u32) {
    match request {
        None => out.push(0),
        Some(mark) => {
            out.push(1);
            super::write(out, mark);
        }
    }
    put_number(out, u64::from(ops));
}

/// What is left to be read.
pub(crate) struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        if first < 0x80 {
            self.0 = &self.0[1..];
            return Some(u64::from(first));
        }
        // Fewer than eight bytes are left, or the number has more, as none but a hash has.
        let Some(chunk) = self.0.first_chunk() else { return self.bytewise() };
        let word = u64::from_le_bytes(*chunk);
        let ends = !word & MORE;
        if ends == 0 {
            return self.bytewise();
        }
        let bytes = ends.trailing_zeros() as usize / 8 + 1;
        self.0 = &self.0[bytes..];
        Some(gather(word & (u64::MAX >> (64 - 8 * bytes))))
    }

    #[inline(never)]
    fn bytewise(&mut self) -> Option<u64> {
        let mut number = 0;
        for at in 0..9 {
            let byte = *self.0.get(at)?;
            number |= u64::from(byte & 0x7F) << (7 * at);
            if byte < 0x80 {
                self.0 = &self.0[at + 1..];
                return Some(number);
            }
        }
        None
    }

    /// A number of 32 bits, as long as it has no more than 28.
    fn small(&mut self) -> Option<u32> {
        let mut number = 0;
        for at in 0..4 {
            let byte = *self.0.get(at)?;
            number |= u32::from(byte & 0x7F) << (7 * at);
            if byte < 0x80 {
                self.0 = &self.0[at + 1..];
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.small()? as usize;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }

    /// Reads an option into its place; false where it can't be read.
    fn option(&mut self, into: &mut Option<Cow<'a, str>>) -> bool {
        *into = match self.byte() {
            Some(0) => None,
            Some(1) => match self.text() {
                Some(text) => Some(Cow::Borrowed(text)),
                None => return false,
            },
            _ => return false,
        };
        true
    }

    pub(crate) fn image(&mut self) -> Option<Image<'a>> {
        let (mut key, mut error) = (None, None);
        Some(Image {
            id: TaskId(self.number()?),
            origin: TaskId(self.number()?),
            group: Cow::Borrowed(self.text()?),
            key: self.option(&mut key).then_some(key)?,
            available_at: self.number()?,
            added_at: self.number()?,
            owner: OwnerId(self.number()?),
            attempt: self.small()?,
            failures: self.small()?,
            error: self.option(&mut error).then_some(error)?,
            data: Cow::Borrowed(self.bytes()?),
        })
    }

    pub(super) fn op(&mut self) -> Option<Op<'a>> {
        Some(match self.byte()? {
            0 => Op::Save { replaces: TaskId(self.number()?), task: self.image()? },
            1 => {
                let (mut group, mut error) = (None, None);
                Op::Retitle(Retitle {
                    old: TaskId(self.number()?),
                    id: TaskId(self.number()?),
                    available_at: self.number()?,
                    owner: OwnerId(self.number()?),
                    attempt: self.small()?,
                    failures: self.small()?,
                    group: self.option(&mut group).then_some(group)?,
                    error: self.option(&mut error).then_some(error)?,
                })
            }
            2 => {
                let id = self.number()?;
                let reason = match self.byte()? {
                    0 => Reason::Deleted,
                    1 => Reason::Finished,
                    2 => Reason::Failed,
                    3 => Reason::Cancelled,
                    4 => Reason::Moved,
                    5 => Reason::Replaced,
                    _ => return None,
                };
                Op::Remove { id: TaskId(id), reason }
            }
            // Records, and what is rare, are postcard's.
            _ => return None,
        })
    }

    /// The head of an entry that carries no request id.
    pub(super) fn head(&mut self) -> Option<EntryHead<'a>> {
        let now = self.number()?;
        let owner = OwnerId(self.number()?);
        let actor = Cow::Borrowed(self.text()?);
        if self.byte()? != 0 {
            return None;
        }
        Some(EntryHead { now, owner, actor, request: None, ops: self.small()? })
    }
}
