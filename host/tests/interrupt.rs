//! A wait for the lock that the host ends. The check is the whole process's, so this is the only test here.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    fs::File,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use tenure::{Code, Error, Options, Outcome, Store};

static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);

/// The one thread that hears of signals.
const ASKED: &str = "asked";

type Call = fn(&Store) -> Result<(), Error>;

fn asked_to_stop() -> bool {
    ASKED_TO_STOP.load(Ordering::Relaxed) && thread::current().name() == Some(ASKED)
}

/// Runs `call` on the thread that is asked to stop, until it says why it did.
fn interrupted(store: &Store, call: Call) -> Error {
    ASKED_TO_STOP.store(true, Ordering::Relaxed);
    let store = store.clone();
    let until_it_fails = move || {
        loop {
            if let Err(error) = call(&store) {
                return error;
            }
        }
    };
    let began = Instant::now();
    let error = thread::Builder::new().name(ASKED.into()).spawn(until_it_fails).unwrap().join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(30), "by the host, not by its own time");
    ASKED_TO_STOP.store(false, Ordering::Relaxed);
    error
}

#[test]
fn a_wait_for_the_lock_ends_when_the_host_says_so() {
    tenure::interrupt::check_while_waiting(asked_to_stop);
    let folder = tempfile::tempdir().unwrap();
    let store = Options::new().lock_wait(Duration::from_mins(1)).open(folder.path().join("s")).unwrap();

    // As if another process were stopped while it holds the lock.
    let holder = File::open(folder.path().join("s/lock")).unwrap();
    holder.lock().unwrap();
    let error = interrupted(&store, |store| store.add("g", "x").map(drop));
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::NotStarted));

    // The same behind another thread, which no signal reaches and which waits on: it leads, or it is led.
    let calls: [Call; 3] = [
        |store| store.add("g", "x").map(drop),
        |store| store.claim(&["other"], Duration::from_mins(1)).map(drop),
        |store| store.group("g").map(drop),
    ];
    for call in calls {
        let first = store.clone();
        let waits = thread::spawn(move || first.add("other", "y").map(drop));
        let second = store.clone();
        let waits_too = thread::spawn(move || second.add("other", "y").map(drop));
        assert_eq!(interrupted(&store, call).code(), Code::Cancelled);
        assert!(!waits.is_finished() && !waits_too.is_finished());
        holder.unlock().unwrap();
        waits.join().unwrap().unwrap();
        waits_too.join().unwrap().unwrap();
        holder.lock().unwrap();
    }

    holder.unlock().unwrap();
    assert_eq!(store.add("g", "x").unwrap().data.text(), Some("x"));
    assert_eq!(store.group("g").unwrap().tasks, 1, "what was interrupted was not committed");
    let other = store.group("other").unwrap();
    assert_eq!((other.tasks, other.held), (6, 0), "and holds nothing");
}
