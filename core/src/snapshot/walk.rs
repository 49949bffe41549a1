//! Walking the live state in slices.

use alloc::{borrow::Cow, sync::Arc, vec::Vec};

use super::{CHUNK_HEADER, ChunkKind, End, FORMAT, Head, Piece};
use crate::{
    entry::Image,
    id::{OwnerId, Revision, StoreId, TaskId},
    port::Tail,
    state::State,
};

/// Raw bytes of an items chunk, about.
const CHUNK: usize = 256 << 10;

/// Slots that one slice looks at for each item that it may take: a store that was large once has many vacant ones.
const LOOKS: usize = 64;

/// Remembered requests that one slice takes at least.
const REQUESTS: usize = 256;

/// Slices of requests beyond those that their number asks for. Then the rest is taken at once, since what comes in
/// between slices could keep a walk from ending.
const CATCHING_UP: usize = 8;

/// A record's table and key.
type RecordName = (Arc<str>, Arc<str>);

/// What a walk has still to see.
#[derive(Debug)]
enum Ahead {
    Tasks(u32),
    Records(Option<RecordName>),
    /// Behind this revision, in so many slices at most.
    Requests(Revision, usize),
    End(End),
    Nothing,
}

/// A walk in progress. Between two slices the state may change in any way that commits can change it.
#[derive(Debug)]
pub struct Walk {
    head: Option<Head>,
    begin: Tail,
    end: Tail,
    /// Behind this slot are only tasks that were added since, and replay adds them.
    slots: u32,
    ahead: Ahead,
    pieces: u64,
}

impl Walk {
    /// A walk that begins at the present tail, of which this is the state.
    pub fn new(state: &State, tail: &Tail, store: StoreId) -> Self {
        let head = Head {
            format: FORMAT,
            store,
            begin: tail.revision,
            position: tail.position.0,
            link: tail.link,
            next_id: tail.next_id,
            level: state.level(),
            exclusive: state.exclusive(),
            tasks: state.tasks(),
        };
        Self { head: Some(head), begin: *tail, end: *tail, slots: state.slots_end(), ahead: Ahead::Tasks(0), pieces: 0 }
    }

    /// The tail at which it began: replay starts there.
    pub fn begin(&self) -> &Tail {
        &self.begin
    }

    /// The tail at which it ended; the snapshot may be published once the journal is durable through there.
    pub fn end(&self) -> &Tail {
        &self.end
    }

    /// The next chunk, not yet [packed](pack), of at most `items` items; `None` when all was seen. One of kind items
    /// with nothing in it is not to be written: what was looked at was vacant.
    pub fn slice(&mut self, state: &State, tail: &Tail, items: usize) -> Option<(ChunkKind, Vec<u8>)> {
        if let Some(head) = self.head.take() {
            return Some((ChunkKind::Head, encode(&head)));
        }
        let items = items.max(1);
        match core::mem::replace(&mut self.ahead, Ahead::Nothing) {
            Ahead::Tasks(from) => {
                let (raw, next) = self.tasks(state, from, items);
                self.ahead = next.map_or(Ahead::Records(None), Ahead::Tasks);
                Some((ChunkKind::Items, raw))
            }
            Ahead::Records(after) => {
                let (raw, next) = self.records(state, after.as_ref(), items);
                let slices = state.memo().len() / items.max(REQUESTS) + CATCHING_UP;
                self.ahead = next.map_or(Ahead::Requests(Revision(0), slices), |name| Ahead::Records(Some(name)));
                Some((ChunkKind::Items, raw))
            }
            Ahead::Requests(after, slices) => {
                let most = if slices == 0 { usize::MAX } else { items.max(REQUESTS) };
                let (raw, next) = self.requests(state, after, most);
                if let Some(after) = next {
                    // A slice of large outcomes is full before it has its number.
                    let spent = usize::from(raw.len() < CHUNK);
                    self.ahead = Ahead::Requests(after, slices.saturating_sub(spent));
                    return Some((ChunkKind::Items, raw));
                }
                // The last of what is remembered and the end belong to one moment, and nothing is seen after it.
                self.end = *tail;
                self.ahead = Ahead::End(End {
                    end: tail.revision,
                    position: tail.position.0,
                    link: tail.link,
                    next_id: state.next_id(),
                    digest: state.digest(),
                    pieces: self.pieces,
                });
                Some((ChunkKind::Items, raw))
            }
            Ahead::End(end) => Some((ChunkKind::End, encode(&end))),
            Ahead::Nothing => None,
        }
    }

