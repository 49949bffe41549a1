//! The machine that the figures belong to. No date and no host name: two runs on one machine say the same.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the figures depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// How many of them this process may use.
    pub cores: usize,
    /// The kernel's name and release.
    pub kernel: String,
    /// Memory in GiB.
    pub memory_gib: Option<u64>,
    /// The file system under the stores.
    pub file_system: String,
    /// The SQLite that is linked in.
    pub sqlite: String,
    /// The compiler's target.
    pub target: String,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// Describes this machine, with the file system that `dir` lies on.
    pub fn describe(dir: &Path) -> Self {
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| UNKNOWN.into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| std::env::consts::OS.into(), |release| format!("Linux {}", release.trim())),
            memory_gib: field("/proc/meminfo", "MemTotal")
                .and_then(|kib| kib.split_ascii_whitespace().next()?.parse::<u64>().ok())
                .map(|kib| kib.div_ceil(1 << 20)),
            file_system: file_system(dir),
            sqlite: rusqlite::version().into(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, file_system, sqlite, .. } = self;
        let memory = self.memory_gib.map_or_else(|| "memory unknown".into(), |gib| format!("{gib} GiB"));
        write!(out, "{cpu}, {cores} cores, {memory}, {kernel}, {file_system}, SQLite {sqlite}")
    }
}

/// How many processes wanted to run, the mean of the last minute; `None` where the system has no /proc.
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().into())
}

/// The type of the file system that `dir` lies on, by the longest mount point above it.
pub fn file_system(dir: &Path) -> String {
    let Ok(dir) = dir.canonicalize() else { return UNKNOWN.into() };
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mounts") else { return UNKNOWN.into() };
    let mut best = (0, UNKNOWN);
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        if let (Some(point), Some(kind)) = (words.next(), words.next())
            && dir.starts_with(point)
            && point.len() >= best.0
        {
            best = (point.len(), kind);
        }
    }
    best.1.into()
}

/// Whether figures for a disk would be figures for memory there.
pub fn is_memory(file_system: &str) -> bool {
    matches!(file_system, "tmpfs" | "ramfs")
}
