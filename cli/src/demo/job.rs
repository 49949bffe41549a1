//! The names of groups and tables, and the output of a map task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure::{Increment, OwnerId, Put, Task, TaskId};

use super::words::Counts;

/// The table in which runs on one store are numbered.
pub const RUNS: &str = "wordcount";

/// The groups and tables of one run, so that a store serves any number of them.
pub struct Job {
    /// Group: pieces to count.
    pub map: String,
    /// Group: parts to add up.
    pub reduce: String,
    /// Table: what a map task counted, by part and task.
    pub mapped: String,
    /// Table: the result, one record a word.
    pub counts: String,
    /// Table: who committed which task, and what the demo itself has to agree upon.
    pub notes: String,
}

/// Who commits a task: kept beside its output, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimant {
    /// The label of the process.
    pub actor: String,
    /// The owner's number.
    pub owner: u64,
    /// The task's id under its claim.
    pub id: u64,
    /// Which claim of the task it was.
    pub attempt: u32,
}

impl Claimant {
    pub fn of(task: &Task, actor: &str) -> Self {
        Self { actor: actor.into(), owner: task.owner.0, id: task.id.0, attempt: task.attempt }
    }
}

/// What a map task's commit writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Words by part.
    pub dealt: BTreeMap<u64, Counts>,
}

impl Job {
    /// The names of the run with this number.
    pub fn new(run: i64) -> Self {
        Self {
            map: format!("map-{run}"),
            reduce: format!("reduce-{run}"),
            mapped: format!("mapped-{run}"),
            counts: format!("counts-{run}"),
            notes: format!("notes-{run}"),
        }
    }

    /// The record that says who committed a task.
    pub fn committed(origin: TaskId) -> String {
        format!("committed/{origin}")
    }

    /// The record that says that a task's claimant will be killed, and that whoever claims it again waits for
    /// [`Self::tried`].
    pub fn watched(origin: TaskId) -> String {
        format!("watched/{origin}")
    }

    /// The record that says that the late commit was tried.
    pub fn tried(origin: TaskId) -> String {
        format!("tried/{origin}")
    }

    /// The key of a part's share in a map task's output; those of one part have one prefix.
    pub fn share(part: u64, origin: Option<TaskId>) -> String {
        origin.map_or_else(|| format!("{part:04}/"), |origin| format!("{part:04}/{origin}"))
    }

    /// What a map task's commit writes.
    pub fn writes(&self, origin: TaskId, output: &Output, by: &Claimant) -> (Vec<Put>, Vec<Increment>) {
        let put = |table: &str, key: String, value: String| Put {
            table: table.into(),
            key,
            value: value.into(),
            ..Put::default()
        };
        let share =
            |(part, counts): (&u64, &Counts)| put(&self.mapped, Self::share(*part, Some(origin)), spell(counts));
        let mut puts: Vec<Put> = output.dealt.iter().map(share).collect();
        puts.push(put(&self.notes, Self::committed(origin), spell(by)));
        let words = output.dealt.values().flat_map(BTreeMap::values).sum::<u64>();
        // A count that a second commit would make wrong.
        let increment = Increment {
            table: self.notes.clone(),
            key: "words".into(),
            by: words.cast_signed(),
            ..Increment::default()
        };
        (puts, vec![increment])
    }
}

/// What the doomed worker tells once it has computed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Computed {
    /// The task's origin.
    pub origin: u64,
    /// The claim.
    pub claimant: Claimant,
    /// What it would commit.
    pub output: Output,
}

impl Computed {
    pub fn owner(&self) -> OwnerId {
        OwnerId(self.claimant.owner)
    }

    pub fn origin(&self) -> TaskId {
        TaskId(self.origin)
    }
}

/// A value as JSON, on one line.
pub fn spell<T: Serialize>(value: &T) -> String {
    // Maps with text keys and plain numbers: nothing of it can be refused.
    serde_json::to_string(value).unwrap_or_default()
}