    fn tasks(&mut self, state: &State, from: u32, items: usize) -> (Vec<u8>, Option<u32>) {
        let mut raw = Vec::with_capacity(CHUNK / 8);
        let last = u64::from(from).saturating_add(items.saturating_mul(LOOKS) as u64);
        let last = u32::try_from(last).unwrap_or(u32::MAX).min(self.slots);
        for (seen, slot) in state.walk_slots(from, last).enumerate() {
            if seen == items || raw.len() >= CHUNK {
                return (raw, Some(slot));
            }
            let title = state.title_in(slot);
            let (key, error) = state.texts_at(slot);
            let image = Image {
                id: TaskId(title.id),
                origin: TaskId(if title.origin == title.id { 0 } else { title.origin }),
                group: Cow::Borrowed(state.group_at(slot)),
                key: key.map(|key| Cow::Borrowed(&**key)),
                available_at: title.available_at,
                added_at: title.added_at,
                owner: OwnerId(title.owner),
                attempt: title.attempt,
                failures: title.failures,
                error: error.map(|error| Cow::Borrowed(&**error)),
                data: Cow::Borrowed(state.data_at(slot)),
            };
            push_task(&mut raw, &image);
            self.pieces += 1;
        }
        (raw, (last < self.slots).then_some(last))
    }

    fn records(&mut self, state: &State, after: Option<&RecordName>, items: usize) -> (Vec<u8>, Option<RecordName>) {
        let mut raw = Vec::new();
        let mut last = None;
        let rest = state.tables().walk(after.map(|(table, key)| (&**table, &**key)));
        for (seen, (table, key, value)) in rest.enumerate() {
            if seen == items || raw.len() >= CHUNK {
                return (raw, last);
            }
            let piece = Piece::Record {
                table: Cow::Borrowed(table),
                key: Cow::Borrowed(key),
                revision: value.revision,
                expires_at: value.expires_at,
                value: Cow::Borrowed(&value.data),
            };
            push(&mut raw, &piece);
            last = Some((table.clone(), key.clone()));
            self.pieces += 1;
        }
        (raw, None)
    }

    /// Requests behind a revision, and, where more may follow, the revision of the last of them. They are walked in the
    /// order of their revisions, and new ones come in at the end alone.
    fn requests(&mut self, state: &State, after: Revision, most: usize) -> (Vec<u8>, Option<Revision>) {
        let mut raw = Vec::new();
        let mut last = after;
        for (seen, (owner, id, outcome)) in state.memo().after(after).enumerate() {
            if seen == most || raw.len() >= CHUNK {
                return (raw, Some(last));
            }
            let piece = Piece::Request {
                owner,
                id: Cow::Borrowed(id),
                revision: outcome.revision,
                fingerprint: outcome.fingerprint,
                ids: outcome.ids.clone(),
                counts: outcome.counts.clone(),
            };
            push(&mut raw, &piece);
            last = outcome.revision;
            self.pieces += 1;
        }
        (raw, None)
    }

    /// The revision at which it began.
    pub fn revision(&self) -> Revision {
        self.begin.revision
    }
}

fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn push(raw: &mut Vec<u8>, piece: &Piece<'_>) {
    crate::entry::write(raw, piece);
}

/// The same bytes as those of [`Piece::Task`].
fn push_task(raw: &mut Vec<u8>, image: &Image<'_>) {
    raw.push(0);
    crate::entry::put_image(raw, image);
}

/// A chunk as it stands in the file. Deflating costs time: it is done beside the walk, not in it.
pub fn pack(kind: ChunkKind, raw: &[u8]) -> Vec<u8> {
    let deflated = deflate(raw);
    let packed = !deflated.is_empty() && deflated.len() + raw.len() / 8 <= raw.len();
    let stored = if packed { &deflated } else { raw };
    let mut chunk = Vec::with_capacity(CHUNK_HEADER + stored.len());
    chunk.extend_from_slice(&[kind as u8, u8::from(packed), 0, 0]);
    chunk.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    chunk.extend_from_slice(&(stored.len() as u32).to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&chunk);
    crc.update(stored);
    chunk.extend_from_slice(&crc.finalize().to_le_bytes());
    chunk.extend_from_slice(stored);
    chunk
}

/// Nothing where it is not worth a try.
fn deflate(raw: &[u8]) -> Vec<u8> {
    if cfg!(feature = "deflate") && raw.len() > 128 {
        return miniz_oxide::deflate::compress_to_vec(raw, 1);
    }
    Vec::new()
}
