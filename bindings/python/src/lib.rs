//! Tenure for Python: converts, calls, maps errors. All rules live in the crates below.
//!
//! * `store`        the handle, its verbs, waits and held leases
//! * `transaction`  `transact` and `transaction`
//! * `journal`      a journal that a Python object supplies
//! * `types`        values on their way in and out
//! * `error`        the exceptions, from the catalogue
//! * `clock`        a clock for tests

mod clock;
mod error;
mod journal;
mod store;
mod transaction;
mod types;

use pyo3::prelude::*;

// A free-threaded CPython that builds this from source turns its lock on.
#[pymodule(name = "_native", gil_used = true)]
mod native {
    use pyo3::{prelude::*, types::PyDict};

    #[pymodule_export]
    use crate::clock::FakeClock;
    #[pymodule_export]
    use crate::store::{Cancel, Claims, Held, Store, Watch};
    #[pymodule_export]
    use crate::transaction::Transaction;
    #[pymodule_export]
    use crate::types::{Change, Committed, Event, GroupStats, Record, Task};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::store::heed_signals();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::error::add_classes(module)
    }

    /// Opens a store; the package's `open` names the options.
    #[pyfunction]
    fn open(place: &Bound<'_, PyAny>, options: &Bound<'_, PyDict>) -> PyResult<Store> {
        crate::store::open(place, options)
    }

    /// Connects to a store that is served; the package's `connect` names the options.
    #[pyfunction]
    fn connect(url: &Bound<'_, PyAny>, options: &Bound<'_, PyDict>) -> PyResult<Store> {
        crate::store::connect(&url.extract::<crate::types::Text>()?.0, options)
    }

    /// A store in memory; the package's `memory` names the options.
    #[pyfunction]
    fn memory(options: &Bound<'_, PyDict>) -> PyResult<Store> {
        crate::store::memory(options)
    }

    /// Runs the port's contracts on journals that `make` makes.
    #[pyfunction]
    #[pyo3(signature = (make, remake=None))]
    fn conformance(
        py: Python<'_>,
        make: Py<PyAny>,
        remake: Option<Py<PyAny>>,
    ) -> Vec<(&'static str, &'static str, &'static str, String)> {
        crate::journal::conformance(py, make, remake)
    }

    /// Every code with its kind, outcome and retry.
    #[pyfunction]
    fn catalogue() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
        crate::error::catalogue()
    }

    /// Runs the command line and answers with its exit code.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> i32 {
        py.detach(|| tenure_cli::main(arguments.into_iter()))
    }
}
