//! The ops that adds and updates become.

use alloc::borrow::Cow;

use super::{Bench, verb::Changed};
use crate::{
    entry::{Image, Op, Retitle},
    id::{OwnerId, TaskId},
    request::{Add, Update},
    state::Title,
    time::Millis,
};

/// The image of a new task.
pub(super) fn new_image(id: TaskId, add: &Add, now: Millis) -> Image<'_> {
    Image {
        id,
        origin: TaskId(0),
        group: Cow::Borrowed(&add.group),
        key: add.key.as_deref().map(Cow::Borrowed),
        available_at: add.available.at(now).unwrap_or(now),
        added_at: now,
        owner: OwnerId(0),
        attempt: 0,
        failures: 0,
        error: None,
        data: Cow::Borrowed(&add.data),
    }
}

/// The op of an update: a retitle, or, where the data changes, the whole task.
pub(super) fn update_op<'x>(
    bench: &'x Bench<'_>,
    update: &'x Update,
    title: &Title,
    id: TaskId,
    after: Changed<'x>,
) -> Op<'x> {
    let group = update.group.as_deref().filter(|group| **group != **bench.state.group_at(title.slot));
    let Some(data) = &update.data else {
        return Op::Retitle(Retitle {
            old: TaskId(title.id),
            id,
            available_at: after.available_at,
            owner: after.owner,
            attempt: after.attempt,
            failures: after.failures,
            group: group.map(Cow::Borrowed),
            error: after.error,
        });
    };
    let (key, error) = bench.state.texts_at(title.slot);
    let error = match after.error {
        Some(error) => Some(error),
        None => error.map(|error| Cow::Borrowed(&**error)),
    };
    Op::Save {
        replaces: TaskId(title.id),
        task: Image {
            id,
            origin: TaskId(title.origin),
            group: Cow::Borrowed(group.unwrap_or(bench.state.group_at(title.slot))),
            key: key.map(|key| Cow::Borrowed(&**key)),
            available_at: after.available_at,
            added_at: title.added_at,
            owner: after.owner,
            attempt: after.attempt,
            failures: after.failures,
            error: error.filter(|error| !error.is_empty()),
            data: Cow::Borrowed(data),
        },
    }
}
