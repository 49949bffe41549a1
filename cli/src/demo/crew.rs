//! The workers' processes.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tenure::{Result, TaskId};

use super::{fault, job::Computed, unavailable};
use crate::open::Setting;

/// How workers are started.
pub struct Crew {
    pub store: PathBuf,
    pub corpus: PathBuf,
    pub run: i64,
    pub parts: u64,
    setting: Setting,
    workers: Vec<(String, Child)>,
}

/// A worker that has computed a task's output and holds the task until it is killed.
pub struct Doomed {
    name: String,
    child: Child,
    pub computed: Computed,
}

impl Crew {
    pub fn new(setting: Setting, store: PathBuf, corpus: PathBuf, run: i64, parts: u64) -> Self {
        Self { store, corpus, run, parts, setting, workers: Vec::new() }
    }

    fn start(&self, name: &str, lease: u64, doomed: bool) -> Result<Child> {
        let program = std::env::current_exe().map_err(|error| unavailable("can't find this program", &error))?;
        let mut command = Command::new(program);
        command.args(["demo", "worker"]).arg(&self.store).arg(&self.corpus);
        command.args(["--run", &self.run.to_string(), "--parts", &self.parts.to_string()]);
        command.args(["--name", name, "--lease", &lease.to_string()]);
        if let Some(ca) = &self.setting.ca {
            command.arg("--ca").arg(ca);
        }
        if let Some(token) = &self.setting.token {
            // Not as an argument, which everybody on the machine can see.
            command.env("TENURE_TOKEN", token);
        }
        if doomed {
            command.arg("--doomed").stdout(Stdio::piped());
        }
        command.stdin(Stdio::piped()).spawn().map_err(|error| unavailable("can't start a worker", &error))
    }

    /// Starts a worker that works until it is told to stop.
    pub fn hire(&mut self, name: &str, lease: u64) -> Result<()> {
        let child = self.start(name, lease, false)?;
        self.workers.push((name.into(), child));
        Ok(())
    }

    /// Starts a worker that will be killed, and waits until it has computed.
    pub fn doom(&self, name: &str, lease: u64) -> Result<Doomed> {
        let mut child = self.start(name, lease, true)?;
        let mut line = String::new();
        if let Some(out) = &mut child.stdout {
            BufReader::new(out).read_line(&mut line).map_err(|error| unavailable("can't hear a worker", &error))?;
        }
        match serde_json::from_str(&line) {
            Ok(computed) => Ok(Doomed { name: name.into(), child, computed }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(fault(format!("{name} ended before it had computed anything")))
            }
        }
    }

    /// An error if a worker has ended although there is work.
    pub fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.workers {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(fault(format!("{name} ended too early, with {status}")));
            }
        }
        Ok(())
    }

    /// Tells the workers to stop, and waits for each.
    pub fn dismiss(&mut self) -> Result<()> {
        self.workers.iter_mut().for_each(|(_, child)| drop(child.stdin.take()));
        for (name, child) in &mut self.workers {
            let status = child.wait().map_err(|error| unavailable("can't wait for a worker", &error))?;
            if !status.success() {
                return Err(fault(format!("{name} failed, with {status}")));
            }
        }
        self.workers.clear();
        Ok(())
    }
}

impl Doomed {
    /// Kills it (SIGKILL where there are signals), and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        let killed = self.child.kill().and_then(|()| self.child.wait().map(|_| ()));
        killed.map_err(|error| unavailable(&format!("can't kill {}", self.name), &error))
    }

    pub fn origin(&self) -> TaskId {
        self.computed.origin()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for (_, child) in &mut self.workers {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
