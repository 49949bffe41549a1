//! A server in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::talk::{Beanstalk, Http, Redis, Talk};
use crate::bench::{Bench, Scratch};
use crate::contender::{Answer, Failure};

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `tenure serve`.
    Tenure,
    /// beanstalkd with its log.
    Beanstalkd,
    /// Redis with its append-only file: a list of what waits, one of what is held, a sorted set of leases.
    Redis,
}

impl Kind {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tenure => crate::contender::TENURE,
            Self::Beanstalkd => "beanstalkd",
            Self::Redis => "Redis",
        }
    }

    /// What is said to it on the connection of this number.
    pub fn talk(self, number: u64) -> Box<dyn Talk> {
        match self {
            Self::Tenure => Box::new(Http::new(number)),
            Self::Beanstalkd => Box::new(Beanstalk::default()),
            Self::Redis => Box::new(Redis::default()),
        }
    }

    fn command(self, bench: &Bench, dir: &Path, strict: bool, port: u16) -> Answer<Command> {
        let port = port.to_string();
        let mut command = match self {
            Self::Tenure => {
                let program = bench.program.as_ref();
                let missing = || Failure::NotOffered("the tenure program is not built in release mode".into());
                let mut command = Command::new(program.ok_or_else(missing)?);
                command.arg("serve").arg(dir.join("store")).args(["--listen", "127.0.0.1:0"]);
                if !strict {
                    command.arg("--opportunistic");
                }
                command
            }
            Self::Beanstalkd => {
                let mut command = Command::new("beanstalkd");
                command.args(["-l", "127.0.0.1", "-p", &port]).arg("-b").arg(dir);
                command.args(["-f", if strict { "0" } else { "50" }]);
                command
            }
            Self::Redis => {
                let mut command = Command::new("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", &port]).arg("--dir").arg(dir);
                command.args(["--save", "", "--appendonly", "yes"]);
                command.args(["--appendfsync", if strict { "always" } else { "everysec" }]);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(dir.join("stderr"))?);
        Ok(command)
    }
}

/// A server that runs, on an empty directory.
pub struct Host {
    child: Child,
    /// Where it listens.
    pub at: SocketAddr,
    _dir: Scratch,
}

impl Host {
    /// Starts it. One that is not installed is not offered.
    pub fn start(bench: &Bench, kind: Kind, strict: bool) -> Answer<Self> {
        let dir = bench.scratch()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut child = match kind.command(bench, dir.path(), strict, port)?.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let name = kind.name();
                eprintln!("\n!!! NOT MEASURED: {name} is not installed (Debian: beanstalkd, redis-server)\n");
                return Err(Failure::NotOffered(format!("{name} is not installed")));
            }
            Err(error) => return Err(error.into()),
        };
        let mut at = SocketAddr::from(([127, 0, 0, 1], port));
        if kind == Kind::Tenure
            && let Some(says) = child.stdout.take()
        {
            let mut line = String::new();
            BufReader::new(says).read_line(&mut line)?;
            let address = line.trim().rsplit_once("//").and_then(|(_, address)| address.parse().ok());
            at = address.ok_or_else(|| Failure::Broken(format!("tenure serve said {line:?}")))?;
        } else if let Some(says) = child.stdout.take() {
            // What it says must go somewhere.
            thread::spawn(move || std::io::copy(&mut BufReader::new(says), &mut std::io::sink()));
        }
        let host = Self { child, at, _dir: dir };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(at).is_err() {
            if Instant::now() > until {
                return Err(Failure::Broken(format!("{} does not listen", kind.name())));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(host)
    }

    /// Seconds of CPU that it has taken so far; its threads that run count to the nanosecond.
    pub fn cpu(&self) -> Answer<f64> {
        let mut nanos = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(nanos as f64 / 1e9)
    }

    /// Bytes of memory that it takes up.
    pub fn resident(&self) -> Answer<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
        Ok(kib * 1024.0)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It has nothing to keep.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
