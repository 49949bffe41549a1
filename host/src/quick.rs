//! An add that needs the journal's last frame and no replica: its cost does not grow with the store.

use std::path::Path;

use tenure_core::{
    Author, Code, Committed, Error, OwnerId, Request, Result, StoreId,
    bytelog::ByteLog,
    engine::{Engine, Setup, Stage},
    port::{AppendError, Journal as _},
    txn::Ask,
};

use crate::{
    file::{self, Folder},
    options::Options,
    store::{default_actor, millis, random, random_id},
};

/// How often an add that loses the race for the journal's end is tried.
const ATTEMPTS: u32 = 64;

impl Options {
    /// Commits a request to the store in a folder, and makes it durable, without loading the store where that is
    /// possible: the request only adds tasks, without keys and without a request id, and nobody has ever had the store
    /// for himself. Otherwise, and where there is no store yet, it is opened as always. The bounds `max_tasks` and
    /// `max_state_bytes` are judged by handles that know the state.
    pub fn commit_once(&self, path: impl AsRef<Path>, request: Request) -> Result<Committed> {
        let path = path.as_ref();
        if request.is_unconditional()
            && let Some(committed) = self.add_blindly(path, &request)?
        {
            return Ok(committed);
        }
        let store = self.open(path)?;
        let committed = store.update(request)?;
        store.close()?;
        Ok(committed)
    }

    fn add_blindly(&self, path: &Path, request: &Request) -> Result<Option<Committed>> {
        let author = Author(random_id()?);
        let folder = Folder::open(path, &file::folder_options(self))?;
        let mut log: ByteLog<Folder> = ByteLog::create(folder, file::log_options(self, author), StoreId(random()?))?;
        let setup = Setup {
            limits: self.limits,
            owner: self.owner.map_or_else(|| random_id().map(OwnerId), Ok)?,
            actor: self.actor.clone().unwrap_or_else(default_actor).into(),
            author,
            seed: 0,
        };
        let journal_bytes = log.stats()?.journal_bytes;
        for _ in 0..ATTEMPTS {
            let tail = log.tail();
            if log.is_guarded()? {
                return Ok(None);
            }
            let mut engine = Engine::blind(setup.clone(), tail);
            let now = self.clock.now();
            if !matches!(engine.stage(Ask::Update(request), now, journal_bytes)?, Stage::Staged) {
                return Ok(None);
            }
            match log.append(&tail, engine.drafts()) {
                Ok(behind) => {
                    let committed = engine.confirm(&behind, now)?.pop();
                    make_durable(&mut log, millis(self.lock_wait))?;
                    return committed.map(Some).ok_or_else(|| Error::new(Code::Internal, "an add got no answer"));
                }
                // The journal knows its end by now.
                Err(AppendError::Conflict) => {}
                Err(AppendError::Refused(error) | AppendError::Unknown(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// After a sync that failed, what it should have covered is written again elsewhere.
fn make_durable(log: &mut ByteLog<Folder>, wait: u64) -> Result<()> {
    match log.syncer().sync() {
        Ok(synced) => {
            log.note_synced(&synced);
            Ok(())
        }
        Err(_) => log.heal(wait),
    }
}
