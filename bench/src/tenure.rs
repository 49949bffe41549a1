//! Tenure, through the library's public interface as an application uses it.

use std::path::Path;
use std::time::Duration;

use tenure::{Delete, Options, OwnerId, Reason, Request, SnapshotPolicy, Task, TaskId, TaskName};

use crate::contender::{Answer, Contender, Durability, Failure, Lease, Sharing, Snapshots, Store, Terms, Worker};

/// Tenure on a directory, or in memory.
pub struct Tenure;

struct Handle(tenure::Store);

struct Claimer(tenure::Store);

impl From<tenure::Error> for Failure {
    fn from(error: tenure::Error) -> Self {
        Self::Broken(format!("Tenure: {error}"))
    }
}

impl From<&Task> for Lease {
    fn from(task: &Task) -> Self {
        Self { id: task.id.0, token: task.origin.0, bytes: task.data.len() }
    }
}

impl From<Lease> for TaskName {
    fn from(held: Lease) -> Self {
        // The owner of the handle asks.
        Self { id: TaskId(held.id), origin: Some(TaskId(held.token)), owner: OwnerId(0) }
    }
}

impl Contender for Tenure {
    fn open(&self, dir: &Path, terms: Terms) -> Answer<Box<dyn Store>> {
        let automatic = terms.snapshots == Snapshots::Due;
        let options = Options::new().snapshots(SnapshotPolicy { automatic, ..SnapshotPolicy::default() }).sharing(
            match terms.sharing {
                Sharing::Shared => tenure::Sharing::Shared,
                Sharing::Exclusive => tenure::Sharing::Exclusive,
            },
        );
        let store = match terms.durability {
            Durability::Memory => options.memory()?,
            Durability::Opportunistic => options.durability(tenure::Durability::Opportunistic).open(dir)?,
            Durability::Strict => options.durability(tenure::Durability::Strict).open(dir)?,
        };
        Ok(Box::new(Handle(store)))
    }
}

impl Store for Handle {
    fn worker(&self) -> Answer<Box<dyn Worker>> {
        Ok(Box::new(Claimer(self.0.clone())))
    }

    fn tasks(&self) -> Answer<u64> {
        Ok(self.0.groups()?.iter().map(|group| group.tasks).sum())
    }

    fn snapshot(&self) -> Answer<()> {
        self.0.snapshot()?;
        Ok(())
    }

    /// Waits for a task that does not come.
    fn linger(&self, time: Duration) -> Answer<()> {
        match self.0.claim_wait(&["idle"], time, time)? {
            None => Ok(()),
            Some(task) => Err(Failure::Broken(format!("a task came to the idle group: {}", task.id))),
        }
    }
}

impl Worker for Claimer {
    fn add(&mut self, group: &str, data: &[&[u8]]) -> Answer<()> {
        self.0.add_many(group, data.iter().copied())?;
        Ok(())
    }

    fn claim(&mut self, group: &str, most: usize, lease: Duration, held: &mut Vec<Lease>) -> Answer<()> {
        held.clear();
        if most == 1 {
            held.extend(self.0.claim(&[group], lease)?.iter().map(Lease::from));
        } else {
            held.extend(self.0.claim_many(&[group], lease, most)?.iter().map(Lease::from));
        }
        Ok(())
    }

    fn finish(&mut self, held: &[Lease]) -> Answer<()> {
        if let [one] = held {
            return Ok(self.0.finish(*one)?);
        }
        let delete = |held: &Lease| Delete {
            id: TaskId(held.id),
            origin: Some(TaskId(held.token)),
            reason: Reason::Finished,
            ..Delete::default()
        };
        self.0.update(Request { deletes: held.iter().map(delete).collect(), ..Request::default() })?;
        Ok(())
    }

    fn renew(&mut self, held: &mut Lease, lease: Duration) -> Answer<()> {
        *held = Lease::from(&self.0.renew(*held, lease)?);
        Ok(())
    }
}
