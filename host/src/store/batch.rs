//! Several requests of one caller in one batch: staged together, and answered after one sync.
//!
//! For hosts that may not block the thread on which requests come, and gather them meanwhile.

use tenure_core::{Claim, Committed, Error, Position, Request, Result, txn::Ask};

use super::{Shared, Store, at};

/// One of the requests.
#[derive(Clone, Debug)]
pub enum Work {
    /// A transaction.
    Update(Request),
    /// A claim that does not wait.
    Claim(Claim),
}

impl Work {
    pub(super) fn ask(&self) -> Ask<'_> {
        match self {
            Self::Update(request) => Ask::Update(request),
            Self::Claim(claim) => Ask::Claim(claim),
        }
    }
}

/// Requests that were committed or refused, each by itself, and whose answers may not be given yet.
#[must_use = "the answers come from `wait`"]
pub struct Batch(Begun);

enum Begun {
    Staged {
        store: Store,
        answers: Vec<Result<Committed>>,
        until: Position,
    },
    /// They are on their way to a service.
    #[cfg(feature = "client")]
    Sent(crate::remote::Pending),
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let answers = match &self.0 {
            Begun::Staged { answers, .. } => answers.len(),
            #[cfg(feature = "client")]
            Begun::Sent(pending) => pending.len(),
        };
        f.debug_struct("Batch").field("answers", &answers).finish_non_exhaustive()
    }
}

impl Store {
    /// Commits requests in this order, each by itself: one that is refused does not touch the others. Another thread may
    /// begin the next batch while this one waits to be durable.
    pub fn begin(&self, work: &[Work]) -> Batch {
        at!(
            self,
            |shared| {
                let (answers, until) = match shared.may_write() {
                    Ok(()) => shared.stage(work),
                    Err(error) => (work.iter().map(|_| Err(error.clone())).collect(), Position(0)),
                };
                Batch(Begun::Staged { store: self.clone(), answers, until })
            },
            |remote| Batch(Begun::Sent(remote.begin(work.to_vec())))
        )
    }
}

impl Batch {
    /// The answers, in the order of the requests. A strict one, a refusal and an empty claim included, waits for stable
    /// storage.
    pub fn wait(self) -> Vec<Result<Committed>> {
        let (store, answers, until) = match self.0 {
            Begun::Staged { store, answers, until } => (store, answers, until),
            #[cfg(feature = "client")]
            Begun::Sent(pending) => return pending.wait(),
        };
        match at!(store, |shared| shared.durable_enough(until), |_remote| Ok(())) {
            Ok(()) => answers,
            Err(error) => answers.iter().map(|_| Err::<Committed, Error>(error.clone())).collect(),
        }
    }
}

impl Shared {
    fn stage(&self, work: &[Work]) -> (Vec<Result<Committed>>, Position) {
        let asks: Vec<Ask<'_>> = work.iter().map(Work::ask).collect();
        let mut driver = self.driver_anyway();
        let answers = self.commit(&mut driver, &asks);
        let until = driver.engine().tail().position;
        drop(driver);
        (answers.into_iter().map(|answer| answer.map(|done| done.committed)).collect(), until)
    }
}
