//! A function over a transaction, which is run again where what it read has changed.

use std::mem;

use pyo3::prelude::*;

use super::Store;
use crate::{
    error::{Raised as _, carried},
    transaction::Transaction,
    types::{Text, number},
};

#[pymethods]
impl Store {
    /// Calls `fn` with a transaction and commits what it asked for; answers with what `fn` answered. Where a record that it
    /// read has changed meanwhile, `fn` is called again.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> def count(tx):
    /// ...     record = tx.get("counts", "mails")
    /// ...     number = int(record.value) + 1 if record else 1
    /// ...     tx.put("counts", "mails", str(number))
    /// ...     return number
    /// >>> store.transact(count), store.transact(count)
    /// (1, 2)
    #[pyo3(signature = (r#fn, *, retries=16, request_id=None))]
    fn transact(
        &self,
        py: Python<'_>,
        r#fn: Py<PyAny>,
        #[pyo3(from_py_with = number)] retries: u32,
        request_id: Option<Text>,
    ) -> PyResult<Py<PyAny>> {
        let id = request_id.as_ref().map(|id| id.0.as_str());
        let done = py.detach(|| {
            self.store().transact_with(id, retries.saturating_add(1), |tx| {
                Python::attach(|py| {
                    let mine = mem::replace(tx, self.store().transaction());
                    let object = Py::new(py, Transaction::new(mine)).map_err(carried)?;
                    let value = r#fn.call1(py, (object.clone_ref(py),)).map_err(carried)?;
                    *tx = object.get().take()?;
                    Ok(value)
                })
            })
        });
        done.map(|(value, _)| value).raised(py)
    }

    /// A transaction for a `with` block: leaving it commits, once; an exception leaves the store as it was.
    fn transaction(&self) -> Transaction {
        Transaction::new(self.store().transaction())
    }
}
