//! A journal that a Python object supplies: one row an entry, as the core's `Rows`. The package's `Journal` documents what
//! its methods promise.
//!
//! * `calls`        the object's calls, each with a time limit
//! * `conformance`  the contracts, run on such journals

mod calls;
mod conformance;

pub use calls::drop_elsewhere;
pub use conformance::conformance;

use std::{sync::Arc, time::Duration};

use calls::Calls;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyIterator, PyList},
};
use tenure::{
    Author, Code, Error, Millis, Outcome, Revision, StoreId,
    core::{
        error::CATALOGUE,
        port::{AppendError, Journal, SnapshotName},
        rows::{RowLog, RowSync, Rows},
    },
};

use crate::{
    error::{Raised as _, carried, root},
    types::seconds,
};

/// What the object must have.
const METHODS: [&str; 9] = [
    "identity",
    "floor",
    "read",
    "append",
    "truncate",
    "publish_snapshot",
    "snapshots",
    "read_snapshot",
    "remove_snapshot",
];

/// How long a call of the object may take, where nothing else is said.
pub const LIMIT: Option<Duration> = Some(Duration::from_secs(30));

/// Rows of a read that are taken over at once: few at first, since often the first is all that is looked at.
const PAGES: (usize, usize) = (4, 512);

/// Rows that a Python object keeps.
pub struct PyRows {
    calls: Calls,
    /// For `sync`, which runs beside the others.
    syncs: Option<Arc<Calls>>,
    identity: StoreId,
    locks: bool,
}

/// A journal on an object, each call of which may take as long as `limit`.
pub fn journal(object: &Bound<'_, PyAny>, limit: Option<Duration>) -> PyResult<Box<dyn Journal>> {
    let mut missing = Vec::new();
    for name in METHODS {
        if !object.hasattr(name)? {
            missing.push(name);
        }
    }
    if !missing.is_empty() {
        let kind = object.get_type();
        let missing = missing.join(", ");
        return Err(PyTypeError::new_err(format!(
            "give a path or a journal: {} has no {missing}; tenure.Journal says what they do",
            kind.name()?
        )));
    }
    let calls = Calls::new(object.clone().unbind(), limit);
    let identity = object.py().detach(|| {
        calls.ask("identity", |object| {
            object.call_method0("identity")?.extract::<[u8; 16]>().map_err(|_| {
                PyTypeError::new_err(
                    "the journal's identity() must give the 16 bytes that were drawn when it was created",
                )
            })
        })
    });
    let rows = PyRows {
        identity: StoreId(identity.raised(object.py())?),
        syncs: object.hasattr("sync")?.then(|| Arc::new(calls.again())),
        locks: object.hasattr("lock")? && object.hasattr("unlock")?,
        calls,
    };
    Ok(Box::new(RowLog::new(rows)))
}

/// What the object raised: an exception of Tenure says what it means by its code, any other is carried unchanged.
fn outward(py: Python<'_>, raised: PyErr) -> Error {
    if !root(py).is_ok_and(|root| raised.is_instance(py, root)) {
        return carried(raised);
    }
    let value = raised.value(py);
    let text = |name: &str| value.getattr(name).and_then(|text| text.extract::<String>()).unwrap_or_default();
    let (code, outcome, message) = (text("code"), text("outcome"), value.to_string());
    let code = CATALOGUE.iter().copied().find(|known| known.slug() == code).unwrap_or(Code::Foreign);
    let outcomes = [Outcome::Refused, Outcome::NotStarted, Outcome::Unknown];
    let outcome = outcomes.into_iter().find(|known| known.slug() == outcome).unwrap_or(code.outcome());
    Error::new(code, message).with_outcome(outcome).with_source(raised)
}

fn rubbish(method: &str, wanted: &str, found: &Bound<'_, PyAny>) -> PyErr {
    let found = found.repr().map_or_else(|_| "what can't be shown".into(), |text| text.to_string());
    let found: String = found.chars().take(80).collect();
    PyTypeError::new_err(format!("the journal's {method}() answered {found}: it must answer {wanted}"))
}

fn name_text(name: SnapshotName) -> String {
    format!("{:020}-{:016x}", name.end.0, name.author.0)
}

fn name_of(text: &str) -> Option<SnapshotName> {
    let (end, author) = text.split_once('-')?;
    Some(SnapshotName { end: Revision(end.parse().ok()?), author: Author(u64::from_str_radix(author, 16).ok()?) })
}

/// Some rows of a read, and what gives the others.
struct Page {
    rows: Vec<(u64, Vec<u8>)>,
    rest: Option<Py<PyIterator>>,
}

