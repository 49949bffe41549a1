//! One watch of the store for all who follow it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tenure::{Code, Error, core::engine::Event};
use tokio::sync::broadcast;

use crate::{app::App, problem::Problem};

/// Entries that are kept for a follower who is slower than the store; one who is slower still begins anew.
const KEPT: usize = 8192;

/// How often the watching thread looks whether anybody still follows.
const LOOK: Duration = Duration::from_secs(1);

/// Who follows the store.
#[derive(Default)]
pub struct Hub(Arc<Mutex<Option<broadcast::Sender<Arc<Event>>>>>);

impl Hub {
    /// All entries from now on. Whoever lags behind too far, and everyone when the store is closed, gets an error.
    pub async fn subscribe(&self, app: &App) -> Result<broadcast::Receiver<Arc<Event>>, Problem> {
        let watched = self.0.clone();
        app.read(move |store| {
            let mut slot = watched.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(sender) = &*slot {
                return Ok(sender.subscribe());
            }
            let mut watch = store.watch()?;
            let (sender, receiver) = broadcast::channel(KEPT);
            *slot = Some(sender.clone());
            drop(slot);
            let own = watched.clone();
            let follow = move || {
                loop {
                    match watch.next(LOOK) {
                        Ok(Some(event)) => {
                            // Nobody listens: found out below.
                            let _ = sender.send(event);
                            continue;
                        }
                        Ok(None) => {}
                        // The watch held too little: those who follow begin anew.
                        Err(_) => break,
                    }
                    let mut slot = own.lock().unwrap_or_else(PoisonError::into_inner);
                    if sender.receiver_count() == 0 {
                        *slot = None;
                        return;
                    }
                }
                *own.lock().unwrap_or_else(PoisonError::into_inner) = None;
            };
            thread::Builder::new()
                .name("tenure-watch".into())
                .spawn(follow)
                .map_err(|error| Error::new(Code::Unavailable, format!("no thread to watch with: {error}")))?;
            Ok(receiver)
        })
        .await
    }
}
