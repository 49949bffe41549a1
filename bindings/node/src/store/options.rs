//! How a store is opened.

use napi::{
    Unknown, ValueType,
    bindgen_prelude::{ClassInstance, Object},
};
use napi_derive::napi;
use tenure::{Durability, Limits, Options, Sharing, SnapshotPolicy};

use super::Store;
use crate::{
    clock::FakeClock,
    error::{invalid, wrong_type},
    hub::Bridge,
    journal,
    types::{Answer, Fields, blob, cast, count, id, millis, noun, text, wait},
};

const KNOWN: [&str; 20] = [
    "durability",
    "exclusive",
    "takeOver",
    "readOnly",
    "create",
    "owner",
    "actor",
    "limits",
    "lockWait",
    "flushEvery",
    "segmentBytes",
    "fileMode",
    "folderMode",
    "allowNetwork",
    "snapshots",
    "snapshotBytes",
    "snapshotEntries",
    "clock",
    "seed",
    "journalTimeout",
];

/// How long a method of a journal may take by default.
const JOURNAL_TIMEOUT: u64 = 30_000;

const MEMORY: [&str; 5] = ["owner", "actor", "limits", "clock", "seed"];

/// What a store that is served takes.
const SERVED: [&str; 6] = ["owner", "actor", "token", "ca", "retryFor", "answerWithin"];

