//! Opening a store: in memory, in a journal that the host supplies, in a folder.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread,
};

use tenure_core::{
    Author, Code, Error, OwnerId, Result, StoreId, driver::Driver, engine::Setup, id::MAX_ID, port::Journal,
    rows::Ephemeral,
};

use super::{Open, Place, Shared, Store, alone, commit::Queue, durable, snapshot::Snapshots, verb::millis};
use crate::{
    buffered::Buffered,
    durations::Stopwatch,
    options::{Durability, Options, Sharing},
};

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Code::Internal, format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

fn random_number() -> Result<u64> {
    Ok(u64::from_ne_bytes(random()?))
}

/// A random number of which a JavaScript number holds every bit, and which is not 0.
pub(crate) fn random_id() -> Result<u64> {
    Ok(random_number()? % MAX_ID + 1)
}

impl Store {
    /// Opens the store in a folder, and creates it where there is none.
    ///
    /// # Errors
    /// `Invalid` where the place is not fit for a store; `Corrupt`; `Unavailable`; `Closed`, where the store has a higher
    /// format level than this program.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::new().open(path)
    }

    /// A store in memory that nothing else can open: all the rules, and nothing on disk.
    pub fn memory() -> Result<Self> {
        Options::new().memory()
    }

    pub(crate) fn memory_with(options: &Options) -> Result<Self> {
        let rows = Ephemeral::new(StoreId(random()?));
        let mut options = options.clone();
        options.snapshots.automatic = false;
        // There is no stable storage to wait for.
        options.durability = Durability::Opportunistic;
        Self::assemble(Box::new(rows), &options, None, true)
    }

    pub(crate) fn open_journal(journal: Box<dyn Journal>, options: &Options) -> Result<Self> {
        Self::assemble(journal, options, None, false)
    }

    pub(crate) fn open_with(path: &Path, options: &Options) -> Result<Self> {
        let (journal, lock_waits) = crate::file::open_journal(path, options, StoreId(random()?), Author(random_id()?))?;
        // The process may change its directory.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Self::assemble(journal, options, Some((path, lock_waits)), false)
    }

    #[cfg(feature = "client")]
    pub(crate) fn connect_with(url: &str, options: &Options) -> Result<Self> {
        let remote = crate::remote::Remote::connect(url, options)?;
        Ok(Self { place: Place::Remote(Arc::new(remote)), weak_reads: false })
    }

    /// Of a store in a folder it is known where that is, and how long its lock is waited for.
    fn assemble(
        journal: Box<dyn Journal>,
        options: &Options,
        folder: Option<(PathBuf, Arc<Stopwatch>)>,
        volatile: bool,
    ) -> Result<Self> {
        let (path, lock_waits) = folder.unzip();
        let seed = options.seed.map_or_else(random_number, Ok)?;
        let owner = options.owner.map_or_else(|| random_id().map(OwnerId), Ok)?;
        let author = Author(random_id()?);
        if owner.0 == 0 || owner.0 > MAX_ID {
            return Err(Error::new(Code::Invalid, format!("owner {owner}: an owner's number runs from 1 to 2^53 - 1")));
        }
        let actor: Arc<str> = options.actor.clone().unwrap_or_else(default_actor).into();
        let setup = Setup { limits: options.limits, owner, actor: actor.clone(), author, seed };
        let clock = options.clock.clone();
        let now = || clock.now();
        let mut driver = Driver::open(journal, setup, millis(options.lock_wait), &now)?;
        driver.engine().may_read()?;
        driver.damaged().iter().for_each(|(_, error)| crate::trace::snapshot_damaged(error));
        let life = alone::enter(&mut driver, path.as_deref(), options, &now)?;
        if !options.is_strict() && options.sharing != Sharing::Shared && !options.read_only && !volatile {
            let tail = *driver.engine().tail();
            driver.wrap_journal(|journal| Box::new(Buffered::new(journal, tail, millis(options.lock_wait))));
        }
        let snapshots = Arc::new(Snapshots::new(options.snapshots));
        snapshots.find(&mut driver)?;
        let identity = driver.identity();
        crate::trace::opened(identity, path.as_deref(), &actor, driver.engine().tail().revision);
        let strict = options.is_strict();
        let shared = Arc::new_cyclic(|own| Shared {
            driver: Mutex::new(driver),
            queue: Queue::default(),
            durable: Arc::default(),
            waits: Arc::default(),
            post: Arc::default(),
            watches: super::watch::Watches::default(),
            renewals: Arc::default(),
            snapshots,
            path,
            lock_waits: lock_waits.unwrap_or_default(),
            life: Mutex::new(life),
            identity,
            owner,
            actor,
            clock,
            strict,
            read_only: options.read_only,
            closed: AtomicBool::new(false),
            fork: crate::fork::generation(),
            own: own.clone(),
        });
        if !strict && !options.read_only && !volatile {
            let (durable, own, every) = (shared.durable.clone(), shared.own.clone(), options.flush_every);
            thread::Builder::new()
                .name("tenure-flush".into())
                .spawn(move || durable::flush_loop(&durable, &own, every))
                .map_err(|error| Error::new(Code::Unavailable, format!("no thread for the flusher: {error}")))?;
        }
        Ok(Self { place: Place::Embedded(Arc::new(Open(shared))), weak_reads: options.read_only })
    }
}

/// `host:pid`.
pub(crate) fn default_actor() -> String {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").unwrap_or_default();
    format!("{host}:{}", std::process::id())
}
