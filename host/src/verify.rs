//! Reading everything that a store has: every frame, every snapshot, every replay.

use std::path::Path;

use tenure_core::{
    Code, Error, Limits, Position, Result, Revision, StoreId,
    bytelog::{Ending, Found, inspect},
    port::{Journal, SnapshotName, Tail},
    snapshot::{Loaded, Loader},
    state::{Mode, State},
};

use crate::history::folder;

/// How often a store that changes while it is read is read again.
const LOOKS: u32 = 4;

/// What was read and found right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// The store.
    pub store: StoreId,
    /// Segments, and their bytes.
    pub segments: u64,
    /// Bytes of segments and snapshots.
    pub bytes: u64,
    /// Frames.
    pub frames: u64,
    /// Entries.
    pub entries: u64,
    /// Snapshots that were loaded.
    pub snapshots: u64,
    /// How often the state was made anew: from each snapshot, and from the first entry where that is still held.
    pub replays: u64,
    /// The revision that all of them ended at.
    pub revision: Revision,
    /// Live tasks there.
    pub tasks: u64,
    /// Records there.
    pub records: u64,
    /// The digest that all of them have.
    pub digest: u64,
    /// Bytes behind the last whole entry: an append that a crash cut, or one that is under way. No damage.
    pub behind: u64,
}

/// Reads a whole store, which may be in use, and compares all that has to agree. Nothing is changed.
///
/// # Errors
/// `Corrupt` names the first damaged place and what to do.
pub fn verify(path: &Path) -> Result<Verified> {
    let mut look = 0;
    loop {
        match attempt(path) {
            // Segments and snapshots are let go while a store lives.
            Err(error) if matches!(error.code(), Code::NotFound | Code::Truncated) => look += 1,
            done => return done,
        }
        if look > LOOKS {
            let why = "the store lets go of its journal faster than it can be read whole: try again when it is quieter";
            return Err(Error::new(Code::Unavailable, why));
        }
    }
}

fn attempt(path: &Path) -> Result<Verified> {
    // What recovery refuses is damage before the durable mark.
    let mut journal = crate::file::open_to_read(path)?;
    let mut found = frames(path)?;
    found.store = journal.identity();
    let mut ends = Vec::new();
    let floor = journal.floor()?;
    let names = journal.snapshots()?;
    for &name in &names {
        let loaded = load(&mut *journal, name)?;
        if loaded.begin.position < floor.position {
            // It was overtaken by one that began later, and whoever published it died before he removed it.
            continue;
        }
        found.snapshots += 1;
        ends.push(replay(&mut *journal, loaded)?);
    }
    if floor.revision == Revision(0) {
        ends.push(go_on(&mut *journal, State::new(), &floor)?);
    } else if ends.is_empty() {
        if journal.snapshots()? != names || journal.floor()? != floor {
            return Err(Error::new(Code::Truncated, "the snapshots were let go of while they were read"));
        }
        return Err(corrupt(format!(
            "the journal begins behind revision {} and no snapshot covers that",
            floor.revision
        )));
    }
    found.replays = ends.len() as u64;
    // A live store grows between two replays: what is compared is compared at the same revision.
    let Some(last) = ends.pop() else { return Ok(found) };
    if let Some(other) =
        ends.iter().find(|other| other.revision() == last.revision() && other.digest() != last.digest())
    {
        return Err(corrupt(format!("two replays end at revision {} in different states", other.revision())));
    }
    found.revision = last.revision();
    found.tasks = last.tasks();
    found.records = last.tables().len();
    found.digest = last.digest();
    Ok(found)
}

/// Reads every frame of every segment.
fn frames(path: &Path) -> Result<Verified> {
    let mut seen = Verified::default();
    let mut segment = String::new();
    let mut broken: Option<Error> = None;
    inspect(&mut folder(path)?, &mut |found| {
        match found {
            Found::Segment { name, bytes, .. } => {
                if let Some(error) = broken.take() {
                    // It did not end the journal.
                    return Err(error);
                }
                segment = name.into();
                seen.segments += 1;
                seen.bytes += bytes;
                seen.behind = 0;
            }
            Found::Unreadable { error, .. } => return Err(error),
            Found::Frame { .. } => seen.frames += 1,
            Found::Entry(_) => seen.entries += 1,
            Found::End { position, ending, left } => match ending {
                Ending::Whole | Ending::Superseded => {}
                Ending::Newer => {
                    let why = format!("segment {segment} at position {position}: a newer Tenure wrote what follows");
                    return Err(Error::new(Code::UpgradeNeeded, format!("{why}: upgrade this program")));
                }
                _ => {
                    seen.behind = left;
                    broken = Some(damaged(&segment, position, ending));
                }
            },
            Found::Snapshot { bytes, .. } => seen.bytes += bytes,
            Found::Store { .. } => {}
        }
        Ok(())
    })?;
    Ok(seen)
}

fn damaged(segment: &str, position: Position, ending: Ending) -> Error {
    corrupt(format!("segment {segment} is damaged at position {position} ({})", ending.slug()))
}

fn corrupt(what: impl std::fmt::Display) -> Error {
    Error::new(Code::Corrupt, format!("{what}: nothing was changed; restore the store from a backup"))
}

fn load(journal: &mut dyn Journal, name: SnapshotName) -> Result<Loaded> {
    let mut loader = Loader::new(journal.identity());
    journal.read_snapshot(name, &mut |bytes| loader.feed(bytes))?;
    loader.finish()
}

/// Replays a snapshot's own stretch, compares its digest, and goes on to the end.
fn replay(journal: &mut dyn Journal, loaded: Loaded) -> Result<State> {
    let Loaded { mut state, begin, end, digest } = loaded;
    let mut at = begin;
    if begin.revision < end.revision {
        let read = journal.read(&begin, &mut |stored| {
            if at.revision >= end.revision {
                return Err(Error::new(Code::Cancelled, "the walk's end is reached"));
            }
            state.apply(&stored, Mode::Tolerant, Limits::DEFAULT.request_window)?;
            at = stored.tail;
            Ok(())
        });
        match read {
            Err(error) if error.code() != Code::Cancelled => return Err(error),
            _ => {}
        }
    }
    if at.revision != end.revision {
        return Err(corrupt(format!("a snapshot needs the journal through revision {}", end.revision)));
    }
    if state.digest() != digest {
        let what = format!("the snapshot of revision {} and the journal do not make one state", end.revision);
        return Err(corrupt(what));
    }
    go_on(journal, state, &at)
}

fn go_on(journal: &mut dyn Journal, mut state: State, from: &Tail) -> Result<State> {
    journal.read(from, &mut |stored| state.apply(&stored, Mode::Strict, Limits::DEFAULT.request_window).map(drop))?;
    Ok(state)
}
