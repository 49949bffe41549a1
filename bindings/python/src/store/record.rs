//! Records, and the update that everything else is made of.

use pyo3::{prelude::*, types::PyList};
use tenure::{OwnerId, Put, Request, Revision};

use super::Store;
use crate::{
    error::Raised as _,
    types::{self, Blob, Committed, Record, Seconds, Text, number, number_or_none},
};

type Items<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

fn parts<'py, T>(items: Items<'_, 'py>, read: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Vec<T>>) -> PyResult<Vec<T>> {
    items.map_or_else(|| Ok(Vec::new()), read)
}

#[pymethods]
impl Store {
    /// Commits a transaction: all of it, or nothing. Each item is a dict with the names that the verbs have.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("map", "part-1")
    /// >>> committed = store.update(
    /// ...     adds=[{"group": "reduce", "data": "part-1", "delay": 5}],
    /// ...     deletes=[{"task": task, "reason": "finished"}],
    /// ...     increments=[{"table": "jobs", "key": "done"}],
    /// ... )
    /// >>> committed.revision, committed.tasks[0].text(), committed.counts
    /// (2, 'part-1', [1])
    #[pyo3(signature = (
        *, adds=None, updates=None, deletes=None, depends=None, puts=None, removes=None, increments=None, guards=None,
        depends_only=false, owner=None, request_id=None
    ))]
    #[pyo3(
        text_signature = "($self, *, adds=(), updates=(), deletes=(), depends=(), puts=(), removes=(), increments=(), guards=(), depends_only=False, owner=None, request_id=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn update(
        &self,
        py: Python<'_>,
        adds: Items<'_, '_>,
        updates: Items<'_, '_>,
        deletes: Items<'_, '_>,
        depends: Items<'_, '_>,
        puts: Items<'_, '_>,
        removes: Items<'_, '_>,
        increments: Items<'_, '_>,
        guards: Items<'_, '_>,
        depends_only: bool,
        #[pyo3(from_py_with = number_or_none)] owner: Option<u64>,
        request_id: Option<Text>,
    ) -> PyResult<Committed> {
        let mut named = OwnerId(0);
        let request = Request {
            adds: parts(adds, types::adds)?,
            updates: parts(updates, |items| types::updates(items, &mut named))?,
            deletes: parts(deletes, |items| types::deletes(items, &mut named))?,
            depends: parts(depends, types::depends)?,
            puts: parts(puts, types::puts)?,
            removes: parts(removes, types::removes)?,
            increments: parts(increments, types::increments)?,
            guards: parts(guards, types::guards)?,
            depends_only,
            owner: owner.map_or(named, OwnerId),
            actor: None,
            sent_after: None,
            request_id: request_id.map(|id| id.0),
        };
        py.detach(|| self.store().update(request)).map(Committed).raised(py)
    }

    /// A record, unless it is absent or expired.
    fn get(&self, py: Python<'_>, table: Text, key: Text) -> PyResult<Option<Record>> {
        Ok(py.detach(|| self.store().get(&table.0, &key.0)).raised(py)?.map(Record))
    }

    /// Writes a record and answers with the revision that wrote it. `expect` is the revision that it must have, 0 for
    /// absent; from `expires_at` on it is hidden.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> revision = store.put("jobs", "job-1", "begun", expect=0)
    /// >>> store.get("jobs", "job-1").text()
    /// 'begun'
    /// >>> store.put("jobs", "job-1", "begun again", expect=0)
    /// Traceback (most recent call last):
    /// tenure.Rejected: ...
    #[pyo3(signature = (table, key, value, *, expect=None, expires_at=None))]
    fn put(
        &self,
        py: Python<'_>,
        table: Text,
        key: Text,
        value: Blob,
        #[pyo3(from_py_with = number_or_none)] expect: Option<u64>,
        expires_at: Option<Seconds>,
    ) -> PyResult<u64> {
        let put = Put {
            table: table.0,
            key: key.0,
            value: value.0,
            expect: expect.map(Revision),
            expires_at: expires_at.map(|at| at.0),
        };
        py.detach(|| self.store().put_record(put)).map(|revision| revision.0).raised(py)
    }

    /// Removes a record; where it is not there, nothing happens.
    #[pyo3(signature = (table, key, *, expect=None))]
    fn remove(
        &self,
        py: Python<'_>,
        table: Text,
        key: Text,
        #[pyo3(from_py_with = number_or_none)] expect: Option<u64>,
    ) -> PyResult<u64> {
        let expect = expect.map(Revision);
        py.detach(|| self.store().remove(&table.0, &key.0, expect)).map(|revision| revision.0).raised(py)
    }

    /// Records of a table whose keys begin with `prefix` and come after `after`, in the order of their keys.
    #[pyo3(signature = (table, *, prefix=None, limit=1000, after=None))]
    #[pyo3(text_signature = "($self, table, *, prefix='', limit=1000, after=None)")]
    fn scan<'py>(
        &self,
        py: Python<'py>,
        table: Text,
        prefix: Option<Text>,
        #[pyo3(from_py_with = number)] limit: usize,
        after: Option<Text>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (prefix, after) = (prefix.map_or_else(String::new, |prefix| prefix.0), after.map(|after| after.0));
        let records = py.detach(|| self.store().scan(&table.0, &prefix, after.as_deref(), limit)).raised(py)?;
        PyList::new(py, records.into_iter().map(Record))
    }

    /// Adds to a number, at commit, and answers with the sum; it must stay within the bounds that are given.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> store.increment("counts", "mails", 2), store.increment("counts", "mails", -1, min=0)
    /// (2, 1)
    #[pyo3(signature = (table, key, by=1, *, min=None, max=None))]
    fn increment(
        &self,
        py: Python<'_>,
        table: Text,
        key: Text,
        #[pyo3(from_py_with = number)] by: i64,
        #[pyo3(from_py_with = number_or_none)] min: Option<i64>,
        #[pyo3(from_py_with = number_or_none)] max: Option<i64>,
    ) -> PyResult<i64> {
        py.detach(|| self.store().increment(&table.0, &key.0, by, min, max)).raised(py)
    }
}
