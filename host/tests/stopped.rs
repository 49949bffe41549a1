//! A process that stands still inside the lock, a clock that is put back and forward, a fork.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod other;

use std::time::Duration;

use other::Other;
use rustix::process::Signal;
use tenure::{
    Code, Options, Store,
    clock::Clock,
    core::bytelog::Disk as _,
    file::{Folder, FolderOptions},
};

const HOUR: u64 = 3_600_000;
const LEASE: Duration = Duration::from_mins(1);

/// Not a test of its own: the other process of the tests below.
#[test]
#[ignore = "the other process of the tests in this file"]
fn the_other_process() {
    let (role, place) = other::role();
    let mut folder = Folder::open(&place, &FolderOptions::default()).unwrap();
    assert_eq!(role, "hold the lock");
    folder.lock(10_000).unwrap();
    other::say("held");
    other::wait();
    folder.unlock();
    other::say("free");
    other::wait();
}

#[test]
fn others_are_told_who_holds_the_lock_and_go_on_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Options::new().lock_wait(Duration::from_millis(30)).open(&place).unwrap();
    let task = store.add("map", "x").unwrap();
    let mut other = Other::spawn("hold the lock", &place);
    other.until("held");
    other.signal(Signal::STOP);
    for refused in [store.add("map", "y").unwrap_err(), store.finish(&task).unwrap_err()] {
        assert_eq!((refused.code(), refused.outcome().slug()), (Code::LockTimeout, "not_started"), "{refused}");
        assert!(refused.message().contains(&format!("process {} ", other.0.id())), "{refused}");
    }
    assert_eq!(store.group("map").unwrap().tasks, 1, "reading needs no lock");
    assert_eq!(store.weak().group("map").unwrap().tasks, 1);
    assert_eq!(
        Options::new().lock_wait(Duration::from_millis(30)).open(&place).unwrap_err().code(),
        Code::LockTimeout,
        "the lock is never broken"
    );
    // It goes on, and so does everyone.
    let patient = Store::open;
    other.signal(Signal::CONT);
    other.go_on();
    other.until("free");
    store.finish(&task).unwrap();
    assert_eq!(patient(&place).unwrap().group("map").unwrap().tasks, 0);
    store.close().unwrap();
    other.end();
}

#[test]
fn closing_needs_no_lock_where_everything_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Options::new().lock_wait(Duration::from_millis(30)).open(&place).unwrap();
    store.add("map", "x").unwrap();
    let mut other = Other::spawn("hold the lock", &place);
    other.until("held");
    store.close().unwrap();
    other.go_on();
    other.until("free");
    other.end();
}

#[test]
fn a_clock_that_is_put_back_an_hour_frees_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let (mine, theirs) = (Clock::test(100 * HOUR), Clock::test(100 * HOUR));
    let store = Options::new().clock(mine.clone()).owner(1).open(&place).unwrap();
    let other = Options::new().clock(theirs.clone()).owner(2).open(&place).unwrap();
    store.add_many("map", ["a", "b"]).unwrap();
    let held = store.claim(&["map"], LEASE).unwrap().unwrap();
    mine.set(99 * HOUR);
    let renewed = store.renew(&held, LEASE).unwrap();
    assert!(renewed.id > held.id && renewed.available_at < held.available_at);
    // By the other's clock that lease has ended; whoever holds the present id may commit, nobody else.
    let taken = other.claim_many(&["map"], LEASE, 2).unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(store.finish(&renewed).unwrap_err().code(), Code::LeaseLost);
    for task in &taken {
        other.finish(task).unwrap();
    }
    // A task that is added by the clock that stands back is available by the other at once, and the other way round
    // it waits for an hour at most.
    store.add("map", "c").unwrap();
    assert!(other.claim(&["map"], LEASE).unwrap().is_some());
    other.add("map", "d").unwrap();
    assert!(store.claim(&["map"], LEASE).unwrap().is_none());
    assert!(store.stats().unwrap().clock_ahead >= HOUR);
    assert_eq!(store.digest().unwrap(), other.digest().unwrap());
}

#[test]
fn a_clock_that_is_put_forward_an_hour_ends_leases_and_no_commit_is_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let (mine, theirs) = (Clock::test(100 * HOUR), Clock::test(100 * HOUR));
    let store = Options::new().clock(mine).owner(1).open(&place).unwrap();
    let other = Options::new().clock(theirs.clone()).owner(2).open(&place).unwrap();
    store.add("map", "a").unwrap();
    let held = store.claim(&["map"], LEASE).unwrap().unwrap();
    theirs.set(101 * HOUR);
    let stolen = other.claim(&["map"], LEASE).unwrap().unwrap();
    assert_eq!(store.finish(&held).unwrap_err().code(), Code::LeaseLost);
    theirs.set(100 * HOUR);
    let renewed = other.renew(&stolen, LEASE).unwrap();
    other.finish(&renewed).unwrap();
    assert_eq!(store.group("map").unwrap().tasks, 0);
}

/// Runs something in a forked process and gives back whether it held there.
fn holds_in_a_fork(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child is a copy of this thread alone. It takes no lock that another thread may have held, and it
    // ends through `_exit`, so that no destructor runs twice.
    #[allow(unsafe_code, reason = "std has no fork, and a fork is what is tested")]
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: it ends the process, whatever its state.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            libc::_exit(i32::from(!held))
        };
    }
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap().unwrap();
    status.exit_status() == Some(0)
}

#[test]
fn a_forked_child_can_not_write_and_the_parent_is_unharmed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    let task = store.add("map", "x").unwrap();
    let held = store.hold(store.claim(&["map"], LEASE).unwrap().unwrap(), LEASE);
    let mut inherited = Some((store, held));
    let refused = holds_in_a_fork(|| {
        let (store, held) = inherited.take().unwrap();
        let forked = |code: Option<Code>| code == Some(Code::Forked);
        let all = forked(store.add("map", "y").err().map(|error| error.code()))
            && forked(store.task(task.id).err().map(|error| error.code()))
            && forked(store.flush().err().map(|error| error.code()))
            && forked(store.snapshot().err().map(|error| error.code()))
            && forked(store.claim_wait(&["map"], LEASE, LEASE).err().map(|error| error.code()))
            && forked(held.renew().err().map(|error| error.code()));
        let closed = store.close().is_ok();
        drop((held, store));
        // A handle of the child's own does.
        let own = Store::open(&place).unwrap();
        all && closed && own.add("map", "by the child").is_ok() && own.close().is_ok()
    });
    assert!(refused);
    let (store, held) = inherited.unwrap();
    assert_eq!(store.group("map").unwrap().tasks, 2);
    store.add("map", "z").unwrap();
    held.finish().unwrap();
    assert_eq!(store.group("map").unwrap().tasks, 2);
}
