//! What a handle does, told to `tracing` where the feature of that name is on; without it nothing of this is there.
//!
//! The target is `tenure`. Nothing is said of what tasks and records hold.

use std::{path::Path, time::Duration};

use tenure_core::{Error, Revision, StoreId, TaskId};

macro_rules! tell {
    ($level:ident, $($what:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "tenure", $($what)*);
    };
}

pub(crate) fn opened(store: StoreId, path: Option<&Path>, actor: &str, revision: Revision) {
    let path = path.map_or_else(|| "memory".into(), Path::to_string_lossy);
    let _ = (store, &path, actor, revision);
    tell!(info, %store, %path, actor, revision = revision.0, "opened");
}

pub(crate) fn closed(store: StoreId) {
    let _ = store;
    tell!(info, %store, "closed");
}

/// A batch of requests, and how many of them were refused or failed.
pub(crate) fn committed(requests: usize, refused: usize, revision: Revision) {
    let _ = (requests, refused, revision);
    tell!(debug, requests, refused, revision = revision.0, "committed");
}

pub(crate) fn synced(took: Duration, failed: Option<&Error>) {
    let _ = took;
    match failed {
        None => {
            tell!(debug, took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "synced");
        }
        Some(error) => {
            let _ = error;
            tell!(error, %error, "a sync failed: what it should have covered is written again elsewhere");
        }
    }
}

pub(crate) fn snapshot(end: Revision, bytes: u64, took: Duration) {
    let _ = (end, bytes, took);
    tell!(
        info,
        revision = end.0,
        bytes,
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "snapshot taken"
    );
}

pub(crate) fn snapshot_damaged(error: &Error) {
    let _ = error;
    tell!(warn, %error, "a snapshot was passed over: it goes when the next one is taken");
}

pub(crate) fn snapshot_failed(error: &Error) {
    let _ = error;
    tell!(warn, %error, "no snapshot could be taken: it is tried again later");
}

pub(crate) fn lease_lost(origin: TaskId, error: &Error) {
    let _ = (origin, error);
    tell!(warn, origin = origin.0, %error, "a lease was lost");
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        fmt,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use tracing::{
        Event, Metadata, Subscriber,
        field::{Field, Visit},
        span,
    };

    /// Notes the message of every event of ours.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    struct Message<'a>(&'a mut Vec<String>);

    impl Visit for Message<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.0.push(format!("{value:?}"));
            }
        }
    }

    impl Subscriber for Notes {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "tenure"
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut Message(&mut self.0.lock().unwrap()));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn what_a_handle_does_is_told() {
        let notes = Notes::default();
        tracing::subscriber::with_default(notes.clone(), || {
            let dir = tempfile::tempdir().unwrap();
            let clock = crate::clock::Clock::test(1_000_000);
            let store = crate::Options::new().clock(clock.clone()).open(dir.path().join("s")).unwrap();
            store.add("work", "one").unwrap();
            store.snapshot().unwrap();
            let task = store.claim(&["work"], Duration::from_secs(1)).unwrap().unwrap();
            let held = store.hold(task.clone(), Duration::from_secs(1));
            store.cancel(&task, true).unwrap();
            held.finish().unwrap_err();
            store.close().unwrap();
        });
        let told = notes.0.lock().unwrap().clone();
        for what in ["opened", "committed", "synced", "snapshot taken", "a lease was lost", "closed"] {
            assert!(told.iter().any(|message| message == what), "{what}: {told:?}");
        }
    }
}
