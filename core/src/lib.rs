//! The heart of Tenure: a deterministic state machine over a journal with conditional append.
//!
//! This crate is `no_std` + `alloc`. It reads no clock, draws no randomness and does no I/O: `now`, a seed and a
//! [`Journal`](port::Journal) are arguments.
//!
//! ```text
//!   id time limits error data task record request      values
//!   entry                                              what one append means: a head and ops
//!   frame                                              bytes around an entry
//!   port                                               what a host must offer
//!   json                                               the one JSON spelling of requests, tasks and errors
//!   bytelog rows                                       journals over raw bytes, and over rows
//!   state                                              what is true now; `apply` is its only mutator
//!   txn                                                what should become true: validation, claims, verbs
//!   snapshot                                           the state in one piece, walked while commits go on
//!   engine                                             stage, confirm, rollback, ingest
//!   driver                                             the engine over a journal, blocking
//!   desk                                               the engine for a host that can't block
//!   archive                                            a store as one file, for hosts without folders
//!   inspect                                            what stands in a store's bytes, line by line
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(feature = "std")]
pub mod archive;
pub mod bytelog;
pub mod data;
pub mod desk;
pub mod driver;
pub mod engine;
pub mod entry;
pub mod error;
pub mod frame;
pub mod id;
#[cfg(feature = "json")]
pub mod inspect;
#[cfg(feature = "json")]
pub mod json;
pub mod limits;
pub mod port;
pub mod record;
pub mod request;
pub mod rows;
pub mod snapshot;
pub mod state;
pub mod task;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod txn;

pub use crate::{
    data::Data,
    error::{Code, Error, Kind, Outcome, Refusal, Result, Retry},
    id::{Author, OwnerId, Position, Revision, StoreId, TaskId},
    limits::Limits,
    record::Record,
    request::{
        Add, Claim, Committed, Delete, Depend, Guard, IfExists, Increment, Order, Put, Remove, Request, Update, Verb,
    },
    task::{GroupStats, Task, TaskState},
    time::{Millis, When},
};

/// The format of every byte that a store writes; normative.
#[doc = include_str!("../../docs/FORMAT.md")]
pub mod format {}
