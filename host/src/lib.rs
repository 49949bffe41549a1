//! An embeddable, durable, transactional coordination store: claim work, commit once.
//!
//! Workers *claim* tasks for a lease. Tasks and records change together in one atomic transaction, and every transaction
//! is one entry in a journal. A claim gives the task a new id, so a worker that was too slow can't commit: it names an id
//! that is no longer.
//!
//! ```
//! use std::time::Duration;
//!
//! # fn main() -> tenure::Result<()> {
//! let store = tenure::Store::memory()?;
//! store.add_many("map", ["part-1", "part-2"])?;
//! for held in store.claims(["map"]).lease(Duration::from_secs(60)).idle(Duration::ZERO) {
//!     let held = held?;
//!     let out = held.data().len().to_string();
//!     store.transact(|tx| {
//!         tx.finish(&held);
//!         tx.add("reduce", &out);
//!         Ok(())
//!     })?;
//! }
//! assert_eq!(store.group("reduce")?.tasks, 2);
//! # Ok(()) }
//! ```

pub mod backup;
mod buffered;
pub mod clock;
mod durations;
pub mod file;
mod fork;
pub mod history;
pub mod interrupt;

mod options;
mod quick;
#[cfg(feature = "client")]
pub mod remote;
pub mod store;
mod trace;
pub mod verify;

pub use durations::Durations;
pub use options::{Durability, Options, Sharing, SnapshotPolicy};
#[cfg(feature = "client")]
pub use remote::connect;
pub use store::{
    Answers, Batch, Cancel, Claims, Filter, Held, Posted, Rounds, Staged, Stats, Store, Subject, TaskName, Transaction,
    Watch, Work,
};
pub use tenure_core::{
    self as core, Add, Author, Claim, Code, Committed, Data, Delete, Depend, Error, GroupStats, Guard, IfExists,
    Increment, Kind, Limits, Millis, Order, Outcome, OwnerId, Position, Put, Record, Refusal, Remove, Request, Result,
    Retry, Revision, StoreId, Task, TaskId, TaskState, Update, Verb, When, entry::Reason,
};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/rust.md")]
struct Guide;
