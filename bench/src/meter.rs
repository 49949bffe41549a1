//! What a process used: wall time, CPU time, resident memory, syncs.
//!
//! On Linux the program stands in front of `fsync` and `fdatasync` for everything linked into it, SQLite included, and
//! counts the calls before it passes them on: whether strict is strict is then measured and not believed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

static SYNCS: AtomicU64 = AtomicU64::new(0);
static SYNC_NANOS: AtomicU64 = AtomicU64::new(0);

#[cfg(target_os = "linux")]
mod before_libc {
    use super::{Instant, Ordering, SYNC_NANOS, SYNCS};

    fn counted(number: libc::c_long, fd: libc::c_int) -> libc::c_int {
        let began = Instant::now();
        // SAFETY: fsync and fdatasync take one descriptor and no pointer; errno is set by `syscall`.
        let answer = unsafe { libc::syscall(number, fd) };
        SYNCS.fetch_add(1, Ordering::Relaxed);
        SYNC_NANOS.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        answer as libc::c_int
    }

    // SAFETY: the signatures and meanings are those of libc.
    #[unsafe(no_mangle)]
    extern "C" fn fsync(fd: libc::c_int) -> libc::c_int {
        counted(libc::SYS_fsync, fd)
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    extern "C" fn fdatasync(fd: libc::c_int) -> libc::c_int {
        counted(libc::SYS_fdatasync, fd)
    }
}

/// What was used between two moments.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Used {
    /// Wall seconds.
    pub seconds: f64,
    /// CPU seconds of this process, user and system.
    pub cpu: f64,
    /// Calls of fsync and fdatasync; 0 where they can't be counted.
    pub syncs: u64,
    /// Seconds within them, added over the threads.
    pub sync_seconds: f64,
}

/// A moment to measure from.
pub struct Meter {
    began: Instant,
    cpu: f64,
    syncs: u64,
    sync_nanos: u64,
}

impl Meter {
    /// From now on.
    pub fn start() -> Self {
        Self {
            syncs: SYNCS.load(Ordering::Relaxed),
            sync_nanos: SYNC_NANOS.load(Ordering::Relaxed),
            cpu: cpu_seconds(Whose::Own),
            began: Instant::now(),
        }
    }

    /// What was used since.
    pub fn used(&self) -> Used {
        Used {
            seconds: self.began.elapsed().as_secs_f64(),
            cpu: cpu_seconds(Whose::Own) - self.cpu,
            syncs: SYNCS.load(Ordering::Relaxed) - self.syncs,
            sync_seconds: (SYNC_NANOS.load(Ordering::Relaxed) - self.sync_nanos) as f64 / 1e9,
        }
    }
}

/// Whose CPU time.
#[derive(Clone, Copy)]
pub enum Whose {
    /// This process.
    Own,
    /// Its children that have ended.
    Children,
}

/// CPU seconds, user and system, since the process began.
#[cfg(unix)]
pub fn cpu_seconds(whose: Whose) -> f64 {
    let whose = match whose {
        Whose::Own => libc::RUSAGE_SELF,
        Whose::Children => libc::RUSAGE_CHILDREN,
    };
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole rusage, which all zeros is a value of.
    let usage = unsafe {
        libc::getrusage(whose, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + f64::from(time.tv_usec as i32) / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// CPU seconds can't be had here.
#[cfg(not(unix))]
pub fn cpu_seconds(_whose: Whose) -> f64 {
    f64::NAN
}

/// Resident memory of this process in bytes; `None` where the system has no /proc.
pub fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

#[cfg(unix)]
fn page_bytes() -> u64 {
    // SAFETY: sysconf reads a number.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

#[cfg(not(unix))]
fn page_bytes() -> u64 {
    4096
}
