//! The full API: all that an embedded store can do, in the same JSON.
//!
//! * `commit`   transactions and claims
//! * `tasks`    looking at tasks and groups
//! * `records`  keyed values, with entity tags
//! * `events`   what happens, as it happens, and what has happened
//! * `upkeep`   snapshots, backups, numbers

pub mod commit;
pub mod events;
pub mod records;
pub mod tasks;
pub mod upkeep;
