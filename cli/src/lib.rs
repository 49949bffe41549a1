//! The `tenure` program as a library: whoever links it calls [`main`] with the arguments.
//!
//! ```text
//!   args       what the program understands
//!   open       opening the store that a command names
//!   task       adding, claiming, the verbs          update    a whole request
//!   list       groups, tasks, numbers               group     pausing
//!   records    keyed values                         journal   bytes, checks, who did what
//!   snapshot   snapshots, backups, the level        demo      the word count
//!   output     for people, or JSON                  quantity  60s, 1.5MiB
//!   exit       errors as exit codes                 progress  a bar on stderr, where that is a terminal
//!   serve      the service
//! ```

mod args;
mod demo;
pub mod exit;
mod group;
mod journal;
mod list;
mod open;
mod output;
mod progress;
mod quantity;
mod records;
#[cfg(feature = "serve")]
mod serve;
mod snapshot;
mod task;
mod update;

use std::{
    ffi::OsString,
    io::{Write as _, stderr},
};

use clap::Parser as _;
use tenure::{Code, Error, Result, core::json};

use args::{Arguments, Command};
use open::Setting;
use output::Output;

/// Runs the program and answers with its exit code; see [`exit`]. The first argument is the program's own name.
pub fn main(args: impl Iterator<Item = OsString>) -> i32 {
    let args: Vec<OsString> = args.collect();
    let json = args.iter().any(|arg| arg == "--json");
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, json),
    };
    let setting = Setting::new(arguments.actor, arguments.token, arguments.ca);
    let mut out = Output::new(arguments.json);
    match run(&arguments.command, &setting, &mut out) {
        Ok(code) => code,
        Err(_) if out.gone => exit::DONE,
        Err(error) => {
            tell(&error, arguments.json);
            exit::code(error.kind())
        }
    }
}

/// A call that can't be understood, or that asked for help.
fn usage(error: &clap::Error, json: bool) -> i32 {
    if error.use_stderr() && json {
        let text = error.to_string();
        let text = text.trim_start_matches("error: ").lines().take_while(|line| !line.starts_with("Usage"));
        let why = text.filter(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join("; ");
        tell(&Error::new(Code::Invalid, why), true);
    } else {
        // A reader that went away needs no message.
        let _ = error.print();
    }
    if error.use_stderr() { exit::USAGE } else { exit::DONE }
}

fn tell(error: &Error, json: bool) {
    let line = if json { json::text(error) } else { format!("tenure: {error}") };
    let _ = writeln!(stderr(), "{line}");
}

fn run(command: &Command, setting: &Setting, out: &mut Output) -> Result<i32> {
    match command {
        Command::Claim(args) => return task::claim(setting, out, args),
        Command::Add(args) => task::add(setting, out, args),
        Command::Renew(args) => task::renew(setting, out, args),
        Command::Release(args) => task::release(setting, out, args),
        Command::Finish(args) => task::finish(setting, out, args),
        Command::Fail(args) => task::fail(setting, out, args),
        Command::Cancel(args) => task::cancel(setting, out, args),
        Command::Move(args) => task::move_to(setting, out, args),
        Command::Requeue(args) => task::requeue(setting, out, args),
        Command::Update(args) => update::update(setting, out, args),
        Command::Groups(args) => list::groups(setting, out, args),
        Command::Tasks(args) => list::tasks(setting, out, args),
        Command::Find(args) => list::find(setting, out, args),
        Command::Records(command) => records::run(setting, out, command),
        Command::Pause(args) => group::pause(setting, out, args, true),
        Command::Resume(args) => group::pause(setting, out, args, false),
        Command::Stats(args) => list::stats(setting, out, args),
        Command::Inspect(args) => journal::inspect(out, args),
        Command::Verify(args) => journal::verify(out, args),
        Command::Snapshot(args) => snapshot::snapshot(setting, out, args),
        Command::Tail(args) => journal::tail(setting, out, args),
        Command::Log(args) => journal::log(setting, out, args),
        Command::Backup(args) => snapshot::backup(setting, out, args),
        Command::Restore(args) => snapshot::restore(out, args),
        Command::Upgrade(args) => snapshot::upgrade(setting, out, args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::serve(setting, out, args),
        Command::Demo(command) => demo::run(setting, command),
    }
    .map(|()| exit::DONE)
}
