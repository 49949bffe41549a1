//! The port's contracts, run on journals that Python objects supply.

use pyo3::prelude::*;
use tenure::core::port::Journal;

use super::{LIMIT, calls::with, journal};

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
            let opened = journal(made.bind(py), LIMIT);
            self.last = Some(made);
            opened
        })
    }

    fn recreate(&mut self) -> Option<tenure::Result<Box<dyn Journal>>> {
        let (remake, last) = (self.remake.as_ref()?, self.last.as_ref()?);
        Some(with(|py| journal(remake.call1(py, (last.clone_ref(py),))?.bind(py), LIMIT)))
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
