//! What is committed, as it comes.

use std::sync::{Arc, Mutex, PoisonError};

use napi::Unknown;
use napi_derive::napi;

use super::{Cancel, Store};
use crate::{
    hub::Hub,
    pool,
    types::{Answer, wait},
};

/// Committed entries from the moment when it was made, of this handle and of all others.
#[napi]
pub struct Watch {
    watch: Option<Arc<Mutex<tenure::Watch>>>,
    store: Option<tenure::Store>,
    hub: Arc<Hub>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may be the last to hold the store.
        pool::let_go((self.watch.take(), self.store.take()));
    }
}

#[napi]
impl Store {
    /// Watches the store from now on.
    #[napi]
    pub fn watch(&self, ticket: u32) {
        let hub = self.hub().clone();
        self.ask(ticket, move |store| {
            let watch = Some(Arc::new(Mutex::new(store.watch()?)));
            Ok(Answer::Watch(Watch { watch, store: Some(store.clone()), hub }))
        });
    }
}

#[napi]
impl Watch {
    /// The next event; none where none comes within `timeout`.
    #[napi]
    pub fn next(&self, ticket: u32, timeout: Unknown<'_>, cancel: &Cancel) -> napi::Result<()> {
        let (Some(watch), Some(store)) = (self.watch.clone(), self.store.clone()) else { return Ok(()) };
        let (timeout, cancel) = (wait("timeout", &timeout)?, cancel.0.clone());
        let until = timeout.map(|timeout| store.now().saturating_add(timeout));
        self.hub.wait(ticket, move || {
            let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.next_until(until, Some(&cancel)).map(Answer::Event)
        });
        Ok(())
    }
}
