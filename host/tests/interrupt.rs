//! A wait for the lock that the host ends. The check is the whole process's, so this is the only test here.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    fs::File,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tenure::{Code, Options, Outcome};

static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);

#[test]
fn a_wait_for_the_lock_ends_when_the_host_says_so() {
    tenure::interrupt::check_while_waiting(|| ASKED_TO_STOP.load(Ordering::Relaxed));
    let folder = tempfile::tempdir().unwrap();
    let store = Options::new().lock_wait(Duration::from_mins(1)).open(folder.path().join("s")).unwrap();

    // As if another process were stopped while it holds the lock.
    let holder = File::open(folder.path().join("s/lock")).unwrap();
    holder.lock().unwrap();
    ASKED_TO_STOP.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let error = store.add("g", "x").unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::NotStarted));
    assert!(began.elapsed() < Duration::from_secs(30));

    ASKED_TO_STOP.store(false, Ordering::Relaxed);
    holder.unlock().unwrap();
    assert_eq!(store.add("g", "x").unwrap().data.text(), Some("x"));
    assert_eq!(store.group("g").unwrap().tasks, 1);
}
