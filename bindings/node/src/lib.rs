//! Tenure for Node: converts, calls, maps errors. All rules live in the crates below; what JavaScript says better than Rust
//! (classes of errors, iterators, signals) is in `lib`.
//!
//! ```text
//!  JavaScript thread                    other threads
//!    ask(ticket, …) ──────────────────►  lane: commits in batches      pool: everything that may wait
//!    deliver([what, id, value, …]) ◄───  hub: answers, and calls of a journal's methods
//! ```
//!
//! * `store`        the handle, its verbs, waits and held leases
//! * `transaction`  `transact` and `transaction`
//! * `journal`      a journal that a JavaScript object supplies
//! * `types`        values on their way in and out
//! * `error`        errors on their way out, from the catalogue
//! * `clock`        a clock for tests
//! * `command`      the command line
//! * `hub`          the way back to the JavaScript thread, and `outbox`, what goes over
//! * `lane`, `pool` the threads that do the work

mod clock;
mod command;
mod error;
mod hub;
mod journal;
mod lane;
mod outbox;
mod pool;
mod store;
mod transaction;
mod types;
