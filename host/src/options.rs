//! How a store is opened.

use std::{path::Path, time::Duration};

use tenure_core::{Limits, OwnerId, Result, port::Journal};

use crate::{clock::Clock, store::Store};

/// What an answer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// It is on stable storage.
    #[default]
    Strict,
    /// The other handles see it; it is on stable storage within [`Options::flush_every`].
    Opportunistic,
}

/// Who may write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sharing {
    /// Every handle.
    #[default]
    Shared,
    /// This handle alone, from its opening to its close. Refused while another has it so.
    Exclusive,
    /// This handle alone, even if another has it so: that one is fenced.
    TakeOver,
}

/// When a snapshot is taken in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotPolicy {
    /// Whether at all.
    pub automatic: bool,
    /// Once that many bytes of journal have come since the last one, or half its size where that is more.
    pub bytes: u64,
    /// Once that many entries have come since the last one.
    pub entries: u64,
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self { automatic: true, bytes: 28 << 20, entries: 4_000_000 }
    }
}

/// How a store is opened. The defaults suit a few processes on one machine that must lose nothing.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) durability: Durability,
    pub(crate) sharing: Sharing,
    pub(crate) read_only: bool,
    pub(crate) create: bool,
    pub(crate) owner: Option<OwnerId>,
    pub(crate) actor: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) snapshots: SnapshotPolicy,
    pub(crate) lock_wait: Duration,
    pub(crate) flush_every: Duration,
    pub(crate) segment_bytes: u64,
    pub(crate) file_mode: u32,
    pub(crate) folder_mode: u32,
    pub(crate) allow_network: bool,
    pub(crate) clock: Clock,
    pub(crate) seed: Option<u64>,
    #[cfg(feature = "client")]
    pub(crate) remote: crate::remote::Remoteness,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Strict,
            sharing: Sharing::Shared,
            read_only: false,
            create: true,
            owner: None,
            actor: None,
            limits: Limits::DEFAULT,
            snapshots: SnapshotPolicy::default(),
            lock_wait: Duration::from_secs(10),
            flush_every: Duration::from_millis(50),
            segment_bytes: 16 << 20,
            file_mode: 0o600,
            folder_mode: 0o700,
            allow_network: false,
            clock: Clock::system(),
            seed: None,
            #[cfg(feature = "client")]
            remote: crate::remote::Remoteness::default(),
        }
    }
}

macro_rules! option {
    ($(#[$doc:meta])* $name:ident: $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $kind) -> Self {
            self.$name = $name;
            self
        }
    };
}

impl Options {
    pub(crate) const fn is_strict(&self) -> bool {
        matches!(self.durability, Durability::Strict)
    }

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    option! {
        /// What an answer means; strict by default.
        durability: Durability
    }
    option! {
        /// Who may write; everyone by default.
        sharing: Sharing
    }
    option! {
        /// Whether only to look: nothing is written, not even a lock. Reads are weak.
        read_only: bool
    }
    option! {
        /// Whether a store that is not there is created; yes by default.
        create: bool
    }
    option! {
        /// The bounds of validation.
        limits: Limits
    }
    option! {
        /// When snapshots are taken.
        snapshots: SnapshotPolicy
    }
    option! {
        /// How long to wait for the journal's lock, 10 s by default.
        lock_wait: Duration
    }
    option! {
        /// Within what time an opportunistic answer is on stable storage, 50 ms by default.
        flush_every: Duration
    }
    option! {
        /// When a segment is full, 16 MiB by default.
        segment_bytes: u64
    }
    option! {
        /// The mode of created files, 0600 by default.
        file_mode: u32
    }
    option! {
        /// The mode of a created folder, 0700 by default.
        folder_mode: u32
    }
    option! {
        /// Whether to open on a file system on which locks or syncs can't be trusted.
        allow_network: bool
    }
    option! {
        /// Where the time comes from.
        clock: Clock
    }

    /// The owner of requests that name none; random by default.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<OwnerId>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The label of who does it, `host:pid` by default.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// What random claims, and the handle's own numbers, are drawn from: for tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Opens the store in a folder.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Store> {
        Store::open_with(path.as_ref(), self)
    }

    /// Opens the store in a journal that the host supplies.
    pub fn open_journal(&self, journal: Box<dyn Journal>) -> Result<Store> {
        Store::open_journal(journal, self)
    }

    /// A store in memory that nothing else can open.
    pub fn memory(&self) -> Result<Store> {
        Store::memory_with(self)
    }
}
