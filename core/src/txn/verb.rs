//! The verbs on a task: what each means for owner, time, attempt, failures and error, defined once.

use alloc::{borrow::Cow, format, string::String};

use super::{Bench, Reasons, legal};
use crate::{
    error::{Code, Refusal},
    id::{OwnerId, TaskId},
    request::{Update, Verb},
    state::Title,
    time::{Millis, When},
};

/// What a task has after a verb.
pub(super) struct Changed<'a> {
    pub available_at: Millis,
    pub owner: OwnerId,
    pub attempt: u32,
    pub failures: u32,
    /// The error where it changes, empty for none.
    pub error: Option<Cow<'a, str>>,
}

/// Whether `owner` may change a task, and if not, why.
pub(super) fn may_change(bench: &Bench<'_>, title: &Title, owner: OwnerId, force: bool) -> Result<(), Refusal> {
    if !title.held(bench.now) || title.owner == owner.0 || force {
        return Ok(());
    }
    Err(Refusal::Held {
        id: TaskId(title.id),
        owner: OwnerId(title.owner),
        actor: bench.state.past().actor(title.owner),
        until: title.available_at,
        now: bench.now,
    })
}

/// What a task has after an update.
pub(super) fn changed<'a>(
    bench: &Bench<'_>,
    reasons: &mut Reasons,
    place: impl Fn() -> String,
    update: &'a Update,
    title: &Title,
    owner: OwnerId,
) -> Changed<'a> {
    // Times were judged before: the fallback is never used.
    let at = |when: When| when.at(bench.now).unwrap_or(bench.now);
    let mut after = Changed {
        available_at: at(update.available.unwrap_or_default()),
        owner: OwnerId(0),
        attempt: title.attempt,
        failures: title.failures,
        error: None,
    };
    match update.verb {
        Verb::Update => {
            after.available_at = update.available.map_or(title.available_at, at);
            let stays_held = title.held(bench.now) && after.available_at > bench.now;
            if stays_held || after.available_at == title.available_at {
                after.owner = OwnerId(title.owner);
            }
            after.error = update.error.as_deref().map(|error| cut(error, bench.limits.error_bytes));
        }
        Verb::Renew => {
            // A lapsed claim that nobody took may be renewed: its id is the fence, not its time.
            if title.owner != owner.0 {
                reasons.push(Refusal::NotHeld { id: TaskId(title.id) });
            }
            let lease = after.available_at.saturating_sub(bench.now);
            legal::lease(reasons, &place, lease, bench.limits);
            after.owner = owner;
        }
        Verb::Release => {}
        Verb::Fail => {
            after.failures = title.failures.saturating_add(1);
            let error = update.error.as_deref().filter(|error| !error.is_empty()).unwrap_or("failed");
            after.error = Some(cut(error, bench.limits.error_bytes));
        }
        Verb::Requeue => {
            after.attempt = 0;
            after.failures = 0;
            after.error = Some(Cow::Borrowed(""));
        }
    }
    if matches!(update.verb, Verb::Renew | Verb::Requeue) && update.data.is_some() {
        let why = format!("{:?} keeps the data: use an update to change it", update.verb);
        reasons.illegal(place(), Code::Invalid, why);
    }
    after
}

/// The beginning of a text, cut at a character.
fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    Cow::Borrowed(&text[..text.floor_char_boundary(bytes)])
}
