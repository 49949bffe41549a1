//! The lock and the notice between processes: spawned and killed ones.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use tenure_core::{
    Code,
    bytelog::{Disk as _, DiskFile as _},
};

use super::{fork::forked, open, temp};
use crate::file::{Folder, FolderOptions, Notice};

const ROLE: &str = "TENURE_TEST_ROLE";
const PLACE: &str = "TENURE_TEST_PLACE";

/// This test program again, as another process with a role in a test.
struct Other(Child, BufReader<ChildStdout>);

impl Other {
    fn spawn(role: &str, place: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "file::tests::process::the_other_process", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    /// Reads up to a line that ends so.
    fn until(&mut self, word: &str) {
        let mut line = String::new();
        while !line.trim_end().ends_with(word) {
            line.clear();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the other process ended before it said {word:?}");
        }
    }

    fn go_on(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test of its own: what the other process does in the tests below.
#[test]
#[ignore = "the other process of the tests in this file"]
fn the_other_process() {
    let place = env::var_os(PLACE).unwrap();
    let folder = || Folder::open(Path::new(&place), &FolderOptions::default()).unwrap();
    let hear = || std::io::stdin().read_line(&mut String::new()).unwrap();
    match env::var(ROLE).unwrap().as_str() {
        "hold" => {
            let mut folder = folder();
            folder.lock(10_000).unwrap();
            println!("\nheld");
            let _ = hear();
            folder.unlock();
            println!("\nfree");
            let _ = hear();
        }
        "hold and fork" => {
            let mut folder = folder();
            folder.lock(10_000).unwrap();
            forked(|| {
                println!("\nheld");
                let _ = std::io::stdin().read(&mut [0]);
                0
            });
        }
        "count" => count(&mut folder()),
        "write" => {
            let mut file = fs::OpenOptions::new().append(true).open(place).unwrap();
            println!("\nready");
            while hear() > 0 {
                file.write_all(b"x").unwrap();
            }
        }
        role => panic!("no role {role}"),
    }
}

/// Adds one to the number in a file, 500 times.
fn count(folder: &mut Folder) {
    let file = folder.open("number").unwrap();
    for _ in 0..500 {
        folder.lock(60_000).unwrap();
        let mut number = [0; 8];
        file.read_at(0, &mut number).unwrap();
        file.write_at(0, &(u64::from_le_bytes(number) + 1).to_le_bytes()).unwrap();
        folder.unlock();
    }
}

#[test]
fn two_processes_exclude_each_other_and_the_holder_is_named() {
    let dir = temp();
    let mut folder = open(&dir);
    let mut other = Other::spawn("hold", dir.path());
    other.until("held");
    let error = folder.lock(10).unwrap_err();
    assert_eq!(error.code(), Code::LockTimeout);
    let pid = format!("process {} ", other.0.id());
    assert!(error.message().contains(&pid), "{error}");
    other.go_on();
    other.until("free");
    folder.lock(0).unwrap();
    folder.unlock();
    other.end();
}

#[test]
fn four_processes_lose_no_count() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.create("number").unwrap().write_at(0, &[0; 8]).unwrap();
    let others: Vec<_> = (0..3).map(|_| Other::spawn("count", dir.path())).collect();
    count(&mut folder);
    others.into_iter().for_each(Other::end);
    assert_eq!(fs::read(dir.path().join("number")).unwrap(), 2_000_u64.to_le_bytes());
}

#[test]
fn the_death_of_the_holder_frees_the_lock() {
    let dir = temp();
    let mut folder = open(&dir);
    let mut other = Other::spawn("hold", dir.path());
    other.until("held");
    other.0.kill().unwrap();
    folder.lock(10_000).unwrap();
}

/// D17: the holder is killed inside the section, and a process that it forked lives on.
#[test]
fn d17_a_lock_that_a_forked_process_keeps_open_is_explained_and_freed_with_it() {
    let dir = temp();
    let mut folder = open(&dir);
    let mut other = Other::spawn("hold and fork", dir.path());
    other.until("held");
    let pid = other.0.id();
    other.0.kill().unwrap();
    let stdin = other.0.stdin.take().unwrap();
    other.0.wait().unwrap();
    let error = folder.lock(10).unwrap_err();
    assert_eq!(error.code(), Code::LockTimeout);
    if cfg!(target_os = "linux") {
        assert!(error.message().contains(&format!("process {pid} took it and has ended")), "{error}");
    }
    // The forked process ends when nobody can write to it any more.
    drop(stdin);
    folder.lock(10_000).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_started_inherits_nothing() {
    let dir = temp();
    let mut folder = open(&dir);
    let _file = folder.create("segment").unwrap();
    let _notice = Notice::new(dir.path()).unwrap();
    let listed = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.contains("0 -> "), "{listed}");
    let name = dir.path().file_name().unwrap().to_str().unwrap();
    assert!(!listed.contains(name) && !listed.contains("inotify") && !listed.contains("eventfd"), "{listed}");
}

#[test]
fn a_write_of_another_process_wakes_a_wait_within_50_ms() {
    let dir = temp();
    let path = dir.path().join("a");
    fs::write(&path, b"").unwrap();
    let mut other = Other::spawn("write", &path);
    other.until("ready");
    let mut notice = Notice::new(dir.path()).unwrap();
    let mut took: Vec<_> = (1..=21)
        .map(|written| {
            let since = Instant::now();
            other.go_on();
            while fs::metadata(&path).unwrap().len() < written {
                assert!(notice.wait(Duration::from_mins(10)));
            }
            since.elapsed()
        })
        .collect();
    took.sort();
    // The half, so that a machine that stands still for a moment fails nothing; a mere look once a second would.
    assert!(took[10] < Duration::from_millis(50), "{took:?}");
    other.end();
}
