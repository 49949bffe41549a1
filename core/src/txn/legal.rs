//! What a request may say at all, whatever the state: names, sizes, ids, times.

use alloc::{format, string::String};

use super::Reasons;
use crate::{
    error::{Code, Error},
    id::MAX_ID,
    limits::Limits,
    record::GROUPS_TABLE,
    request::{Claim, Depend, Request},
    time::{Millis, When},
};

/// The error of a repeat that comes too late to be told from a new request.
#[cold]
pub(super) fn forgotten(id: &str, limits: &Limits) -> Error {
    Error::new(
        Code::Truncated,
        format!(
            "request id {id:?} was sent before, and request ids are remembered for {} revisions, which have passed: whether it \
             was committed then can't be told; look whether what it does is done before you ask for it anew",
            limits.request_window
        ),
    )
}

/// A request id.
pub(super) fn request_id(id: &str, limits: &Limits) -> Result<(), Error> {
    let mut reasons = Reasons::default();
    text(&mut reasons, || "request_id".into(), id, limits.name_bytes, "a request id");
    reasons.finish()
}

/// The label of who asks.
pub(super) fn actor(label: &str, limits: &Limits) -> Result<(), Error> {
    let mut reasons = Reasons::default();
    text(&mut reasons, || "actor".into(), label, limits.name_bytes, "an actor's label");
    reasons.finish()
}

/// Everything in an update that can be judged without the state.
pub(super) fn update(reasons: &mut Reasons, request: &Request, limits: &Limits, now: Millis) {
    let items = request.adds.len()
        + request.updates.len()
        + request.deletes.len()
        + request.depends.len()
        + request.puts.len()
        + request.removes.len()
        + request.increments.len()
        + request.guards.len();
    if items > limits.transaction_items {
        let why = format!(
            "{items} items are more than the {} that one transaction may have: split it",
            limits.transaction_items
        );
        reasons.illegal("request".into(), Code::OverLimit, why);
        return;
    }
    let changes = items - request.depends.len() - request.guards.len();
    let only_depends = request.depends_only && !request.depends.is_empty();
    if changes == 0 && !only_depends {
        let why = if request.depends.is_empty() {
            "it asks for nothing: add, update or delete something".into()
        } else {
            "it only depends: say depends_only if that is meant".into()
        };
        reasons.illegal("request".into(), Code::Invalid, why);
    }
    let mut bytes = 0;
    for (i, add) in request.adds.iter().enumerate() {
        group(reasons, || format!("adds[{i}].group"), &add.group, limits);
        when(reasons, || format!("adds[{i}]"), add.available, now);
        data(reasons, || format!("adds[{i}].data"), &add.data, limits);
        if let Some(key) = &add.key {
            text(reasons, || format!("adds[{i}].key"), key, limits.key_bytes, "a key");
            bytes += key.len();
        }
        bytes += add.group.len() + add.data.len();
    }
    for (i, update) in request.updates.iter().enumerate() {
        id(reasons, || format!("updates[{i}].id"), update.id.0);
        if let Some(name) = &update.group {
            group(reasons, || format!("updates[{i}].group"), name, limits);
        }
        if let Some(available) = update.available {
            when(reasons, || format!("updates[{i}]"), available, now);
        }
        if let Some(new) = &update.data {
            data(reasons, || format!("updates[{i}].data"), new, limits);
            bytes += new.len();
        }
    }
    for (i, delete) in request.deletes.iter().enumerate() {
        id(reasons, || format!("deletes[{i}].id"), delete.id.0);
    }
    depends(reasons, &request.depends);
    for (i, put) in request.puts.iter().enumerate() {
        record(reasons, || format!("puts[{i}]"), &put.table, &put.key, limits);
        data(reasons, || format!("puts[{i}].value"), &put.value, limits);
        if put.table == GROUPS_TABLE && !is_object(&put.value) {
            let why = "a group's settings are a JSON object, such as {\"paused\": true}".into();
            reasons.illegal(format!("puts[{i}].value"), Code::Invalid, why);
        }
        if put.expires_at.is_some_and(|at| at > MAX_ID) {
            let why = "this time does not fit into 53 bits".into();
            reasons.illegal(format!("puts[{i}].expires_at"), Code::Invalid, why);
        }
        bytes += put.table.len() + put.key.len() + put.value.len();
    }
    for (i, remove) in request.removes.iter().enumerate() {
        record(reasons, || format!("removes[{i}]"), &remove.table, &remove.key, limits);
    }
    for (i, increment) in request.increments.iter().enumerate() {
        record(reasons, || format!("increments[{i}]"), &increment.table, &increment.key, limits);
        if increment.table == GROUPS_TABLE {
            reasons.illegal(
                format!("increments[{i}].table"),
                Code::Invalid,
                "settings are no numbers: put them".into(),
            );
        }
    }
    for (i, guard) in request.guards.iter().enumerate() {
        record(reasons, || format!("guards[{i}]"), &guard.table, &guard.key, limits);
    }
    if bytes > limits.transaction_bytes {
        let why = format!(
            "{bytes} bytes are more than the {} that one transaction may have: split it",
            limits.transaction_bytes
        );
        reasons.illegal("request".into(), Code::OverLimit, why);
    }
}

