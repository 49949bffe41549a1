//! This test program again, as another process with a role in a test: it says words, and goes on when it is told to.
#![allow(dead_code, reason = "of the tests that share this file, not each needs all of it")]

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

const ROLE: &str = "TENURE_TEST_ROLE";
const PLACE: &str = "TENURE_TEST_PLACE";

/// Another process. It is killed when this is dropped.
pub struct Other(pub Child, BufReader<ChildStdout>);

impl Other {
    /// Starts this test program's ignored test `the_other_process` in a role, at a place.
    pub fn spawn(role: &str, place: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_other_process", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    /// Reads up to a line that begins so, and gives the rest of it; `None` where the process ended before.
    pub fn hear(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.1.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some(rest) = line.trim_end().strip_prefix(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    /// The same, where it must come.
    pub fn until(&mut self, word: &str) -> String {
        self.hear(word).unwrap_or_else(|| panic!("the other process ended before it said {word:?}"))
    }

    /// Tells it to go on.
    pub fn go_on(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Waits for its end, which must be a good one.
    pub fn end(mut self) {
        drop(self.0.stdin.take());
        let status = self.0.wait().unwrap();
        assert!(status.success(), "the other process ended with {status}");
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.0.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In the other process: its role and its place.
pub fn role() -> (String, PathBuf) {
    (env::var(ROLE).unwrap(), env::var_os(PLACE).unwrap().into())
}

/// In the other process: says a word.
pub fn say(word: &str) {
    println!("\n{word}");
}

/// In the other process: waits until it is told to go on; `false` when nobody will.
pub fn wait() -> bool {
    std::io::stdin().read_line(&mut String::new()).unwrap() > 0
}
