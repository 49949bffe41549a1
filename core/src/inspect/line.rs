//! The lines, as they are spelled.

use alloc::{format, string::String};

use serde::Serialize;

use super::item::{Entry, Piece, Request};
use crate::{
    entry::EntryKind,
    frame,
    id::{Author, Position, Revision, TaskId},
    json::Spelled,
    port::Tail,
    record::Record,
    snapshot,
    state::State,
    task,
};

pub(super) fn hex8(number: u32) -> String {
    format!("{number:08x}")
}

pub(super) fn hex16(number: u64) -> String {
    format!("{number:016x}")
}

/// Any line.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Store(Store),
    Segment(Segment<'a>),
    Unreadable(Unreadable<'a>),
    Frame(Frame),
    Entry(Entry<'a>),
    End(End),
    Snapshot(Snapshot<'a>),
    Head(Head),
    Piece(Piece<'a>),
    Tail(SnapshotTail),
    State(StateLine),
    Task(Spelled<'a, task::Task>),
    Record(Spelled<'a, Record>),
    Request(Request<'a>),
}

#[derive(Serialize)]
pub(super) struct Store {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Position>,
}

#[derive(Serialize)]
pub(super) struct Unreadable<'a> {
    pub name: &'a str,
    pub error: &'a str,
}

#[derive(Serialize)]
pub(super) struct Segment<'a> {
    name: &'a str,
    sequence: u64,
    base: Position,
    revision: u64,
    next_id: TaskId,
    author: String,
    link: String,
    bytes: u64,
}

impl<'a> Segment<'a> {
    pub fn new(name: &'a str, sequence: u64, tail: &Tail, author: Author, bytes: u64) -> Self {
        Self {
            name,
            sequence,
            base: tail.position,
            revision: tail.revision.0.wrapping_add(1),
            next_id: tail.next_id,
            author: hex16(author.0),
            link: hex8(tail.link),
            bytes,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Frame {
    position: Position,
    kind: &'static str,
    part: &'static str,
    length: u32,
    previous: String,
    revision: Revision,
    next_id: TaskId,
    author: String,
    durable: Position,
    payload: String,
    link: String,
}

impl Frame {
    pub fn new(position: Position, header: &frame::Header) -> Self {
        Self {
            position,
            kind: EntryKind::from_number(header.kind).map_or("seal", EntryKind::slug),
            part: ["whole", "first", "middle", "last"].get(usize::from(header.part)).copied().unwrap_or("unknown"),
            length: header.length,
            previous: hex8(header.previous),
            revision: header.revision,
            next_id: header.next_id,
            author: hex16(header.author.0),
            durable: header.durable,
            payload: hex8(header.payload),
            link: hex8(header.link),
        }
    }
}

#[derive(Serialize)]
pub(super) struct End {
    pub position: Position,
    pub ending: &'static str,
    pub left: u64,
}

#[derive(Serialize)]
pub(super) struct Snapshot<'a> {
    pub name: &'a str,
    pub end: Revision,
    pub author: String,
    pub bytes: u64,
}

#[derive(Serialize)]
pub(super) struct Head {
    format: u32,
    store: String,
    begin: Revision,
    position: u64,
    link: String,
    next_id: TaskId,
    level: u32,
    exclusive: String,
    tasks: u64,
}

impl Head {
    pub fn new(head: &snapshot::Head) -> Self {
        Self {
            format: head.format,
            store: format!("{}", head.store),
            begin: head.begin,
            position: head.position,
            link: hex8(head.link),
            next_id: head.next_id,
            level: head.level,
            exclusive: hex16(head.exclusive.0),
            tasks: head.tasks,
        }
    }
}

#[derive(Serialize)]
pub(super) struct SnapshotTail {
    end: Revision,
    position: u64,
    link: String,
    next_id: TaskId,
    digest: String,
    pieces: u64,
}

impl SnapshotTail {
    pub fn new(end: &snapshot::End) -> Self {
        Self {
            end: end.end,
            position: end.position,
            link: hex8(end.link),
            next_id: end.next_id,
            digest: hex16(end.digest),
            pieces: end.pieces,
        }
    }
}

#[derive(Serialize)]
pub(super) struct StateLine {
    revision: Revision,
    next_id: TaskId,
    level: u32,
    exclusive: String,
    tasks: u64,
    records: u64,
    requests: usize,
    digest: String,
}

impl StateLine {
    pub fn new(state: &State) -> Self {
        Self {
            revision: state.revision(),
            next_id: state.next_id(),
            level: state.level(),
            exclusive: hex16(state.exclusive().0),
            tasks: state.tasks(),
            records: state.tables().len(),
            requests: state.memo().len(),
            digest: hex16(state.digest()),
        }
    }
}