/// Everything in a claim that can be judged without the state.
pub(super) fn claim(reasons: &mut Reasons, claim: &Claim, limits: &Limits, now: Millis) {
    for (place, what, found, limit) in [
        ("groups", "groups", claim.groups.len(), limits.claim_groups),
        ("depends", "dependencies", claim.depends.len(), limits.transaction_items),
    ] {
        if found > limit {
            let why = format!("{found} {what} are more than the {limit} that one claim may name: split it");
            reasons.illegal(place.into(), Code::OverLimit, why);
            return;
        }
    }
    if claim.groups.is_empty() {
        reasons.illegal("groups".into(), Code::Invalid, "name at least one group to claim from".into());
    }
    for (i, name) in claim.groups.iter().enumerate() {
        text(reasons, || format!("groups[{i}]"), name, limits.name_bytes, "a group's name");
    }
    lease(reasons, || "lease".into(), claim.lease, limits);
    when(reasons, || "lease".into(), When::After(claim.lease), now);
    if claim.limit == 0 || claim.limit > limits.claim_tasks {
        let why = format!("a claim takes 1 to {} tasks, not {}", limits.claim_tasks, claim.limit);
        reasons.illegal("limit".into(), if claim.limit == 0 { Code::Invalid } else { Code::OverLimit }, why);
    }
    depends(reasons, &claim.depends);
}

/// How long a lease may be.
pub(super) fn lease(reasons: &mut Reasons, place: impl Fn() -> String, lease: Millis, limits: &Limits) {
    if lease < limits.lease_min || lease > limits.lease_max {
        let why = format!("a lease lasts {} ms to {} ms, not {lease} ms", limits.lease_min, limits.lease_max);
        reasons.illegal(place(), Code::Invalid, why);
    }
}

fn depends(reasons: &mut Reasons, depends: &[Depend]) {
    for (i, depend) in depends.iter().enumerate() {
        let (Depend::Id(number) | Depend::Origin(number)) = depend;
        id(reasons, || format!("depends[{i}]"), number.0);
    }
}

fn id(reasons: &mut Reasons, place: impl Fn() -> String, id: u64) {
    if id == 0 || id > MAX_ID {
        reasons.illegal(place(), Code::Invalid, format!("{id} is no task id: ids run from 1 to 2^53 - 1"));
    }
}

fn text(reasons: &mut Reasons, place: impl Fn() -> String, text: &str, limit: usize, what: &str) {
    if text.is_empty() {
        reasons.illegal(place(), Code::Invalid, format!("{what} must not be empty"));
    } else if text.len() > limit {
        let why = format!("{what} of {} bytes is over the limit of {limit}", text.len());
        reasons.illegal(place(), Code::OverLimit, why);
    } else if text.contains('\0') {
        reasons.illegal(place(), Code::Invalid, format!("{what} must not contain a NUL byte"));
    }
}

fn group(reasons: &mut Reasons, place: impl Fn() -> String, name: &str, limits: &Limits) {
    text(reasons, &place, name, limits.name_bytes, "a group's name");
    if name.starts_with('_') {
        reasons.illegal(place(), Code::Invalid, format!("{name:?}: names that begin with _ are the store's own"));
    }
}

fn record(reasons: &mut Reasons, place: impl Fn() -> String, table: &str, key: &str, limits: &Limits) {
    text(reasons, || format!("{}.table", place()), table, limits.name_bytes, "a table's name");
    text(reasons, || format!("{}.key", place()), key, limits.key_bytes, "a key");
    if table.starts_with('_') && table != GROUPS_TABLE {
        let why = format!("{table:?}: names that begin with _ are the store's own");
        reasons.illegal(format!("{}.table", place()), Code::Invalid, why);
    }
}

fn data(reasons: &mut Reasons, place: impl Fn() -> String, data: &[u8], limits: &Limits) {
    if data.len() > limits.data_bytes {
        let why = format!(
            "{} bytes are over the limit of {}: keep them elsewhere and put their name here",
            data.len(),
            limits.data_bytes
        );
        reasons.illegal(place(), Code::OverLimit, why);
    }
}

fn when(reasons: &mut Reasons, place: impl Fn() -> String, when: When, now: Millis) {
    if when.at(now).is_none() {
        reasons.illegal(place(), Code::Invalid, "this time does not fit into 53 bits of milliseconds".into());
    }
}

fn is_object(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    value.starts_with(b"{") && value.ends_with(b"}") && core::str::from_utf8(value).is_ok()
}
