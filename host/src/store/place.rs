//! Where what a store does is done: by an engine in this process, or by a service.

use std::sync::Arc;

use super::Open;
#[cfg(feature = "client")]
use crate::remote::Remote;

/// Where what a store does is done. Only what can't be made from anything else looks here: verbs, held leases,
/// transactions and waits are the same everywhere.
#[derive(Clone)]
pub(super) enum Place {
    /// In this process, by an engine over a journal.
    Embedded(Arc<Open>),
    /// In another one, which serves it.
    #[cfg(feature = "client")]
    Remote(Arc<Remote>),
}

/// Does it where the store is.
macro_rules! at {
    ($store:expr, |$shared:ident| $embedded:expr, |$remote:ident| $served:expr) => {
        match &$store.place {
            $crate::store::Place::Embedded(open) => {
                let $shared = &open.0;
                $embedded
            }
            #[cfg(feature = "client")]
            $crate::store::Place::Remote($remote) => $served,
        }
    };
}
pub(super) use at;
