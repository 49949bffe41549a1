//! A store as one file, for hosts without folders: a tar archive of a folder that every other host opens.
//!
//! ```text
//!   name 100 │ mode, owner, group 24 │ size 12, octal │ time 12 │ checksum 8 │ '0' │ … "ustar" … │ 512 in all
//!   bytes, filled up to 512 with zeros                                                                  … for each file
//!   1024 zeros
//! ```
//!
//! An exported store keeps its id: it is a copy to look at, or to keep. An imported one gets another, and its task ids
//! begin where the old store can't have come, so that no id is ever used for two tasks.

mod folder;
mod tar;

pub use folder::Folder;

use alloc::{boxed::Box, format, vec::Vec};

use crate::{
    bytelog::{ByteLog, Options},
    driver,
    engine::Setup,
    error::{Code, Error, Result},
    id::{Author, MAX_ID, OwnerId, Position, Revision, StoreId, TaskId},
    limits::Limits,
    port::{Draft, Journal, SnapshotName, Tail, under_name},
    rows,
    snapshot::{Walk, pack, take_chunk, transplant},
};

/// Ids of an imported store begin at the next multiple of this: a store that goes on after it was exported uses up fewer.
const GENERATION: u64 = 1 << 40;

/// Bytes of entries that are appended at once.
const BATCH: usize = 4 << 20;

/// The file that every folder of a store has; in one that nobody has opened yet it is empty.
const LOCK: &str = "lock";

/// Items of one chunk.
const SLICE: usize = 4096;

/// Rows that a store begins with.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The first position, and the mark that stands for what came before it.
    pub floor: u64,
    /// See [`rows::Rows::floor`].
    pub mark: Vec<u8>,
    /// The snapshot from which it starts.
    pub snapshot: Option<(SnapshotName, Vec<u8>)>,
}

fn setup() -> Setup {
    Setup { limits: Limits::DEFAULT, owner: OwnerId(0), actor: "".into(), author: Author(1), seed: 0 }
}

/// The store in this journal as an archive: every entry that it holds, or, where it has let go of some, its state.
pub fn export(journal: &mut dyn Journal) -> Result<Vec<u8>> {
    let folder = Folder::default();
    let store = journal.identity();
    let options = Options { reserve_bytes: 0, ..Options::new(Author(1)) };
    let floor = journal.floor()?;
    if floor.revision == Revision(0) {
        let mut log = ByteLog::create(folder.clone(), options, store)?;
        copy(journal, &floor, &mut log)?;
        log.close()?;
    } else {
        let engine = driver::recover(journal, &setup(), &|| 0, &mut Vec::new())?;
        let mut walk = Walk::new(engine.state(), engine.tail(), store);
        let mut log = ByteLog::create_at(folder.clone(), options, store, *engine.tail())?;
        let name = SnapshotName { end: engine.tail().revision, author: Author(1) };
        log.publish_snapshot(&mut under_name(name, || {
            let mut slice = walk.slice(engine.state(), engine.tail(), SLICE);
            while slice.as_ref().is_some_and(|(_, raw)| raw.is_empty()) {
                slice = walk.slice(engine.state(), engine.tail(), SLICE);
            }
            Ok(slice.map(|(kind, raw)| pack(kind, &raw)))
        }))?;
        log.close()?;
    }
    let mut files = folder.files();
    // By this file a host knows a folder for a store.
    files.insert(LOCK.into(), Vec::new());
    Ok(tar::write(&files))
}

fn copy(journal: &mut dyn Journal, from: &Tail, log: &mut dyn Journal) -> Result<()> {
    let mut at = log.floor()?;
    let mut drafts: Vec<Draft> = Vec::new();
    let mut bytes = 0;
    let mut put = |drafts: &mut Vec<Draft>| -> Result<()> {
        at = log.append(&at, drafts).map_err(|_| Error::new(Code::Internal, "an entry could not be copied"))?;
        drafts.clear();
        Ok(())
    };
    journal.read(from, &mut |stored| {
        bytes += stored.payload.len();
        drafts.push(Draft {
            kind: stored.kind,
            revision: stored.tail.revision,
            next_id: stored.tail.next_id,
            author: stored.author,
            payload: stored.payload.to_vec(),
        });
        if bytes >= BATCH {
            bytes = 0;
            put(&mut drafts)?;
        }
        Ok(())
    })?;
    put(&mut drafts)
}

/// What a new store of this id begins with, made of an archive that [`export`] wrote, or of another folder of a store.
///
/// # Errors
/// `Invalid` where it is no such archive; `Corrupt` where it is damaged; `Full` where no ids are left.
pub fn import(archive: &[u8], store: StoreId, author: Author) -> Result<Content> {
    let files = tar::read(archive)?;
    let folder = Folder::of(files);
    let options = Options { read_only: true, ..Options::new(Author(0)) };
    let opened = ByteLog::open(folder, options).map_err(|error| match error.code() {
        Code::NoStore => Error::new(Code::Invalid, "the archive holds no store: give what an export wrote"),
        _ => error,
    })?;
    let mut journal: Box<dyn Journal> = Box::new(opened);
    let engine = driver::recover(&mut *journal, &setup(), &|| 0, &mut Vec::new())?;
    let state = engine.state();
    let next = (state.next_id().0 / GENERATION + 1) * GENERATION;
    if next > MAX_ID {
        return Err(Error::new(Code::Full, "the task ids of the archive leave no room for more: begin a new store"));
    }
    let revision = state.revision();
    if revision == Revision(0) {
        return Ok(Content { floor: 1, ..Content::default() });
    }
    let tail = Tail { revision, next_id: TaskId(next), ..Tail::empty(Position(1)) };
    let mut walk = Walk::new(state, engine.tail(), journal.identity());
    let mut bytes = Vec::new();
    while let Some((kind, raw)) = walk.slice(state, engine.tail(), SLICE) {
        if raw.is_empty() {
            continue;
        }
        let packed = pack(kind, &raw);
        let chunk = take_chunk(&packed)?.ok_or_else(|| Error::new(Code::Internal, "a chunk was cut"))?;
        bytes.extend_from_slice(&transplant(&chunk, store, &tail)?);
    }
    let name = SnapshotName { end: revision, author };
    Ok(Content { floor: 1, mark: rows::mark_of(&tail), snapshot: Some((name, bytes)) })
}

fn damaged(what: &str) -> Error {
    Error::new(Code::Invalid, format!("the archive can't be read: {what}; give what an export wrote"))
}
