//! Tasks: adding, claiming, and the verbs.
//!
//! ```text
//!   add      adding tasks
//!   claim    claiming them, and Ctrl-C during a wait
//!   verb     renew, release, finish, fail, cancel, move: by `ID --owner N` or by the task's JSON on stdin
//!   requeue  one task, or all of a group
//! ```

mod add;
mod claim;
mod requeue;
mod verb;

pub use add::{Add, add};
pub use claim::{Claim, claim};
pub use requeue::{Requeue, requeue};
pub use verb::{Cancel, Fail, Finish, Move, Release, Renew, cancel, fail, finish, move_to, release, renew};
