//! How a store is opened.

use std::{path::PathBuf, time::Duration};

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyString},
};
use tenure::{Durability, Limits, Options, Sharing, SnapshotPolicy};

use super::{Store, wait::Wait};
use crate::{
    clock::FakeClock,
    error::{Raised as _, invalid},
    journal::{LIMIT, journal},
    types::{Blob, Fields, Seconds, Text, shown},
};

const KNOWN: [&str; 20] = [
    "durability",
    "exclusive",
    "take_over",
    "read_only",
    "create",
    "owner",
    "actor",
    "limits",
    "lock_wait",
    "journal_timeout",
    "flush_every",
    "segment_bytes",
    "file_mode",
    "folder_mode",
    "allow_network",
    "snapshots",
    "snapshot_bytes",
    "snapshot_entries",
    "clock",
    "seed",
];

/// What a store that is served takes.
const SERVED: [&str; 6] = ["owner", "actor", "token", "ca", "retry_for", "answer_within"];

struct ClockArgument(tenure::clock::Clock);

impl<'py> FromPyObject<'_, 'py> for ClockArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let clock = given.cast::<FakeClock>().map_err(|_| PyTypeError::new_err("give a tenure.FakeClock"))?;
        Ok(Self(clock.get().0.clone()))
    }
}

fn read(options: &Bound<'_, PyDict>) -> PyResult<Options> {
    let py = options.py();
    let fields = Fields::read("options", options, &KNOWN)?;
    let mut read = Options::new();
    let durabilities = [("strict", Durability::Strict), ("opportunistic", Durability::Opportunistic)];
    read = read.durability(fields.choice("durability", &durabilities)?);
    read = read.sharing(match (fields.flag("exclusive")?, fields.flag("take_over")?) {
        (_, true) => Sharing::TakeOver,
        (true, false) => Sharing::Exclusive,
        (false, false) => Sharing::Shared,
    });
    read = read.read_only(fields.flag("read_only")?);
    read = read.create(fields.optional("create")?.unwrap_or(true));
    read = read.allow_network(fields.flag("allow_network")?);
    if let Some(owner) = fields.optional::<u64>("owner")? {
        read = read.owner(owner);
    }
    if let Some(actor) = fields.optional::<Text>("actor")? {
        read = read.actor(actor.0);
    }
    if let Some(wait) = fields.optional::<Seconds>("lock_wait")? {
        read = read.lock_wait(wait.span());
    }
    if let Some(every) = fields.optional::<Seconds>("flush_every")? {
        read = read.flush_every(every.span());
    }
    if let Some(bytes) = fields.optional("segment_bytes")? {
        read = read.segment_bytes(bytes);
    }
    if let Some(mode) = fields.optional("file_mode")? {
        read = read.file_mode(mode);
    }
    if let Some(mode) = fields.optional("folder_mode")? {
        read = read.folder_mode(mode);
    }
    if let Some(clock) = fields.optional::<ClockArgument>("clock")? {
        read = read.clock(clock.0);
    }
    if let Some(seed) = fields.optional("seed")? {
        read = read.seed(seed);
    }
    let usual = SnapshotPolicy::default();
    read = read.snapshots(SnapshotPolicy {
        automatic: fields.optional("snapshots")?.unwrap_or(usual.automatic),
        bytes: fields.optional("snapshot_bytes")?.unwrap_or(usual.bytes),
        entries: fields.optional("snapshot_entries")?.unwrap_or(usual.entries),
    });
    if let Some(given) = fields.optional::<Bound<'_, PyDict>>("limits")? {
        read = read.limits(limits(py, &given)?);
    }
    Ok(read)
}

fn limits(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::DEFAULT;
    for (name, value) in given {
        let name: String = name.extract()?;
        match name.as_str() {
            "name_bytes" => limits.name_bytes = value.extract()?,
            "key_bytes" => limits.key_bytes = value.extract()?,
            "data_bytes" => limits.data_bytes = value.extract()?,
            "transaction_bytes" => limits.transaction_bytes = value.extract()?,
            "transaction_items" => limits.transaction_items = value.extract()?,
            "claim_tasks" => limits.claim_tasks = value.extract()?,
            "claim_groups" => limits.claim_groups = value.extract()?,
            "lease_min" => limits.lease_min = value.extract::<Seconds>()?.0,
            "lease_max" => limits.lease_max = value.extract::<Seconds>()?.0,
            "error_bytes" => limits.error_bytes = value.extract()?,
            "max_tasks" => limits.max_tasks = value.extract()?,
            "max_state_bytes" => limits.max_state_bytes = value.extract()?,
            "max_journal_bytes" => limits.max_journal_bytes = value.extract()?,
            _ => return Err(invalid(py, format!("limits: there is no limit {:?}", shown(&name)))),
        }
    }
    Ok(limits)
}

/// Opens the store in a folder, or in a journal.
pub fn open(place: &Bound<'_, PyAny>, options: &Bound<'_, PyDict>) -> PyResult<Store> {
    let py = place.py();
    let (given, options) = (options, read(options)?);
    if place.is_instance_of::<PyString>() || place.hasattr("__fspath__")? {
        let path: PathBuf = place.extract()?;
        return py.detach(|| options.open(path)).map(Store::new).raised(py);
    }
    let timeout = Fields::read("options", given, &KNOWN)?.optional::<Wait>("journal_timeout")?;
    let limit = timeout.map_or(LIMIT, |wait| wait.0.map(Duration::from_millis));
    let journal = journal(place, limit)?;
    py.detach(|| options.open_journal(journal)).map(Store::new).raised(py)
}

/// A store in memory.
pub fn memory(options: &Bound<'_, PyDict>) -> PyResult<Store> {
    let py = options.py();
    let options = read(options)?;
    py.detach(|| options.memory()).map(Store::new).raised(py)
}

/// Connects to a store that is served at a URL.
pub fn connect(url: &str, options: &Bound<'_, PyDict>) -> PyResult<Store> {
    let py = options.py();
    let fields = Fields::read("options", options, &SERVED)?;
    let mut read = Options::new();
    if let Some(owner) = fields.optional::<u64>("owner")? {
        read = read.owner(owner);
    }
    if let Some(actor) = fields.optional::<Text>("actor")? {
        read = read.actor(actor.0);
    }
    if let Some(token) = fields.optional::<Text>("token")? {
        read = read.token(token.0);
    }
    if let Some(pem) = fields.optional::<Blob>("ca")? {
        read = read.authorities(pem.0.to_vec());
    }
    if let Some(span) = fields.optional::<Seconds>("retry_for")? {
        read = read.retry_for(span.span());
    }
    if let Some(span) = fields.optional::<Seconds>("answer_within")? {
        read = read.answer_within(span.span());
    }
    py.detach(|| read.connect(url)).map(Store::new).raised(py)
}
