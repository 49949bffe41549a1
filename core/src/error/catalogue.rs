//! The catalogue: every code with its kind, outcome and retry. Exit codes, HTTP statuses and exception classes
//! are made from it and tested against it.

/// What the caller should do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The state did not allow it: look at the details, then decide.
    Rejected,
    /// Another author owns the store, or it is another store by now: stop.
    Fenced,
    /// It is not there.
    NotFound,
    /// The call itself is wrong: mend it.
    Invalid,
    /// A limit of the store is reached: finish or delete, or raise the limit.
    Full,
    /// It took longer than allowed.
    Timeout,
    /// The storage failed: try later.
    Unavailable,
    /// It may or may not be committed: repeat it with the same request id.
    Unknown,
    /// The journal is damaged: restore, or repair.
    Corrupt,
    /// This handle is closed: open another.
    Closed,
    /// A fault of Tenure: report it.
    Internal,
}

impl Kind {
    /// Every kind, in the order of the catalogue.
    pub const ALL: [Self; 11] = [
        Self::Rejected,
        Self::Fenced,
        Self::NotFound,
        Self::Invalid,
        Self::Full,
        Self::Timeout,
        Self::Unavailable,
        Self::Unknown,
        Self::Corrupt,
        Self::Closed,
        Self::Internal,
    ];

    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Fenced => "fenced",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Full => "full",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::Corrupt => "corrupt",
            Self::Closed => "closed",
            Self::Internal => "internal",
        }
    }

    /// The kind with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// Whether anything was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Outcome {
    /// It was looked at and surely not done.
    Refused,
    /// It was never begun.
    NotStarted,
    /// It may or may not have been done.
    Unknown,
}

impl Outcome {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotStarted => "not_started",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Refused, Self::NotStarted, Self::Unknown].into_iter().find(|outcome| outcome.slug() == slug)
    }
}

/// Whether to try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Retry {
    /// The same call will get the same answer.
    No,
    /// The same call may work later.
    Later,
    /// The same call with the same request id is answered once and for all.
    WithSameRequestId,
}

impl Retry {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Later => "later",
            Self::WithSameRequestId => "with_same_request_id",
        }
    }

    /// The retry with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::No, Self::Later, Self::WithSameRequestId].into_iter().find(|retry| retry.slug() == slug)
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident $slug:literal $kind:ident $outcome:ident $retry:ident,)*) => {
        /// The stable name of a cause.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        /// Every code.
        pub const CATALOGUE: &[Code] = &[$(Code::$name,)*];

        impl Code {
            /// The stable name, as it stands in JSON.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// What the caller should do.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What is known of the write, unless the error says otherwise.
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome,)* }
            }

            /// Whether to try again, unless the outcome is unknown.
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }
        }
    };
}

catalogue! {
    /// Several reasons, or one without a code of its own.
    Rejected "rejected" Rejected Refused No,
    /// A claim that is no longer the caller's.
    LeaseLost "lease_lost" Rejected Refused No,
    /// A task that another owner holds.
    Held "held" Rejected Refused Later,
    /// A task that is named in updates, deletes or depends, and does not exist.
    MissingTask "missing_task" Rejected Refused No,
    /// A task with this key lives in this group.
    KeyExists "key_exists" Rejected Refused No,
    /// A record's revision is not the expected one.
    StaleRecord "stale_record" Rejected Refused Later,
    /// An increment would leave its bounds, or the record is no number.
    Bounds "bounds" Rejected Refused No,

    /// Another handle took the store over.
    Fenced "fenced" Fenced Refused No,
    /// The store at this place is another one than the handle opened.
    Replaced "replaced" Fenced Refused No,

    /// There is no store at this place.
    NoStore "no_store" NotFound NotStarted No,
    /// There is no such task, record, segment or snapshot.
    NotFound "not_found" NotFound NotStarted No,

    /// An argument that can't be right.
    Invalid "invalid" Invalid NotStarted No,
    /// An argument beyond a limit.
    OverLimit "over_limit" Invalid NotStarted No,
    /// A request id that was used for another request.
    RequestReused "request_reused" Invalid NotStarted No,
    /// What stands at this place is not a store.
    NotAStore "not_a_store" Invalid NotStarted No,
    /// A place on which locks or syncs can't be trusted.
    Unsupported "unsupported" Invalid NotStarted No,
    /// A write through a handle that was opened to read.
    ReadOnly "read_only" Invalid NotStarted No,
    /// A service that does not know the caller, or does not let him do that.
    Forbidden "forbidden" Invalid NotStarted No,

    /// The store has as many tasks, or as much state or journal, as it may have.
    Full "full" Full Refused Later,

    /// The journal's lock was not free in time.
    LockTimeout "lock_timeout" Timeout NotStarted Later,
    /// What was waited for did not come in time.
    Timeout "timeout" Timeout NotStarted Later,
    /// The wait was cancelled.
    Cancelled "cancelled" Timeout NotStarted No,

    /// The storage failed before anything was written.
    Unavailable "unavailable" Unavailable NotStarted Later,
    /// There is no space left for the journal.
    NoSpace "no_space" Unavailable Refused Later,
    /// A sync failed and what it covered could not be written again elsewhere yet.
    Suspect "suspect" Unavailable Unknown WithSameRequestId,
    /// A journal that the host supplied threw, or did not keep its contract.
    Foreign "foreign" Unavailable NotStarted Later,

    /// The answer of the journal did not come: the entry may be there.
    Unknown "unknown" Unknown Unknown WithSameRequestId,

    /// Bytes that were durable are damaged or missing.
    Corrupt "corrupt" Corrupt NotStarted No,
    /// The place asked for lies before what the journal still holds.
    Truncated "truncated" NotFound NotStarted No,

    /// The handle was closed.
    Closed "closed" Closed NotStarted No,
    /// The store has a higher format level than this program knows.
    UpgradeNeeded "upgrade_needed" Closed NotStarted No,
    /// The handle was inherited by a forked process that can't use it.
    Forked "forked" Closed NotStarted No,

    /// A fault of Tenure.
    Internal "internal" Internal Unknown No,
}

impl Code {
    /// The code with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        CATALOGUE.iter().copied().find(|code| code.slug() == slug)
    }

    /// Which of several reasons names the whole refusal: a call that is wrong can't be right in any state, and a
    /// lost claim beats the other reasons, since it tells the worker to stop.
    pub(crate) const fn weight(self) -> u8 {
        match self {
            Self::Invalid => 8,
            Self::OverLimit => 7,
            Self::LeaseLost => 6,
            Self::Held => 5,
            Self::MissingTask => 4,
            Self::KeyExists => 3,
            Self::StaleRecord => 2,
            Self::Bounds => 1,
            _ => 0,
        }
    }
}
