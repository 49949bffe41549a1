//! Linux: inotify, /proc/locks, the magic numbers of file systems.

use std::{
    fs::{self, File},
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fs::inotify::{self, CreateFlags, WatchFlags},
};

use super::Rang;
use crate::file::place::FsType;

/// Rings when somebody writes to a directory.
///
/// Each watch is for one event only. So a busy writer pays for one event between two wakes and not for each write,
/// and the queue never holds more than two.
#[derive(Debug)]
pub(in crate::file) struct Bell {
    /// Not there where the system has no watches left.
    inotify: Option<OwnedFd>,
    /// Kept open, so that the directory is followed when it is moved.
    dir: File,
    path: PathBuf,
    armed: bool,
    interrupts: Ringer,
}

/// Interrupts a wait at a bell from another thread.
#[derive(Clone, Debug)]
pub(in crate::file) struct Ringer(Arc<OwnedFd>);

impl Ringer {
    pub(in crate::file) fn ring(&self) {
        // A counter that is full is readable all the same.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

impl Bell {
    /// A bell at a directory, armed where the system allows it.
    pub(in crate::file) fn new(path: &Path) -> std::io::Result<Self> {
        let dir = File::open(path)?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let interrupts = Ringer(Arc::new(event));
        let mut bell = Self { inotify, dir, path: path.to_owned(), armed: false, interrupts };
        bell.arm();
        Ok(bell)
    }

    /// A bell as it is where the system has no watches left.
    #[cfg(test)]
    pub(in crate::file) fn without_watch(path: &Path) -> std::io::Result<Self> {
        Ok(Self { inotify: None, armed: false, ..Self::new(path)? })
    }

    pub(in crate::file) fn ringer(&self) -> Ringer {
        self.interrupts.clone()
    }

    /// Whether a write will ring.
    pub(in crate::file) fn armed(&self) -> bool {
        self.armed
    }

    /// Makes the next write ring, if that is possible now.
    pub(in crate::file) fn arm(&mut self) {
        let Some(inotify) = &self.inotify else { return };
        if !self.armed {
            let events = WatchFlags::MODIFY
                | WatchFlags::CREATE
                | WatchFlags::MOVED_TO
                | WatchFlags::DELETE_SELF
                | WatchFlags::ONESHOT
                | WatchFlags::ONLYDIR;
            let followed = format!("/proc/self/fd/{}", self.dir.as_raw_fd());
            self.armed = inotify::add_watch(inotify, &followed, events).is_ok()
                || inotify::add_watch(inotify, &self.path, events).is_ok();
        }
    }

    /// Waits for a write (where `writes` count now), an interrupt, or the time to pass.
    pub(in crate::file) fn wait(&mut self, timeout: Duration, writes: bool) -> Rang {
        let timeout = Timespec::try_from(timeout).ok();
        let inotify = self.inotify.as_ref().filter(|_| writes && self.armed);
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let mut fds =
            [PollFd::new(&*self.interrupts.0, PollFlags::IN), PollFd::new(&*self.interrupts.0, PollFlags::IN)];
        if let Some(inotify) = inotify {
            fds[1] = PollFd::new(inotify, PollFlags::IN);
        }
        let fds = &mut fds[..if inotify.is_some() { 2 } else { 1 }];
        if !poll(fds, timeout.as_ref()).is_ok_and(|ready| ready > 0) {
            return Rang::Nothing;
        }
        if ready(&fds[0]) {
            let _ = rustix::io::read(&*self.interrupts.0, &mut [0; 8]);
            return Rang::Interrupted;
        }
        if let Some(inotify) = &self.inotify {
            // Room for more than one armed watch can bring.
            let _ = rustix::io::read(inotify, &mut [0_u8; 4096]);
        }
        self.armed = false;
        Rang::Written
    }
}

/// Whether the system tells who holds a lock.
pub(in crate::file) fn knows_holders() -> bool {
    static KNOWS: OnceLock<bool> = OnceLock::new();
    *KNOWS.get_or_init(|| File::open("/proc/locks").is_ok())
}

/// The process that took the lock on a file, unless it can't be seen from here.
pub(in crate::file) fn holder(lock: &File) -> Option<u32> {
    let stat = rustix::fs::fstat(lock).ok()?;
    let device = format!("{:02x}:{:02x}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    holder_in(&fs::read_to_string("/proc/locks").ok()?, &device, stat.st_ino)
}

/// Finds a lock in the kernel's table, whose lines read `1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF`. Some file
/// systems show another device there than to fstat: a lock on the same inode number of another device is the second
/// choice.
fn holder_in(table: &str, device: &str, inode: u64) -> Option<u32> {
    let mut second = None;
    for line in table.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some("FLOCK"), Some(_), Some("WRITE"), Some(pid), Some(place)) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Some((on, number)) = place.rsplit_once(':') else { continue };
        if number.parse() != Ok(inode) {
            continue;
        }
        let pid = pid.parse().ok().filter(|pid| *pid != 0);
        if on == device {
            return pid;
        }
        second = second.or(pid);
    }
    second
}

/// Asks statfs.
pub(in crate::file) fn fs_type(path: &Path) -> FsType {
    match rustix::fs::statfs(path) {
        // The field's width and sign differ between processors; the numbers have 32 bits.
        #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "see above")]
        Ok(found) => from_magic(found.f_type as u32),
        Err(_) => FsType::Unknown,
    }
}

fn from_magic(magic: u32) -> FsType {
    FsType::Shared(match magic {
        0x0000_6969 => "NFS",
        0xff53_4d42 | 0xfe53_4d42 | 0x0000_517b => "SMB",
        0x0102_1997 => "9p",
        0x6573_5546 => "FUSE or virtiofs",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x00c3_6400 => "Ceph",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        0x0bd0_0bd0 => "Lustre",
        0x1983_0326 => "BeeGFS",
        0x4750_4653 => "GPFS",
        0x2003_0528 => "OrangeFS",
        0x7375_7245 => "Coda",
        0x786f_4256 => "a shared folder of VirtualBox",
        0xbacb_acbc => "a shared folder of VMware",
        _ => return FsType::Local,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_names_the_holder_by_device_and_inode() {
        let table = "1: POSIX  ADVISORY  WRITE 7 fe:00:131 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 8 fe:01:131 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fe:00:131 0 EOF\n\
                     3: FLOCK  ADVISORY  READ  10 fe:00:131 0 EOF\n\
                     garbage\n\
                     4: FLOCK  ADVISORY  WRITE 11 fe:00:131 0 EOF\n\
                     5: FLOCK  ADVISORY  WRITE 0 fe:00:140 0 EOF\n";
        assert_eq!(holder_in(table, "fe:00", 131), Some(11));
        assert_eq!(holder_in(table, "00:2a", 131), Some(8), "the device that fstat shows may be another");
        assert_eq!(holder_in(table, "fe:00", 140), None, "a process outside this namespace is 0");
        assert_eq!(holder_in(table, "fe:00", 132), None);
    }

    #[test]
    fn file_systems_that_other_machines_share_are_known_by_their_numbers() {
        for (magic, name) in
            [(0x6969, "NFS"), (0xff53_4d42, "SMB"), (0x0102_1997, "9p"), (0x6573_5546, "FUSE or virtiofs")]
        {
            assert_eq!(from_magic(magic), FsType::Shared(name));
        }
        for local in [0x0000_ef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert_eq!(from_magic(local), FsType::Local);
        }
    }
}