impl Page {
    fn take(rest: Bound<'_, PyIterator>, most: usize) -> PyResult<Self> {
        let mut rows = Vec::new();
        let mut each = rest.clone();
        while rows.len() < most {
            let Some(row) = each.next() else { return Ok(Self { rows, rest: None }) };
            let row = row?;
            let (position, bytes): (u64, Bound<'_, PyBytes>) =
                row.extract().map_err(|_| rubbish("read", ROWS, &row))?;
            rows.push((position, bytes.as_bytes().to_vec()));
        }
        Ok(Self { rows, rest: Some(rest.unbind()) })
    }
}

const ROWS: &str = "pairs of position and row, or None below the floor";

impl Rows for PyRows {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> tenure::Result<(u64, Vec<u8>)> {
        self.calls.ask("floor", |object| {
            let floor = object.call_method0("floor")?;
            floor.extract().map_err(|_| rubbish("floor", "a pair of position and mark, as (1, b'')", &floor))
        })
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> tenure::Result<()>) -> tenure::Result<()> {
        let mut most = PAGES.0;
        let first = self.calls.ask("read", move |object| {
            let rows = object.call_method1("read", (from,))?;
            if rows.is_none() {
                return Ok(None);
            }
            Page::take(rows.try_iter().map_err(|_| rubbish("read", ROWS, &rows))?, most).map(Some)
        })?;
        let Some(mut page) = first else {
            let why = format!("row {from} was let go, and the journal holds it no more");
            return Err(Error::new(Code::Truncated, why));
        };
        loop {
            for (position, bytes) in &page.rows {
                visit(*position, bytes)?;
            }
            let Some(rest) = page.rest else { return Ok(()) };
            most = (most * 4).min(PAGES.1);
            page = self.calls.ask("read", move |object| Page::take(rest.into_bound(object.py()), most))?;
        }
    }

    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        let rows = rows.to_vec();
        let appended = self.calls.ask("append", move |object| {
            let rows = PyList::new(object.py(), rows.iter().map(|row| PyBytes::new(object.py(), row)))?;
            let appended = object.call_method1("append", (at, rows))?;
            appended.extract::<bool>().map_err(|_| rubbish("append", "True, or False for a conflict", &appended))
        });
        match appended {
            Ok(true) => Ok(()),
            Ok(false) => Err(AppendError::Conflict),
            // Only an exception that says so is sure that nothing is there.
            Err(error) if error.code() != Code::Foreign && error.outcome() != Outcome::Unknown => {
                Err(AppendError::Refused(error))
            }
            Err(error) => Err(AppendError::Unknown(error)),
        }
    }

    fn section(&mut self, wait: Millis, body: &mut dyn FnMut(&mut Self) -> tenure::Result<()>) -> tenure::Result<()> {
        if !self.locks {
            return body(self);
        }
        let patience = Duration::from_millis(wait);
        let locked = self
            .calls
            .ask_longer("lock", patience, move |object| object.call_method1("lock", (seconds(wait),))?.is_truthy())?;
        if !locked {
            let why = format!("the journal's lock was not free within {wait} ms: try again");
            return Err(Error::new(Code::LockTimeout, why));
        }
        let done = body(self);
        let unlocked = self.calls.ask("unlock", |object| object.call_method0("unlock").map(drop));
        done.and(unlocked)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        let calls = self.syncs.clone()?;
        Some(Box::new(move || calls.ask("sync", |object| object.call_method0("sync").map(drop))))
    }

    fn truncate(&mut self, floor: u64, mark: &[u8]) -> tenure::Result<()> {
        let mark = mark.to_vec();
        self.calls.ask("truncate", move |object| {
            object.call_method1("truncate", (floor, PyBytes::new(object.py(), &mark))).map(drop)
        })
    }

    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> tenure::Result<()> {
        self.calls.ask("publish_snapshot", move |object| {
            let bytes = PyBytes::new(object.py(), &bytes);
            object.call_method1("publish_snapshot", (name_text(name), bytes)).map(drop)
        })
    }

    fn snapshots(&mut self) -> tenure::Result<Vec<SnapshotName>> {
        self.calls.ask("snapshots", |object| {
            let wanted = "the names that publish_snapshot() was given";
            let names = object.call_method0("snapshots")?;
            let rows = names.try_iter().map_err(|_| rubbish("snapshots", wanted, &names))?;
            rows.map(|name| {
                let name = name?;
                name.extract::<String>()
                    .ok()
                    .and_then(|text| name_of(&text))
                    .ok_or_else(|| rubbish("snapshots", wanted, &name))
            })
            .collect()
        })
    }

    fn read_snapshot(&mut self, name: SnapshotName) -> tenure::Result<Vec<u8>> {
        let read = self.calls.ask("read_snapshot", move |object| {
            let bytes = object.call_method1("read_snapshot", (name_text(name),))?;
            bytes.extract::<Option<Vec<u8>>>().map_err(|_| rubbish("read_snapshot", "bytes, or None", &bytes))
        })?;
        read.ok_or_else(|| {
            let name = name_text(name);
            Error::new(Code::NotFound, format!("the journal has no snapshot {name}: list them again"))
        })
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> tenure::Result<()> {
        self.calls
            .ask("remove_snapshot", move |object| object.call_method1("remove_snapshot", (name_text(name),)).map(drop))
    }

    fn sizes(&mut self) -> tenure::Result<(u64, u64, u64)> {
        self.calls.ask("sizes", |object| {
            if !object.hasattr("sizes")? {
                return Ok((0, 0, 0));
            }
            let sizes = object.call_method0("sizes")?;
            let wanted = "bytes of rows, bytes of snapshots, number of rows";
            sizes.extract().map_err(|_| rubbish("sizes", wanted, &sizes))
        })
    }

    fn reopen(&self) -> tenure::Result<Box<Self>> {
        let (calls, syncs) = (self.calls.again(), self.syncs.as_ref().map(|syncs| Arc::new(syncs.again())));
        Ok(Box::new(Self { calls, syncs, identity: self.identity, locks: self.locks }))
    }
}
