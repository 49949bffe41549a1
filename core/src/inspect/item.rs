//! Entries, ops and a snapshot's items, as they are spelled.

use alloc::{borrow::Cow, string::String, vec::Vec};

use serde::Serialize;

use super::line::hex16;
use crate::{
    entry::{EntryHead, Image, Op, Payload},
    id::{OwnerId, Position, Revision, TaskId},
    json::spell_bytes,
    port::Stored,
    snapshot,
    state::Remembered,
    time::Millis,
};

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    revision: Revision,
    position: Position,
    kind: &'static str,
    author: String,
    #[serde(flatten)]
    read: Read<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Read<'a> {
    Whole {
        now: Millis,
        owner: OwnerId,
        actor: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<Mark<'a>>,
        ops: Vec<OpLine<'a>>,
    },
    Unreadable {
        unreadable: String,
    },
}

#[derive(Serialize)]
struct Mark<'a> {
    id: Cow<'a, str>,
    fingerprint: String,
    ids: Vec<(u64, u32)>,
    counts: Vec<i64>,
}

impl<'a> Entry<'a> {
    pub fn new(stored: &Stored<'a>) -> Self {
        let payload = Payload::read(stored.payload);
        let read = payload.and_then(|payload| {
            let EntryHead { now, owner, actor, request, .. } = payload.head.clone();
            let request = request.map(|mark| Mark {
                id: mark.id,
                fingerprint: hex16(mark.fingerprint),
                ids: mark.ids,
                counts: mark.counts,
            });
            let ops = payload.map(|op| op.map(OpLine::new)).collect::<Result<_, _>>()?;
            Ok(Read::Whole { now, owner, actor, request, ops })
        });
        Self {
            revision: stored.tail.revision,
            position: stored.position,
            kind: stored.kind.slug(),
            author: hex16(stored.author.0),
            read: read.unwrap_or_else(|error| Read::Unreadable { unreadable: error.message().into() }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum OpLine<'a> {
    Save {
        #[serde(skip_serializing_if = "is_none")]
        replaces: TaskId,
        task: TaskImage<'a>,
    },
    Retitle(Retitle<'a>),
    Remove {
        id: TaskId,
        reason: &'static str,
    },
    Put(RecordImage<'a>),
    RemoveRecord {
        table: Cow<'a, str>,
        key: Cow<'a, str>,
    },
    Level(u32),
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference.
fn is_none(id: &TaskId) -> bool {
    id.0 == 0
}

#[derive(Serialize)]
struct Retitle<'a> {
    old: TaskId,
    id: TaskId,
    available_at: Millis,
    owner: OwnerId,
    attempt: u32,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
}

/// A task as it stands in a save or a snapshot; `origin` is there only where it is not the id.
#[derive(Serialize)]
pub(super) struct TaskImage<'a> {
    id: TaskId,
    #[serde(skip_serializing_if = "is_none")]
    origin: TaskId,
    group: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    available_at: Millis,
    added_at: Millis,
    owner: OwnerId,
    attempt: u32,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(flatten)]
    data: Bytes,
}

impl<'a> TaskImage<'a> {
    pub fn new(image: Image<'a>) -> Self {
        let Image { id, origin, group, key, available_at, added_at, owner, attempt, failures, error, data } = image;
        let data = Bytes::data(&data);
        Self { id, origin, group, key, available_at, added_at, owner, attempt, failures, error, data }
    }
}

/// Bytes under the one name or the other.
#[derive(Serialize, Default)]
struct Bytes {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

impl Bytes {
    fn data(bytes: &[u8]) -> Self {
        let (text, base64) = spell_bytes(bytes);
        Self { data: text.map(Into::into), data_base64: base64, ..Self::default() }
    }

    fn value(bytes: &[u8]) -> Self {
        let (text, base64) = spell_bytes(bytes);
        Self { value: text.map(Into::into), value_base64: base64, ..Self::default() }
    }
}

/// A record as it stands in a put or a snapshot.
#[derive(Serialize)]
pub(super) struct RecordImage<'a> {
    table: Cow<'a, str>,
    key: Cow<'a, str>,
    #[serde(flatten)]
    value: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Revision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
}

impl<'a> OpLine<'a> {
    fn new(op: Op<'a>) -> Self {
        match op {
            Op::Save { replaces, task } => Self::Save { replaces, task: TaskImage::new(task) },
            Op::Retitle(op) => Self::Retitle(Retitle {
                old: op.old,
                id: op.id,
                available_at: op.available_at,
                owner: op.owner,
                attempt: op.attempt,
                failures: op.failures,
                group: op.group,
                error: op.error,
            }),
            Op::Remove { id, reason } => Self::Remove { id, reason: reason.slug() },
            Op::Put { table, key, expires_at, value } => Self::Put(RecordImage {
                table,
                key,
                value: Bytes::value(&value),
                revision: None,
                expires_at: (expires_at != 0).then_some(expires_at),
            }),
            Op::RemoveRecord { table, key } => Self::RemoveRecord { table, key },
            Op::Level(level) => Self::Level(level),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Piece<'a> {
    Task(TaskImage<'a>),
    Record(RecordImage<'a>),
    Request(Request<'a>),
}

impl<'a> Piece<'a> {
    pub fn new(piece: snapshot::Piece<'a>) -> Self {
        match piece {
            snapshot::Piece::Task(image) => Self::Task(TaskImage::new(image)),
            snapshot::Piece::Record { table, key, revision, expires_at, value } => Self::Record(RecordImage {
                table,
                key,
                value: Bytes::value(&value),
                revision: Some(revision),
                expires_at: (expires_at != 0).then_some(expires_at),
            }),
            snapshot::Piece::Request { owner, id, revision, fingerprint, ids, counts } => {
                Self::Request(Request { owner, id, revision, fingerprint: hex16(fingerprint), ids, counts })
            }
        }
    }
}

#[derive(Serialize)]
pub(super) struct Request<'a> {
    owner: u64,
    id: Cow<'a, str>,
    revision: Revision,
    fingerprint: String,
    ids: Vec<(u64, u32)>,
    counts: Vec<i64>,
}

impl<'a> Request<'a> {
    pub fn of(owner: u64, id: &'a str, outcome: &Remembered) -> Self {
        Self {
            owner,
            id: Cow::Borrowed(id),
            revision: outcome.revision,
            fingerprint: hex16(outcome.fingerprint),
            ids: outcome.ids.clone(),
            counts: outcome.counts.clone(),
        }
    }
}
