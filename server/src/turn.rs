//! One turn of the loop is one round of requests: all that have come by then are committed together, and answered together.

use std::sync::Arc;

use tenure::{Answers, Rounds, Store};
use tokio::{runtime::Handle, sync::Notify, task::yield_now};

/// Posts a store's requests in rounds, on this runtime.
pub fn begin(store: &Store, runtime: &Handle) {
    let begun = Arc::new(Notify::new());
    store.post_in_rounds(Some(Arc::new(Turns { runtime: runtime.clone(), begun: begun.clone() })));
    let store = store.clone();
    runtime.spawn(async move {
        loop {
            begun.notified().await;
            // Until every connection that is ready has had its turn.
            yield_now().await;
            store.post_round();
        }
    });
}

struct Turns {
    runtime: Handle,
    begun: Arc<Notify>,
}

impl Rounds for Turns {
    fn begin(&self) {
        self.begun.notify_one();
    }

    fn give(&self, answers: Answers) {
        // One call across threads for all of them. Where the runtime has ended they are given here.
        self.runtime.spawn(async move { drop(answers) });
    }
}
