//! Opening: the newest usable snapshot, then every entry behind it.

use alloc::{boxed::Box, format, vec::Vec};

use super::Clock;
use crate::{
    engine::{Engine, Setup},
    error::{Code, Error, Result},
    id::Revision,
    port::{Journal, SnapshotName},
    snapshot::{Loaded, Loader},
    state::{Mode, State},
};

/// How often a folder whose snapshots come and go while they are read is looked at again.
const LOOKS: u32 = 64;

/// A snapshot that was passed over, and what is wrong with it.
pub type Damaged = (SnapshotName, Error);

/// An engine that has caught up with the journal. Adds the damaged snapshots that it met and did without to `damaged`.
pub(crate) fn recover(
    journal: &mut dyn Journal,
    setup: &Setup,
    clock: Clock<'_>,
    damaged: &mut Vec<Damaged>,
) -> Result<Engine> {
    let mut seen = None;
    for _ in 0..LOOKS {
        damaged.clear();
        let why = match attempt(journal, setup, clock, damaged) {
            Ok(engine) => return engine.closed().map_or(Ok(()), |why| Err(why.clone())).map(|()| engine),
            Err(error) if matches!(error.code(), Code::Truncated | Code::NotFound) => error,
            Err(error) => return Err(error),
        };
        // Another handle may have published a newer one and let go of what was being read: what is missing is damage
        // only where nothing came or went since it was missing before.
        let found = (journal.floor()?.position, journal.snapshots()?);
        if seen.as_ref() == Some(&found) {
            let text = format!(
                "no snapshot reaches back to the oldest entry that the journal holds: restore the store from a backup ({why})"
            );
            return Err(Error::new(Code::Corrupt, text));
        }
        seen = Some(found);
    }
    Err(Error::new(Code::Unavailable, "snapshots are taken faster than one of them can be read: try again"))
}

fn attempt(journal: &mut dyn Journal, setup: &Setup, clock: Clock<'_>, damaged: &mut Vec<Damaged>) -> Result<Engine> {
    let floor = journal.floor()?;
    for name in journal.snapshots()? {
        // Where one is damaged, an older one, or the journal itself, may still do.
        let loaded = match load(journal, name) {
            Ok(loaded) => loaded,
            Err(error) if error.code() == Code::Corrupt => {
                damaged.push((name, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        if loaded.begin.position < floor.position {
            continue;
        }
        match replay(journal, setup, loaded, clock)? {
            Ok(engine) => return Ok(engine),
            Err(error) => damaged.push((name, error)),
        }
    }
    if floor.revision != Revision(0) {
        return Err(damaged.first().map_or_else(
            || {
                let why = format!("the journal begins behind revision {} and no snapshot covers that", floor.revision);
                Error::new(Code::Truncated, why)
            },
            |(_, error)| error.clone(),
        ));
    }
    let mut engine = Engine::new(setup.clone(), State::new(), floor);
    super::catch_up(&mut engine, journal, clock)?;
    Ok(engine)
}

fn load(journal: &mut dyn Journal, name: SnapshotName) -> Result<Box<Loaded>> {
    let mut reader = Loader::new(journal.identity());
    journal.read_snapshot(name, &mut |bytes| reader.feed(bytes))?;
    let loaded = reader.finish()?;
    if loaded.end.revision != name.end {
        return Err(Error::new(Code::Corrupt, "a snapshot has another revision than its name says"));
    }
    Ok(Box::new(loaded))
}

/// Replays (begin, end] tolerantly, compares the digest, and replays the rest strictly. The inner error is the
/// snapshot's own: it does not fit the journal.
fn replay(journal: &mut dyn Journal, setup: &Setup, loaded: Box<Loaded>, clock: Clock<'_>) -> Result<Result<Engine>> {
    let Loaded { state, begin, end, digest } = *loaded;
    let window = setup.limits.request_window;
    let mut fuzzy = Some(state);
    let mut engine: Option<Engine> = None;
    let mut at = begin;
    let mut now = None;
    let mut misfit = false;
    let settle = |fuzzy: &mut Option<State>, at| -> Result<Option<Engine>> {
        let Some(mut state) = fuzzy.take() else { return Ok(None) };
        state.settle(window);
        if state.digest() != digest {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "the snapshot of revision {} and the journal do not make one state: an older one will do; where there is none, restore the store from a backup",
                    end.revision
                ),
            ));
        }
        Ok(Some(Engine::new(setup.clone(), state, at)))
    };
    if begin.revision == end.revision {
        match settle(&mut fuzzy, begin) {
            Ok(settled) => engine = settled,
            Err(error) => return Ok(Err(error)),
        }
    }
    let read = journal.read(&begin, &mut |stored| {
        if let Some(engine) = &mut engine {
            return engine.ingest(&stored, *now.get_or_insert_with(clock));
        }
        at = stored.tail;
        let applied = fuzzy.as_mut().map_or(Ok(true), |state| state.apply(&stored, Mode::Tolerant, window));
        let settled = match applied {
            Ok(_) if at.revision == end.revision => settle(&mut fuzzy, at),
            applied => applied.map(|_| None),
        };
        // Entries that are read are whole: what does not fit them is the snapshot.
        misfit = settled.as_ref().is_err_and(|error| error.code() == Code::Corrupt);
        engine = settled?;
        Ok(())
    });
    if misfit {
        return Ok(read.map_or_else(Err, |_| Err(Error::new(Code::Internal, "an error got lost"))));
    }
    read?;
    let engine = engine.ok_or_else(|| {
        Error::new(
            Code::Corrupt,
            format!(
                "the newest snapshot needs the journal through revision {}, and it ends at {}: restore the store from a backup",
                end.revision, at.revision
            ),
        )
    })?;
    Ok(Ok(engine))
}
