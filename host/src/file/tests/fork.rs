//! What a forked process may do with what it inherited.

use std::fs;

use tenure_core::{
    Code, Result,
    bytelog::{Disk as _, DiskFile as _},
};

use super::{open, temp};

/// Runs something in a forked process and gives back what it answered.
pub(super) fn forked(child: impl FnOnce() -> u8) -> u8 {
    // SAFETY: the child is a copy of this thread alone. It takes no lock that another thread of the test program may
    // have held, but for malloc's, which libc keeps usable across a fork; and it ends through `_exit`, so that
    // neither the test harness nor any destructor of it runs twice.
    #[allow(unsafe_code, reason = "std has no fork, and a fork is what is tested")]
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(255);
        // SAFETY: it ends the process, whatever its state.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            libc::_exit(i32::from(code))
        };
    }
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap().unwrap();
    u8::try_from(status.exit_status().unwrap()).unwrap()
}

fn is<T>(outcome: Result<T>, code: Code) -> bool {
    outcome.is_err_and(|error| error.code() == code)
}

/// The number of the first statement that is not so, from 1; or 0.
fn first_false(statements: &[bool]) -> u8 {
    statements.iter().position(|so| !so).map_or(0, |at| u8::try_from(at + 1).unwrap())
}

/// D17: what a forked child does with the handle it inherited must not free the parent's lock.
#[test]
fn d17_a_forked_child_neither_frees_the_lock_nor_writes() {
    let dir = temp();
    let mut folder = open(&dir);
    let file = folder.create("a").unwrap();
    let shared = folder.shared();
    folder.lock(0).unwrap();
    let mut inherited = Some((folder, file, shared));
    let wrong = forked(|| {
        let (mut folder, file, shared) = inherited.take().unwrap();
        let refused = [
            is(file.write_at(0, b"child"), Code::Forked),
            is(file.truncate(0), Code::Forked),
            is(file.sync(), Code::Forked),
            is(shared.write(&[1; 64]), Code::Forked),
            is(folder.lock(0), Code::Forked),
            is(folder.names(), Code::Forked),
            is(folder.write_shared(&[1; 64]), Code::Forked),
            is(folder.shared().write(&[1; 64]), Code::Forked),
        ];
        folder.unlock();
        // A good handle in the child; the parent's lock holds against it.
        let mut reopened = folder.reopen().unwrap();
        drop(folder);
        let excluded = [is(reopened.lock(0), Code::LockTimeout), reopened.names().is_ok_and(|names| names == ["a"])];
        first_false(&[&refused[..], &excluded[..]].concat())
    });
    assert_eq!(wrong, 0, "the statement in the child that did not hold");
    let (mut folder, file, _) = inherited.unwrap();
    assert!(is(open(&dir).lock(0), Code::LockTimeout), "the parent still holds it");
    assert!(file.is_empty().unwrap());
    assert_eq!(folder.read_shared().unwrap(), [0; 64]);
    folder.unlock();
    open(&dir).lock(0).unwrap();
}

#[test]
fn a_handle_that_is_only_dropped_in_a_forked_child_keeps_the_parents_lock() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.lock(0).unwrap();
    let mut inherited = Some(folder);
    assert_eq!(
        forked(|| {
            drop(inherited.take());
            0
        }),
        0
    );
    assert!(is(open(&dir).lock(0), Code::LockTimeout));
    drop(inherited);
    open(&dir).lock(0).unwrap();
}

#[test]
fn a_reopened_handle_works_in_a_forked_child() {
    let dir = temp();
    let folder = open(&dir);
    let wrong = forked(|| {
        let mut mine = folder.reopen().unwrap();
        let locked = mine.lock(0).is_ok();
        let file = mine.create("child").unwrap();
        first_false(&[locked, file.write_at(0, b"x").is_ok(), file.sync().is_ok(), mine.sync_names().is_ok()])
    });
    assert_eq!(wrong, 0);
    assert_eq!(fs::read(dir.path().join("child")).unwrap(), b"x");
    let mut folder = folder;
    folder.lock(0).unwrap();
}
