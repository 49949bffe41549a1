//! Below the engine: bytes, checks, and who did what.
//!
//! ```text
//!   inspect   what stands in the bytes
//!   verify    whether all of it fits
//!   history   the last entries, those that come, and who did what
//!   entry     an entry in words, and as JSON
//! ```

mod entry;
mod history;
mod inspect;
mod verify;

pub use history::{Log, Tail, log, tail};
pub use inspect::{Inspect, inspect};
pub use verify::{Verify, verify};
