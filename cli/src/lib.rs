//! The `tenure` program as a library: whoever links it calls [`main`] with the arguments.
//!
//! ```text
//!   args       what the program understands
//!   demo       the word count: several processes on one store, one of them killed
//!   exit       errors as exit codes
//!   progress   a bar on stderr, where that is a terminal
//! ```

mod args;
mod demo;
pub mod exit;
mod progress;

use std::{ffi::OsString, io::Write as _};

use clap::Parser as _;
use tenure::{Result, core::json};

use args::{Arguments, Command};

/// Runs the program and answers with its exit code; see [`exit`]. The first argument is the program's own name.
pub fn main(args: impl Iterator<Item = OsString>) -> i32 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A reader that went away needs no message.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE } else { exit::DONE };
        }
    };
    match run(&arguments.command) {
        Ok(code) => code,
        Err(error) => {
            let line = if arguments.json { json::text(&error) } else { format!("tenure: {error}") };
            let _ = writeln!(std::io::stderr(), "{line}");
            exit::code(error.kind())
        }
    }
}

fn run(command: &Command) -> Result<i32> {
    match command {
        Command::Demo(command) => demo::run(command).map(|()| exit::DONE),
    }
}
