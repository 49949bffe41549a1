//! The built program, run in a folder of its own.
#![allow(dead_code, clippy::unwrap_used)]

pub mod service;

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

/// A folder in which the program runs, with a store that is called `s`.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        command.args(args).current_dir(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it with words that spaces part.
    pub fn run(&self, line: &str) -> Said {
        self.run_with(&line.split(' ').collect::<Vec<_>>(), "")
    }

    pub fn run_with(&self, args: &[&str], input: &str) -> Said {
        let mut child = self.command(args).spawn().unwrap();
        // One that does not read its input may be gone before all of it is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        Said {
            code: out.status.code().unwrap_or(-1),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Runs it, and it has to go well without a word on stderr.
    pub fn ok(&self, line: &str) -> String {
        self.ok_with(line, "")
    }

    pub fn ok_with(&self, line: &str, input: &str) -> String {
        let said = self.run_with(&line.split(' ').collect::<Vec<_>>(), input);
        assert!(said.code == 0 && said.err.is_empty(), "{line}: {said:?}");
        said.out
    }

    /// The same, and the answer is one JSON value.
    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("{line} --json"))).unwrap()
    }
}
