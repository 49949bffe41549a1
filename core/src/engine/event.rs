//! What a confirmed entry did, for those who watch.

use alloc::{sync::Arc, vec::Vec};

use crate::{
    entry::{EntryKind, Op, Payload, Reason},
    error::Result,
    id::{Author, OwnerId, Revision, TaskId},
    port::Stored,
    time::Millis,
};

/// One confirmed entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its revision.
    pub revision: Revision,
    /// What kind of entry.
    pub kind: EntryKind,
    /// By whose clock it was judged, in milliseconds since the Epoch.
    pub at: Millis,
    /// Who asked.
    pub owner: OwnerId,
    /// The label of who did it.
    pub actor: Arc<str>,
    /// The handle that wrote it.
    pub author: Author,
    /// The request id that it was asked under.
    pub request_id: Option<Arc<str>>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// What changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The task's new id, 0 for a record.
    pub id: TaskId,
    /// The task's id until now, 0 for a new one.
    pub old: TaskId,
    /// The task's group where it is known from the entry, or the record's table.
    pub place: Arc<str>,
    /// The task's or the record's key.
    pub key: Option<Arc<str>>,
    /// Why a task was removed.
    pub reason: Option<Reason>,
    /// Who claimed the task, 0 for nobody.
    pub owner: OwnerId,
    /// When the task can be claimed, or until when it is held.
    pub available_at: Millis,
    /// How often the task was claimed.
    pub attempt: u32,
    /// How often its claimant said that it failed.
    pub failures: u32,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ChangeKind {
    /// A task was added.
    Added,
    /// A task got other data.
    Replaced,
    /// A task was claimed, renewed, released, moved: all but its data may have changed.
    Changed,
    /// A task is gone.
    Removed,
    /// A record was written.
    Put,
    /// A record is gone.
    RecordRemoved,
}

impl ChangeKind {
    /// The kind with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Added, Self::Replaced, Self::Changed, Self::Removed, Self::Put, Self::RecordRemoved]
            .into_iter()
            .find(|kind| kind.slug() == slug)
    }

    /// The stable name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Put => "put",
            Self::RecordRemoved => "record_removed",
        }
    }
}

impl Event {
    /// What an entry did, read from its payload.
    pub fn read(stored: &Stored<'_>) -> Result<Self> {
        let payload = Payload::read(stored.payload)?;
        let head = &payload.head;
        let mut event = Self {
            revision: stored.tail.revision,
            kind: stored.kind,
            at: head.now,
            owner: head.owner,
            actor: Arc::from(&*head.actor),
            author: stored.author,
            request_id: head.request.as_ref().map(|mark| Arc::from(&*mark.id)),
            changes: Vec::new(),
        };
        for op in payload {
            event.changes.extend(Change::read(&op?));
        }
        Ok(event)
    }
}

impl Change {
    fn read(op: &Op<'_>) -> Option<Self> {
        let mut change = Self {
            kind: ChangeKind::Changed,
            id: TaskId(0),
            old: TaskId(0),
            place: Arc::default(),
            key: None,
            reason: None,
            owner: OwnerId(0),
            available_at: 0,
            attempt: 0,
            failures: 0,
        };
        match op {
            Op::Save { replaces, task } => {
                change.kind = if replaces.0 == 0 { ChangeKind::Added } else { ChangeKind::Replaced };
                change.id = task.id;
                change.old = *replaces;
                change.place = Arc::from(&*task.group);
                change.key = task.key.as_deref().map(Arc::from);
                change.owner = task.owner;
                change.available_at = task.available_at;
                change.attempt = task.attempt;
                change.failures = task.failures;
            }
            Op::Retitle(retitle) => {
                change.id = retitle.id;
                change.old = retitle.old;
                change.place = retitle.group.as_deref().map(Arc::from).unwrap_or_default();
                change.owner = retitle.owner;
                change.available_at = retitle.available_at;
                change.attempt = retitle.attempt;
                change.failures = retitle.failures;
            }
            Op::Remove { id, reason } => {
                change.kind = ChangeKind::Removed;
                change.old = *id;
                change.reason = Some(*reason);
            }
            Op::Put { table, key, .. } => {
                change.kind = ChangeKind::Put;
                change.place = Arc::from(&**table);
                change.key = Some(Arc::from(&**key));
            }
            Op::RemoveRecord { table, key } => {
                change.kind = ChangeKind::RecordRemoved;
                change.place = Arc::from(&**table);
                change.key = Some(Arc::from(&**key));
            }
            Op::Level(_) => return None,
        }
        Some(change)
    }
}
