//! The disk under a store.

use std::{fs, time::SystemTime};

use tenure::Store;

/// Bytes that are free where a store lies, -1 where that is not known.
#[cfg(unix)]
#[allow(clippy::cast_precision_loss, reason = "it is about")]
pub fn free(store: &Store) -> f64 {
    let about = store.path().and_then(|path| rustix::fs::statvfs(path).ok());
    about.map_or(-1.0, |about| about.f_bavail.saturating_mul(about.f_frsize) as f64)
}

/// Bytes that are free where a store lies, -1 where that is not known.
#[cfg(not(unix))]
pub fn free(_: &Store) -> f64 {
    -1.0
}

/// The age of the newest snapshot's file, -1 where there is none.
pub fn snapshot_age(store: &Store) -> f64 {
    let newest = store.path().and_then(|path| fs::read_dir(path).ok()).and_then(|entries| {
        let snapshots = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "snap"));
        snapshots.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
    });
    newest.map_or(-1.0, |newest| SystemTime::now().duration_since(newest).map_or(0.0, |age| age.as_secs_f64()))
}
