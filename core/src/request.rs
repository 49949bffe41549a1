//! What a caller asks for: an update, or a claim. Plain values; nothing here reads the state.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{
    data::Data,
    entry::Reason,
    id::{OwnerId, Revision, TaskId},
    task::Task,
    time::{Millis, When},
};
use serde::{Deserialize, Serialize};

/// What an add does when a live task of the group has its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
pub enum IfExists {
    /// Refuse the transaction.
    #[default]
    Refuse,
    /// Add nothing, and answer with the present task.
    Keep,
    /// Take its place, unless it is held.
    Replace,
}

/// A new task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Add {
    /// The group.
    pub group: String,
    /// The work.
    pub data: Data,
    /// From when it can be claimed.
    pub available: When,
    /// Unique within the group among live tasks.
    pub key: Option<String>,
    /// What to do when a live task has the key.
    pub if_exists: IfExists,
}

/// What an update means for owner, attempt and failures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
pub enum Verb {
    /// Change what is named. A task that the caller holds stays held while its time lies ahead.
    #[default]
    Update,
    /// A new lease for the one who claimed it.
    Renew,
    /// Give it back.
    Release,
    /// Give it back, with one more failure and its text.
    Fail,
    /// Make it as if it had never been claimed.
    Requeue,
}

/// A change of one task. What is not named stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Update {
    /// The present id.
    pub id: TaskId,
    /// Its origin, where the caller knows it: a refusal can then say what became of the task.
    pub origin: Option<TaskId>,
    /// What the update means for owner, attempt and failures.
    pub verb: Verb,
    /// New data.
    pub data: Option<Data>,
    /// Another group.
    pub group: Option<String>,
    /// From when it can be claimed, or how long it stays held. `None` keeps it for [`Verb::Update`] and means now
    /// for release, fail and requeue.
    pub available: Option<When>,
    /// The text of the failure.
    pub error: Option<String>,
    /// Change it even though another owner holds it.
    pub force: bool,
}

/// The end of one task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delete {
    /// The present id.
    pub id: TaskId,
    /// Its origin, where the caller knows it: a refusal can then say what became of the task.
    pub origin: Option<TaskId>,
    /// Why it ends.
    pub reason: Reason,
    /// Delete it even though another owner holds it.
    pub force: bool,
}

/// A task that must exist, whoever holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub enum Depend {
    /// Under this very id.
    Id(TaskId),
    /// Under whatever id, as long as this add began it.
    Origin(TaskId),
}

/// A record to write.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Put {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Data,
    /// The revision that it must have, 0 for absent.
    pub expect: Option<Revision>,
    /// From when it is hidden.
    pub expires_at: Option<Millis>,
}

/// A record to remove.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Remove {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// The revision that it must have.
    pub expect: Option<Revision>,
}

/// A whole number to add to a record, evaluated against the state at commit. An absent record counts as 0;
/// the value is kept as decimal text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Increment {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// How much.
    pub by: i64,
    /// The least result that is allowed.
    pub min: Option<i64>,
    /// The greatest result that is allowed.
    pub max: Option<i64>,
}

/// A record that was read and must still be as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guard {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// The revision that it must have, 0 for absent.
    pub expect: Revision,
}

/// One transaction: all of it happens, or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Who asks. 0 takes the owner of the handle.
    pub owner: OwnerId,
    /// Who does it, for the journal and for the words of refusals. `None` takes the label of the handle. It is no part
    /// of the request's text: a service reads it from the head of a call.
    pub actor: Option<Arc<str>>,
    /// A repeat of a committed request with the same id gets the first outcome.
    pub request_id: Option<String>,
    /// A revision that the store had before this was first sent, where this is a repeat of a request whose answer did not
    /// come. A repeat that comes when request ids of that time are forgotten is refused, since whether it was committed
    /// then can't be told. It is no part of the request's text either.
    pub sent_after: Option<Revision>,
    /// New tasks.
    pub adds: Vec<Add>,
    /// Changed tasks.
    pub updates: Vec<Update>,
    /// Ended tasks.
    pub deletes: Vec<Delete>,
    /// Tasks that must exist.
    pub depends: Vec<Depend>,
    /// Records to write.
    pub puts: Vec<Put>,
    /// Records to remove.
    pub removes: Vec<Remove>,
    /// Numbers to add to.
    pub increments: Vec<Increment>,
    /// Records that must not have changed.
    pub guards: Vec<Guard>,
    /// Whether a request that changes nothing and only depends is meant.
    pub depends_only: bool,
}

impl Request {
    /// Whether it neither changes nor expects a record.
    pub(crate) fn speaks_of_no_record(&self) -> bool {
        self.puts.is_empty() && self.removes.is_empty() && self.increments.is_empty() && self.guards.is_empty()
    }

    /// Whether it only depends on what there is: nothing of the state would be another one after it.
    pub fn changes_nothing(&self) -> bool {
        let tasks = self.adds.len() + self.updates.len() + self.deletes.len();
        tasks + self.puts.len() + self.removes.len() + self.increments.len() == 0
    }

    /// Whether it only adds tasks, whatever the state is: no key that another task could have, no request id that
    /// could be a repeat. The bounds on a whole store are no condition of its own.
    pub fn is_unconditional(&self) -> bool {
        let Self { request_id, adds, updates, deletes, depends, puts, removes, increments, guards, .. } = self;
        !adds.is_empty()
            && adds.iter().all(|add| add.key.is_none())
            && request_id.is_none()
            && updates.is_empty()
            && deletes.is_empty()
            && depends.is_empty()
            && puts.is_empty()
            && removes.is_empty()
            && increments.is_empty()
            && guards.is_empty()
    }
}

/// Which of the available tasks a claim takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
pub enum Order {
    /// Any of them, so that one bad task can't block the others.
    #[default]
    Random,
    /// The one with the least (available_at, id).
    Oldest,
}

impl Order {
    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Oldest => "oldest",
        }
    }
}

/// A claim: available tasks become the caller's for a lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Who asks. 0 takes the owner of the handle.
    pub owner: OwnerId,
    /// Who does it, for the journal and for the words of refusals. `None` takes the label of the handle. It is no part
    /// of the claim's text: a service reads it from the head of a call.
    pub actor: Option<Arc<str>>,
    /// A repeat of a committed claim with the same id gets the first outcome.
    pub request_id: Option<String>,
    /// From which groups; an earlier one goes before a later one.
    pub groups: Vec<String>,
    /// How long the claim lasts, in milliseconds.
    pub lease: Millis,
    /// At most how many tasks.
    pub limit: usize,
    /// Which ones.
    pub order: Order,
    /// Tasks that must exist.
    pub depends: Vec<Depend>,
}

impl Default for Claim {
    fn default() -> Self {
        Self {
            owner: OwnerId(0),
            actor: None,
            request_id: None,
            groups: Vec::new(),
            lease: 60_000,
            limit: 1,
            order: Order::Random,
            depends: Vec::new(),
        }
    }
}

/// What a committed transaction, or a claim, answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// The revision that it became; for a claim that found nothing, the revision that it saw.
    pub revision: Revision,
    /// The new tasks: adds first, then updates, in the order asked; for a claim, the claimed ones.
    pub tasks: Vec<Task>,
    /// The numbers that the increments left, in the order asked.
    pub counts: Vec<i64>,
    /// Whether this is the first outcome of an earlier request with the same id. Tasks that have changed since
    /// are given with the id that they had, and nothing else.
    pub repeated: bool,
}

impl Committed {
    /// The first of the tasks.
    pub fn into_task(self) -> Option<Task> {
        self.tasks.into_iter().next()
    }
}
