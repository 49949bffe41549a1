//! What became of a task id that a request names and that is no longer.

use super::Bench;
use crate::{
    error::Fate,
    id::{OwnerId, TaskId},
    time::Millis,
};

/// What became of an id, when the lease of it ended, and whether the asker was the one who had claimed it.
pub(super) fn fate(bench: &Bench<'_>, id: TaskId, origin: Option<TaskId>, owner: OwnerId) -> (Fate, Millis, bool) {
    let past = bench.state.past();
    let gone = past.of(id.0);
    let lost = gone.map_or(origin.is_some(), |gone| gone.holder == owner.0 && gone.by != owner.0);
    // Who gave it back or finished it needs not be told of a lease.
    let lease_end =
        gone.filter(|gone| gone.holder == owner.0 && owner.0 != 0 && gone.by != owner.0).map_or(0, |gone| gone.until);
    let Some(origin) = gone.map(|gone| gone.origin).or(origin.map(|origin| origin.0)) else {
        return (Fate::Unknown, 0, false);
    };
    if let Some(title) = bench.state.by_origin(TaskId(origin)).and_then(|id| bench.state.title(id)) {
        let fate = Fate::Changed {
            now_id: TaskId(title.id),
            owner: OwnerId(title.owner),
            actor: past.actor(title.owner),
            available_at: title.available_at,
            at: gone.map_or(0, |gone| gone.at),
            by: OwnerId(gone.map_or(0, |gone| gone.by)),
            claimed: gone.is_some_and(|gone| title.owner != 0 && gone.by == title.owner && gone.holder != title.owner),
            by_actor: gone.map_or_else(Default::default, |gone| past.actor(gone.by)),
        };
        return (fate, lease_end, lost);
    }
    let fate = past.end_of(origin).map_or(Fate::Unknown, |end| Fate::Removed {
        reason: end.reason.unwrap_or_default(),
        owner: OwnerId(end.by),
        actor: past.actor(end.by),
        at: end.at,
    });
    (fate, lease_end, lost)
}
