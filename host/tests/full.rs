//! A full disk: a small tmpfs. Needs root, and says so where it is skipped.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command, time::Duration};

use tenure::{Code, Error, Kind, Options, Store};

const LEASE: Duration = Duration::from_mins(1);

/// A small file system in memory, gone with the value.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(test: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = rustix::process::geteuid().is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=2m", "none"])
                .arg(dir.path())
                .status()
                .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("SKIPPED {test}: only root can mount a small tmpfs; run the tests as root for it");
        }
        mounted.then(|| Self(dir))
    }

    fn place(&self) -> std::path::PathBuf {
        self.0.path().join("s")
    }

    /// A file that takes all the room there is.
    fn fill(&self) {
        let _ = fs::write(self.0.path().join("filler"), vec![1; 4 << 20]);
    }

    fn free(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn open(place: &Path) -> Store {
    Options::new().segment_bytes(64 << 10).open(place).unwrap()
}

/// Adds until that is refused.
fn add_all(store: &Store) -> Error {
    loop {
        if let Err(error) = store.add("map", "x".repeat(3000)) {
            return error;
        }
    }
}

#[test]
fn on_a_full_disk_adds_are_refused_and_finishing_and_a_snapshot_go_on() {
    let Some(small) = Small::mount("on_a_full_disk_…") else { return };
    let store = open(&small.place());
    let other = open(&small.place());
    let first = store.add_many("map", (0..20).map(|i| i.to_string())).unwrap();
    small.fill();
    for handle in [&store, &other] {
        let error = add_all(handle);
        assert_eq!((error.code(), error.outcome().slug()), (Code::NoSpace, "refused"), "{error}");
        assert!(error.message().contains("free some space"), "{error}");
        assert_eq!(error.kind(), Kind::Unavailable);
    }
    let before = store.digest().unwrap();
    assert_eq!(other.digest().unwrap(), before);
    // What frees space goes on, by either handle, and for long enough.
    for (i, task) in first.iter().enumerate() {
        [&store, &other][i % 2].finish(task).unwrap();
    }
    let claimed = store.claim(&["map"], LEASE).unwrap();
    if let Some(task) = claimed {
        let renewed = store.renew(&task, LEASE).unwrap();
        store.fail(&renewed, "no room", Duration::ZERO).unwrap();
    }
    store.snapshot().unwrap();
    store.snapshot().unwrap();
    // Nothing is lost.
    let digest = store.digest().unwrap();
    store.close().unwrap();
    other.close().unwrap();
    let store = open(&small.place());
    assert_eq!(store.digest().unwrap(), digest);
    assert!(store.task(first[0].id).unwrap().is_none());
    // With room again everything does.
    small.free();
    store.add("map", "y").unwrap();
    assert!(small.place().join("reserve").exists());
}

#[test]
fn a_disk_that_is_full_from_the_start_refuses_a_store_and_leaves_nothing_that_looks_like_one() {
    let Some(small) = Small::mount("a_disk_that_is_full_from_the_start_…") else { return };
    small.fill();
    let error = Store::open(small.place()).unwrap_err();
    assert_eq!(error.code(), Code::NoSpace, "{error}");
    small.free();
    Store::open(small.place()).unwrap().add("map", "x").unwrap();
}

#[test]
fn a_disk_that_fills_and_empties_again_and_again_loses_nothing() {
    let Some(small) = Small::mount("a_disk_that_fills_and_empties_…") else { return };
    let mut store = open(&small.place());
    for round in 0..6 {
        let error = add_all(&store);
        assert_eq!(error.code(), Code::NoSpace, "{error}");
        let tasks = store.tasks(&tenure::Filter { limit: 10_000, ..tenure::Filter::default() }).unwrap();
        assert!(tasks.len() > 50, "round {round}: {} tasks", tasks.len());
        for task in &tasks {
            store.finish(task).unwrap();
        }
        // Two, since the journal is kept from the older one on.
        store.snapshot().unwrap();
        store.snapshot().unwrap();
        let digest = store.digest().unwrap();
        if round % 2 == 0 {
            store.close().unwrap();
            store = open(&small.place());
        }
        assert_eq!(store.digest().unwrap(), digest);
    }
}
