//! What stands in a store's bytes, line by line: what `inspect --json` prints and what the golden files hold.
//!
//! Each line is one JSON object with one member, whose name says what it is of:
//!
//! ```text
//! store      {"id","watermark"}                                                         once
//! segment    {"name","sequence","base","revision","next_id","author","link","bytes"}    for each, then
//!   frame    {"position","kind","part","length","previous","revision","next_id","author","durable","payload","link"}
//!   entry    {"revision","position","kind","author","now","owner","actor","request","ops":[…]}   behind its last frame
//!   end      {"position","ending","left"}
//! snapshot   {"name","end","author","bytes"}                                            for each, then
//!   head     {"format","store","begin","position","link","next_id","level","exclusive","tasks"}
//!   piece    {"task":{…}} or {"record":{…}} or {"request":{…}}
//!   tail     {"end","position","link","next_id","digest","pieces"}
//! state      {"revision","next_id","level","exclusive","tasks","records","requests","digest"}    once, then
//!   task     as in [`json`](crate::json), by id
//!   record   as in [`json`](crate::json), by table and key, hidden ones too
//!   request  {"owner","id","revision","fingerprint","ids":[[first,count]],"counts":[…]}, by revision
//! unreadable {"name","error"}                                                           what can't be read
//! error      as in [`json`](crate::json)                                                instead of `state`
//! ```
//!
//! Checksums, authors, digests and ids of stores are hexadecimal texts. Options that are absent are left out.

mod event;
mod item;
mod line;
mod snapshot;

pub use event::{read_event, read_events};

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use serde::Serialize;

use crate::{
    bytelog::{self, ByteLog, Disk, Found},
    driver::Driver,
    engine::Setup,
    error::{Code, Error, Result},
    id::{Author, OwnerId, TaskId},
    json,
    limits::Limits,
    port::Journal,
    state::State,
};
use item::{Entry, Request};
use line::{End, Frame, Line, Segment, Snapshot, StateLine, Store, Unreadable, hex16};

/// Which lines are wanted, beside those of the store, its segments, its snapshots and its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Show {
    /// Each frame.
    pub frames: bool,
    /// Each entry.
    pub entries: bool,
    /// Each task, record and remembered request of the snapshots and of the state.
    pub items: bool,
}

impl Show {
    /// Every line there is.
    pub const ALL: Self = Self { frames: true, entries: true, items: true };
}

/// Gives every line that `show` wants to `print`, without an end of line. Nothing in the folder is changed; what is
/// damaged has a line that says so.
pub fn inspect<D: Disk + 'static>(mut disk: D, show: Show, print: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let mut snapshots = Vec::new();
    bytelog::inspect(&mut disk, &mut |found| match found {
        Found::Frame { .. } if !show.frames => Ok(()),
        Found::Entry(_) if !show.entries => Ok(()),
        Found::Snapshot { name, of, bytes } => {
            snapshots.push((String::from(name), of, bytes));
            Ok(())
        }
        found => put(print, &line_of(&found)),
    })?;
    // A second look at the same names, so that the state is that of the segments as recovery sees them.
    let mut options = bytelog::Options::new(Author(0));
    options.read_only = true;
    let mut journal = match ByteLog::open(disk, options) {
        Ok(journal) => journal,
        Err(error) => return print(&json::text(&error)),
    };
    let mut whole = Vec::new();
    for (name, of, bytes) in snapshots {
        put(print, &Line::Snapshot(Snapshot { name: &name, end: of.end, author: hex16(of.author.0), bytes }))?;
        let mut pieces = snapshot::Pieces::new(show.items);
        let read = journal.read_snapshot(of, &mut |bytes| pieces.feed(bytes, &mut |line| put(print, line)));
        if let Err(error) = read {
            put(print, &Line::Unreadable(Unreadable { name: &name, error: error.message() }))?;
        } else {
            whole.push((name, of));
        }
    }
    let setup = Setup { limits: Limits::DEFAULT, owner: OwnerId(0), actor: Arc::from(""), author: Author(0), seed: 0 };
    match Driver::open(Box::new(journal), setup, 0, &|| 0) {
        Ok(driver) => {
            // One that can be read, and does not fit the journal.
            for (name, of) in &whole {
                if let Some((_, error)) = driver.damaged().iter().find(|(damaged, _)| damaged == of) {
                    put(print, &Line::Unreadable(Unreadable { name, error: error.message() }))?;
                }
            }
            state(driver.engine().state(), show.items, print)
        }
        Err(error) => print(&json::text(&error)),
    }
}

fn put<T: Serialize>(print: &mut dyn FnMut(&str) -> Result<()>, line: &T) -> Result<()> {
    let text = serde_json::to_string(line)
        .map_err(|error| Error::new(Code::Internal, alloc::format!("a line can't be spelled: {error}")))?;
    print(&text)
}

fn line_of<'a>(found: &'a Found<'a>) -> Line<'a> {
    match found {
        Found::Store { store, watermark } => {
            Line::Store(Store { id: alloc::format!("{store}"), watermark: *watermark })
        }
        Found::Segment { name, sequence, tail, author, bytes } => {
            Line::Segment(Segment::new(name, *sequence, tail, *author, *bytes))
        }
        Found::Unreadable { name, error } => Line::Unreadable(Unreadable { name, error: error.message() }),
        Found::Frame { position, header } => Line::Frame(Frame::new(*position, header)),
        Found::Entry(stored) => Line::Entry(Entry::new(stored)),
        Found::End { position, ending, left } => {
            Line::End(End { position: *position, ending: ending.slug(), left: *left })
        }
        Found::Snapshot { name, of, bytes } => {
            Line::Snapshot(Snapshot { name, end: of.end, author: hex16(of.author.0), bytes: *bytes })
        }
    }
}

fn state(state: &State, items: bool, print: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    put(print, &Line::State(StateLine::new(state)))?;
    if !items {
        return Ok(());
    }
    for task in state.list(None, TaskId(0), usize::MAX, 0, |_| true) {
        put(print, &Line::Task(json::Spelled(&task)))?;
    }
    for (table, key, value) in state.tables().walk(None) {
        let record = value.record(table.clone(), key.clone());
        put(print, &Line::Record(json::Spelled(&record)))?;
    }
    for (owner, id, outcome) in state.memo().iter() {
        put(print, &Line::Request(Request::of(owner, id, outcome)))?;
    }
    Ok(())
}
