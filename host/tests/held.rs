//! Leases that renew themselves, and transactions that run again, in a folder.
#![allow(clippy::unwrap_used)]

#[path = "suite/folder.rs"]
mod place;

#[path = "suite/held.rs"]
mod suite;
