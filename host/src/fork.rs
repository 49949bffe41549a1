//! Telling a forked child from the process that opened a handle.
//!
//! Asking for the process id is a system call, and a commit in memory is not much more than one; so the system is
//! asked to count forks instead, where it can.

/// A number that is another one in a forked child.
#[cfg(unix)]
pub(crate) fn generation() -> u64 {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    static FORKS: AtomicU64 = AtomicU64::new(0);
    static COUNTED: LazyLock<bool> = LazyLock::new(|| {
        extern "C" fn forked() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the handler only adds to an atomic, which is allowed between fork and exec, and lives as long as the
        // process.
        #[allow(unsafe_code)]
        let registered = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        registered == 0
    });

    // Where the system won't count (it fails only for want of memory), the process id does, if more slowly.
    if *COUNTED { FORKS.load(Ordering::Relaxed) } else { u64::from(std::process::id()) << 32 }
}

/// There is no fork.
#[cfg(not(unix))]
pub(crate) const fn generation() -> u64 {
    0
}