fn span(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

fn mode(place: &str, value: &Unknown<'_>) -> napi::Result<u32> {
    Ok(u32::try_from(crate::types::whole(place, value, 0o7777)?).unwrap_or_default())
}

fn clock(place: &str, value: &Unknown<'_>) -> napi::Result<tenure::clock::Clock> {
    let clock = cast::<ClassInstance<'_, FakeClock>>(value);
    clock.map(|clock| clock.0.clone()).map_err(|_| wrong_type(format!("{place}: give a FakeClock")))
}

fn read(fields: &Fields<'_>) -> napi::Result<Options> {
    let mut read = Options::new();
    let durabilities = [("strict", Durability::Strict), ("opportunistic", Durability::Opportunistic)];
    read = read.durability(fields.choice("durability", &durabilities)?);
    read = read.sharing(match (fields.flag("exclusive")?, fields.flag("takeOver")?) {
        (_, true) => Sharing::TakeOver,
        (true, false) => Sharing::Exclusive,
        (false, false) => Sharing::Shared,
    });
    read = read.read_only(fields.flag("readOnly")?);
    read = read.create(fields.optional("create", crate::types::flag)?.unwrap_or(true));
    read = read.allow_network(fields.flag("allowNetwork")?);
    if let Some(owner) = fields.id("owner")? {
        read = read.owner(owner);
    }
    if let Some(actor) = fields.text("actor")? {
        read = read.actor(actor);
    }
    if let Some(wait) = fields.millis("lockWait")? {
        read = read.lock_wait(span(wait));
    }
    if let Some(every) = fields.millis("flushEvery")? {
        read = read.flush_every(span(every));
    }
    if let Some(bytes) = fields.id("segmentBytes")? {
        read = read.segment_bytes(bytes);
    }
    if let Some(mode) = fields.optional("fileMode", mode)? {
        read = read.file_mode(mode);
    }
    if let Some(mode) = fields.optional("folderMode", mode)? {
        read = read.folder_mode(mode);
    }
    if let Some(clock) = fields.optional("clock", clock)? {
        read = read.clock(clock);
    }
    if let Some(seed) = fields.id("seed")? {
        read = read.seed(seed);
    }
    let usual = SnapshotPolicy::default();
    read = read.snapshots(SnapshotPolicy {
        automatic: fields.optional("snapshots", crate::types::flag)?.unwrap_or(usual.automatic),
        bytes: fields.id("snapshotBytes")?.unwrap_or(usual.bytes),
        entries: fields.id("snapshotEntries")?.unwrap_or(usual.entries),
    });
    if let Some(limits) = fields.optional("limits", limits)? {
        read = read.limits(limits);
    }
    Ok(read)
}

fn limits(place: &str, value: &Unknown<'_>) -> napi::Result<Limits> {
    let known = [
        "nameBytes",
        "keyBytes",
        "dataBytes",
        "transactionBytes",
        "transactionItems",
        "claimTasks",
        "claimGroups",
        "leaseMin",
        "leaseMax",
        "errorBytes",
        "maxTasks",
        "maxStateBytes",
        "maxJournalBytes",
    ];
    let fields = Fields::read(place, *value, &known)?;
    let mut limits = Limits::DEFAULT;
    let sizes = [
        ("nameBytes", &mut limits.name_bytes),
        ("keyBytes", &mut limits.key_bytes),
        ("dataBytes", &mut limits.data_bytes),
        ("transactionBytes", &mut limits.transaction_bytes),
        ("transactionItems", &mut limits.transaction_items),
        ("claimTasks", &mut limits.claim_tasks),
        ("claimGroups", &mut limits.claim_groups),
        ("errorBytes", &mut limits.error_bytes),
    ];
    for (name, limit) in sizes {
        if let Some(given) = fields.optional(name, count)? {
            *limit = given;
        }
    }
    for (name, limit) in [("leaseMin", &mut limits.lease_min), ("leaseMax", &mut limits.lease_max)] {
        if let Some(given) = fields.optional(name, millis)? {
            *limit = given;
        }
    }
    let totals = [
        ("maxTasks", &mut limits.max_tasks),
        ("maxStateBytes", &mut limits.max_state_bytes),
        ("maxJournalBytes", &mut limits.max_journal_bytes),
    ];
    for (name, limit) in totals {
        if let Some(given) = fields.optional(name, id)? {
            *limit = given;
        }
    }
    Ok(limits)
}

/// Opens the store in a folder, or in the journal that JavaScript keeps under a number.
#[napi]
pub fn open(bridge: &Bridge, ticket: u32, place: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    let hub = bridge.0.clone();
    let fields = Fields::read("options", options, &KNOWN)?;
    let limit = match fields.raw("journalTimeout")? {
        Some(given) => wait("options.journalTimeout", &given)?,
        None => Some(JOURNAL_TIMEOUT),
    };
    let options = read(&fields)?;
    match place.get_type()? {
        ValueType::String => {
            let path = text("path", &place)?;
            bridge.0.wait(ticket, move || options.open(path).map(|store| Answer::Store(Store::new(store, &hub))));
        }
        ValueType::Object => {
            let journal: Object<'_> = cast(&place)?;
            let journal = journal::Object::read(&hub, &journal, limit.map(span))?;
            bridge.0.wait(ticket, move || {
                let store = options.open_journal(journal::open(journal)?)?;
                Ok(Answer::Store(Store::new(store, &hub)))
            });
        }
        _ => return Err(wrong_type(format!("give a path or a journal, not {}", noun(&place)))),
    }
    Ok(())
}

/// Connects to a store that is served at a URL.
#[napi(js_name = "connectStore")]
pub fn connect(bridge: &Bridge, ticket: u32, url: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
    let hub = bridge.0.clone();
    let url = text("url", &url)?;
    let fields = Fields::read("options", options, &SERVED)?;
    let mut read = Options::new();
    if let Some(owner) = fields.id("owner")? {
        read = read.owner(owner);
    }
    if let Some(actor) = fields.text("actor")? {
        read = read.actor(actor);
    }
    if let Some(token) = fields.text("token")? {
        read = read.token(token);
    }
    if let Some(pem) = fields.optional("ca", blob)? {
        read = read.authorities(pem.to_vec());
    }
    if let Some(wait) = fields.millis("retryFor")? {
        read = read.retry_for(span(wait));
    }
    if let Some(wait) = fields.millis("answerWithin")? {
        read = read.answer_within(span(wait));
    }
    bridge.0.wait(ticket, move || read.connect(url).map(|store| Answer::Store(Store::new(store, &hub))));
    Ok(())
}

/// A store in memory.
#[napi]
pub fn memory(bridge: &Bridge, options: Unknown<'_>) -> napi::Result<Store> {
    let fields = Fields::read("options", options, &MEMORY)?;
    // Nothing to wait for: there is no disk, and nobody else.
    let store = read(&fields)?.memory().map_err(|error| invalid(error.to_string()))?;
    Ok(Store::new(store, &bridge.0))
}
