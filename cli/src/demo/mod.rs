//! The word count: map and reduce tasks, several worker processes on one strict store, and some of them killed while
//! they hold a task whose output they have computed. It ends well only if every word is counted once and the late commit
//! of the killed is refused.
//!
//! ```text
//!   args        what the demonstrations take
//!   corpus      the texts, and how they are cut into pieces
//!   words       counting, and dealing words to parts
//!   job         the names of groups and tables, and a task's output
//!   wordcount   the process that adds the tasks, starts, kills and checks
//!   crew        its workers' processes
//!   worker      one worker
//!   screen      what is shown at the end
//! ```

mod args;
mod corpus;
mod crew;
mod job;
mod screen;
mod wordcount;
mod words;
mod worker;

pub use args::Demo;
use tenure::{Code, Error, Result};

use crate::open::Setting;

pub fn run(setting: &Setting, command: &Demo) -> Result<()> {
    match command {
        Demo::Wordcount(args) => wordcount::run(setting, args),
        Demo::Worker(args) => worker::run(setting, args),
    }
}

/// Something that the demo itself could not read or start.
fn unavailable(what: &str, error: &std::io::Error) -> Error {
    Error::new(Code::Unavailable, format!("{what}: {error}"))
}

/// What can't be unless Tenure has a fault.
fn fault(what: impl Into<String>) -> Error {
    Error::new(Code::Internal, what)
}
