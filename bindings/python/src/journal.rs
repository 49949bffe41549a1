//! A journal that a Python object supplies: one row an entry, as the core's `Rows`. The package's `Journal` documents what
//! its methods promise.

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyList},
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
    error::{carried, root},
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

/// Rows that a Python object keeps.
pub struct PyRows {
    object: Py<PyAny>,
    identity: StoreId,
    syncs: bool,
    locks: bool,
}

/// A journal on an object.
pub fn journal(object: &Bound<'_, PyAny>) -> PyResult<Box<dyn Journal>> {
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
    let identity = object.call_method0("identity")?;
    let identity = identity.extract::<[u8; 16]>().map_err(|_| {
        PyTypeError::new_err("the journal's identity() must give the 16 bytes that were drawn when it was created")
    })?;
    let rows = PyRows {
        object: object.clone().unbind(),
        identity: StoreId(identity),
        syncs: object.hasattr("sync")?,
        locks: object.hasattr("lock")? && object.hasattr("unlock")?,
    };
    Ok(Box::new(RowLog::new(rows)))
}

/// Runs a call of the object. At the end of the program there may be no interpreter left to run it.
fn with<T>(call: impl FnOnce(Python<'_>) -> PyResult<T>) -> tenure::Result<T> {
    let called = Python::try_attach(|py| call(py).map_err(|raised| outward(py, raised)));
    called.unwrap_or_else(|| {
        Err(Error::new(Code::Unavailable, "Python is shutting down, and the journal with it: close the store before"))
    })
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

impl PyRows {
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        arguments: impl pyo3::call::PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.object.bind(py).call_method1(method, arguments)
    }
}

impl Rows for PyRows {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> tenure::Result<(u64, Vec<u8>)> {
        with(|py| {
            let floor = self.call(py, "floor", ())?;
            floor.extract().map_err(|_| rubbish("floor", "a pair of position and mark, as (1, b'')", &floor))
        })
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> tenure::Result<()>) -> tenure::Result<()> {
        let mut stopped = None;
        let read = with(|py| {
            let rows = self.call(py, "read", (from,))?;
            if rows.is_none() {
                let why = format!("row {from} was let go, and the journal holds it no more");
                stopped = Some(Error::new(Code::Truncated, why));
                return Ok(());
            }
            let wanted = "pairs of position and row, or None below the floor";
            for row in rows.try_iter().map_err(|_| rubbish("read", wanted, &rows))? {
                let row = row?;
                let (position, bytes): (u64, Bound<'_, PyBytes>) =
                    row.extract().map_err(|_| rubbish("read", wanted, &row))?;
                if let Err(error) = visit(position, bytes.as_bytes()) {
                    stopped = Some(error);
                    return Ok(());
                }
            }
            Ok(())
        });
        stopped.map_or(read, Err)
    }

    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        let appended = with(|py| {
            let rows = PyList::new(py, rows.iter().map(|row| PyBytes::new(py, row)))?;
            let appended = self.call(py, "append", (at, rows))?;
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
        let locked = with(|py| self.call(py, "lock", (seconds(wait),))?.is_truthy())?;
        if !locked {
            let why = format!("the journal's lock was not free within {wait} ms: try again");
            return Err(Error::new(Code::LockTimeout, why));
        }
        let done = body(self);
        let unlocked = with(|py| self.call(py, "unlock", ()).map(drop));
        done.and(unlocked)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        if !self.syncs {
            return None;
        }
        let object = Python::try_attach(|py| self.object.clone_ref(py))?;
        Some(Box::new(move || with(|py| object.call_method0(py, "sync").map(drop))))
    }

    fn truncate(&mut self, floor: u64, mark: &[u8]) -> tenure::Result<()> {
        with(|py| self.call(py, "truncate", (floor, PyBytes::new(py, mark))).map(drop))
    }

    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> tenure::Result<()> {
        with(|py| self.call(py, "publish_snapshot", (name_text(name), PyBytes::new(py, &bytes))).map(drop))
    }

    fn snapshots(&mut self) -> tenure::Result<Vec<SnapshotName>> {
        with(|py| {
            let wanted = "the names that publish_snapshot() was given";
            let names = self.call(py, "snapshots", ())?;
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
        let read = with(|py| {
            let bytes = self.call(py, "read_snapshot", (name_text(name),))?;
            bytes.extract::<Option<Vec<u8>>>().map_err(|_| rubbish("read_snapshot", "bytes, or None", &bytes))
        })?;
        read.ok_or_else(|| {
            let name = name_text(name);
            Error::new(Code::NotFound, format!("the journal has no snapshot {name}: list them again"))
        })
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> tenure::Result<()> {
        with(|py| self.call(py, "remove_snapshot", (name_text(name),)).map(drop))
    }

    fn sizes(&mut self) -> tenure::Result<(u64, u64, u64)> {
        with(|py| {
            if !self.object.bind(py).hasattr("sizes")? {
                return Ok((0, 0, 0));
            }
            let sizes = self.call(py, "sizes", ())?;
            let wanted = "bytes of rows, bytes of snapshots, number of rows";
            sizes.extract().map_err(|_| rubbish("sizes", wanted, &sizes))
        })
    }

    fn reopen(&self) -> tenure::Result<Box<Self>> {
        with(|py| {
            let object = self.object.clone_ref(py);
            Ok(Box::new(Self { object, identity: self.identity, syncs: self.syncs, locks: self.locks }))
        })
    }
}

/// What came of a check of the conformance suite: contract, statement, verdict, and why where it is not kept.
type Finding = (&'static str, &'static str, &'static str, String);

struct Ground {
    make: Py<PyAny>,
    remake: Option<Py<PyAny>>,
    last: Option<Py<PyAny>>,
}

impl tenure::core::port::conformance::Ground for Ground {
    fn fresh(&mut self) -> tenure::Result<Box<dyn Journal>> {
        with(|py| {
            let made = self.make.call0(py)?;
            let opened = journal(made.bind(py));
            self.last = Some(made);
            opened
        })
    }

    fn recreate(&mut self) -> Option<tenure::Result<Box<dyn Journal>>> {
        let (remake, last) = (self.remake.as_ref()?, self.last.as_ref()?);
        Some(with(|py| journal(remake.call1(py, (last.clone_ref(py),))?.bind(py))))
    }
}

/// Runs the conformance suite on journals that `make` makes; `remake` puts a new one in the place of its argument.
pub fn conformance(py: Python<'_>, make: Py<PyAny>, remake: Option<Py<PyAny>>) -> Vec<Finding> {
    use tenure::core::port::conformance::{Verdict, run};
    let mut ground = Ground { make, remake, last: None };
    let findings = py.detach(|| run(&mut ground));
    findings
        .into_iter()
        .map(|finding| {
            let (verdict, why) = match finding.verdict {
                Verdict::Kept => ("kept", String::new()),
                Verdict::Broken(how) => ("broken", how),
                Verdict::Skipped(why) => ("skipped", why),
            };
            (finding.contract, finding.statement, verdict, why)
        })
        .collect()
}
