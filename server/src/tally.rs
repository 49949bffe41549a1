//! What has happened to the store since the service began, whoever did it: counted from the journal when it is asked
//! for, so that it costs nothing where nobody asks.

use std::collections::HashMap;

use tenure::{
    Code, Filter, Millis, OwnerId, Reason, Result, Revision, Store, TaskId, TaskState,
    core::{
        engine::{Change, ChangeKind, Event},
        entry::EntryKind,
    },
    history::History,
};

/// Held tasks that are known when it begins; those beyond are counted from their next claim on.
const SEED: usize = 100_000;

/// The counts.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    pub commits: u64,
    pub added: u64,
    pub claims: u64,
    pub renewals: u64,
    pub failures: u64,
    pub finished: u64,
    pub ended_otherwise: u64,
    pub lapsed: u64,
    /// Entries that the journal let go of before they were counted.
    pub missed: u64,
}

struct Holding {
    owner: OwnerId,
    attempt: u32,
    failures: u32,
    until: Millis,
    lapsed: bool,
}

/// Where the counting stands.
pub struct Tally {
    history: History,
    seen: Revision,
    held: HashMap<TaskId, Holding>,
    counts: Counts,
}

impl Tally {
    /// Begins with what comes from now on; `None` for a store without a journal to read.
    pub fn begin(store: &Store) -> Result<Option<Self>> {
        let Some(path) = store.path() else { return Ok(None) };
        let history = History::open(path)?;
        let seen = store.revision()?;
        let filter = Filter { state: Some(TaskState::Held), limit: SEED, ..Filter::default() };
        let held = store.tasks(&filter)?.into_iter().map(|task| {
            let holding = Holding {
                owner: task.owner,
                attempt: task.attempt,
                failures: task.failures,
                until: task.available_at,
                lapsed: false,
            };
            (task.id, holding)
        });
        Ok(Some(Self { history, seen, held: held.collect(), counts: Counts::default() }))
    }

    /// Counts what has come, up to the time `now`.
    pub fn count(&mut self, store: &Store, now: Millis) -> Result<Counts> {
        if let Err(error) = self.read() {
            if error.code() != Code::Truncated {
                return Err(error);
            }
            // What was let go can't be counted; the rest can.
            if let Some(path) = store.path() {
                self.history = History::open(path)?;
            }
            self.counts.missed += self.history.revision().0.saturating_sub(self.seen.0);
            self.read()?;
        }
        for holding in self.held.values_mut().filter(|holding| !holding.lapsed && holding.until <= now) {
            holding.lapsed = true;
            self.counts.lapsed += 1;
        }
        Ok(self.counts)
    }

    fn read(&mut self) -> Result<()> {
        let Self { history, seen, held, counts } = self;
        history.read(&mut |event| {
            if event.revision > *seen {
                *seen = event.revision;
                note(held, counts, &event);
            }
            Ok(())
        })
    }
}

fn note(held: &mut HashMap<TaskId, Holding>, counts: &mut Counts, event: &Event) {
    counts.commits += u64::from(event.kind == EntryKind::Transaction);
    for change in &event.changes {
        let before = held.remove(&change.old);
        if before.as_ref().is_some_and(|before| !before.lapsed && before.until <= event.at) {
            counts.lapsed += 1;
        }
        match change.kind {
            ChangeKind::Added => counts.added += 1,
            ChangeKind::Changed | ChangeKind::Replaced => changed(held, counts, change, before.as_ref(), event.at),
            ChangeKind::Removed if change.reason == Some(Reason::Finished) => counts.finished += 1,
            ChangeKind::Removed => counts.ended_otherwise += 1,
            ChangeKind::Put | ChangeKind::RecordRemoved => {}
        }
    }
}

fn changed(
    held: &mut HashMap<TaskId, Holding>,
    counts: &mut Counts,
    change: &Change,
    before: Option<&Holding>,
    at: Millis,
) {
    counts.failures += u64::from(before.is_some_and(|before| change.failures > before.failures));
    if change.owner.0 == 0 || change.available_at <= at {
        return;
    }
    let same = before.is_some_and(|before| before.attempt == change.attempt && before.owner == change.owner);
    *(if same { &mut counts.renewals } else { &mut counts.claims }) += 1;
    let holding = Holding {
        owner: change.owner,
        attempt: change.attempt,
        failures: change.failures,
        until: change.available_at,
        lapsed: false,
    };
    held.insert(change.id, holding);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure::{Options, clock::Clock};

    use super::*;

    #[test]
    fn what_any_handle_does_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::test(1_000_000);
        let options = Options::new().clock(clock.clone());
        let store = options.open(folder.path().join("s")).unwrap();
        store.add("g", "before").unwrap();
        let mut tally = Tally::begin(&store).unwrap().unwrap();
        let other = options.open(folder.path().join("s")).unwrap();
        let minute = Duration::from_mins(1);
        let held = other.claim(&["g"], minute).unwrap().unwrap();
        let held = other.renew(&held, minute).unwrap();
        other.fail(&held, "no", Duration::ZERO).unwrap();
        let held = store.claim(&["g"], minute).unwrap().unwrap();
        store.finish(&held).unwrap();
        store.add_many("g", ["a", "b"]).unwrap();
        store.claim(&["g"], minute).unwrap().unwrap();
        let expected =
            Counts { commits: 7, added: 2, claims: 3, renewals: 1, failures: 1, finished: 1, ..Counts::default() };
        assert_eq!(tally.count(&store, clock.now()).unwrap(), expected);
        clock.advance(2 * minute);
        let lapsed = Counts { lapsed: 1, ..expected };
        assert_eq!(tally.count(&store, clock.now()).unwrap(), lapsed);
        store.claim(&["g"], minute).unwrap().unwrap();
        store.claim(&["g"], minute).unwrap().unwrap();
        let again = Counts { commits: 9, claims: 5, ..lapsed };
        assert_eq!(tally.count(&store, clock.now()).unwrap(), again, "a lapse is counted once");
        other.close().unwrap();
        store.close().unwrap();
    }
}
