//! Claims, and what waits.

use std::sync::{Mutex, PoisonError};

use pyo3::{
    prelude::*,
    types::{PyList, PyTuple},
};
use tenure::{Claim, Order, OwnerId};

use super::{
    Held, Store,
    wait::{Ending, Wait},
};
use crate::{
    error::Raised as _,
    types::{self, Seconds, Task, Text, choice, number, number_or_none},
};

const ORDERS: [(&str, Order); 2] = [(Order::Random.slug(), Order::Random), (Order::Oldest.slug(), Order::Oldest)];

fn names(groups: &Bound<'_, PyTuple>) -> PyResult<Vec<String>> {
    groups.iter().map(|group| Ok(group.extract::<Text>()?.0)).collect()
}

impl Store {
    fn claimed(
        &self,
        py: Python<'_>,
        claim: Claim,
        wait: &Wait,
        stop: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<tenure::Task>> {
        let store = self.store();
        if wait.0 == Some(0) && stop.is_none() {
            return Ok(py.detach(|| store.claim_now(claim)).raised(py)?.tasks);
        }
        let ending = Ending::of(stop)?;
        let until = wait.until(store);
        let claimed = py.detach(|| store.claim_until(&claim, until, Some(&ending.cancel)));
        Ok(ending.result(py, claimed)?.tasks)
    }
}

fn claim_of(
    py: Python<'_>,
    groups: &Bound<'_, PyTuple>,
    lease: Seconds,
    limit: usize,
    order: &str,
    depends: Option<&Bound<'_, PyAny>>,
) -> PyResult<Claim> {
    Ok(Claim {
        groups: names(groups)?,
        lease: lease.0,
        limit,
        order: choice(py, "order", order, &ORDERS)?,
        depends: depends.map_or_else(|| Ok(Vec::new()), types::depends)?,
        ..Claim::default()
    })
}

#[pymethods]
impl Store {
    /// Claims one task of these groups for a lease, an earlier group before a later one; `None` where none is available
    /// within `wait` (`None`: it waits for ever).
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("mail", "hello")
    /// >>> task = store.claim("urgent", "mail", lease=30)
    /// >>> task.text(), task.attempt
    /// ('hello', 1)
    /// >>> store.claim("urgent", "mail", wait=0.01) is None
    /// True
    #[pyo3(signature = (*groups, lease=Seconds(60_000), wait=Wait(Some(0)), order="random", depends=None, stop=None, owner=None, request_id=None))]
    #[pyo3(
        text_signature = "($self, *groups, lease=60, wait=0, order='random', depends=(), stop=None, owner=None, request_id=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn claim(
        &self,
        py: Python<'_>,
        groups: &Bound<'_, PyTuple>,
        lease: Seconds,
        wait: Wait,
        order: &str,
        depends: Option<&Bound<'_, PyAny>>,
        stop: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = number_or_none)] owner: Option<u64>,
        request_id: Option<Text>,
    ) -> PyResult<Option<Task>> {
        let mut claim = claim_of(py, groups, lease, 1, order, depends)?;
        claim.request_id = request_id.map(|id| id.0);
        claim.owner = OwnerId(owner.unwrap_or_default());
        Ok(self.claimed(py, claim, &wait, stop)?.pop().map(Task))
    }

    /// Claims up to `limit` tasks, as `claim` does one.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> tasks = store.add_many("map", ["1", "2", "3"])
    /// >>> [task.text() for task in store.claim_many("map", limit=2, order="oldest")]
    /// ['1', '2']
    #[pyo3(signature = (*groups, limit, lease=Seconds(60_000), wait=Wait(Some(0)), order="random", depends=None, stop=None, owner=None, request_id=None))]
    #[pyo3(
        text_signature = "($self, *groups, limit, lease=60, wait=0, order='random', depends=(), stop=None, owner=None, request_id=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn claim_many<'py>(
        &self,
        py: Python<'py>,
        groups: &Bound<'py, PyTuple>,
        #[pyo3(from_py_with = number)] limit: usize,
        lease: Seconds,
        wait: Wait,
        order: &str,
        depends: Option<&Bound<'py, PyAny>>,
        stop: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = number_or_none)] owner: Option<u64>,
        request_id: Option<Text>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut claim = claim_of(py, groups, lease, limit, order, depends)?;
        claim.request_id = request_id.map(|id| id.0);
        claim.owner = OwnerId(owner.unwrap_or_default());
        types::list(py, self.claimed(py, claim, &wait, stop)?)
    }

    /// Claims one task after another: an iterator of `Held`, each of which renews its lease. It ends after `idle` seconds
    /// without a task (`None`: it waits for ever), or by `stop`.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> tasks = store.add_many("map", ["1", "2"])
    /// >>> for held in store.claims("map", order="oldest", idle=0):
    /// ...     with held:  # leaving the block finishes the task, an exception fails it
    /// ...         print(held.text())
    /// 1
    /// 2
    #[pyo3(signature = (*groups, lease=Seconds(60_000), idle=None, stop=None, order="random"))]
    #[pyo3(text_signature = "($self, *groups, lease=60, idle=None, stop=None, order='random')")]
    fn claims(
        &self,
        py: Python<'_>,
        groups: &Bound<'_, PyTuple>,
        lease: Seconds,
        idle: Option<Seconds>,
        stop: Option<&Bound<'_, PyAny>>,
        order: &str,
    ) -> PyResult<Claims> {
        let ending = Ending::of(stop)?;
        let order = choice(py, "order", order, &ORDERS)?;
        let claims = self.store().claims(names(groups)?).lease(lease.span()).order(order).stop(ending.cancel.clone());
        let claims = match idle {
            Some(idle) => claims.idle(idle.span()),
            None => claims,
        };
        Ok(Claims { claims: Mutex::new(claims), ending, store: self.store().clone() })
    }

    /// Holds a task that this handle claimed: renews its lease until it is finished or let go.
    #[pyo3(signature = (task, lease=Seconds(60_000)), text_signature = "($self, task, lease=60)")]
    fn hold(&self, py: Python<'_>, task: &Bound<'_, Task>, lease: Seconds) -> Held {
        let task = task.get().0.clone();
        Held::new(self.store(), py.detach(|| self.store().hold(task, lease.span())))
    }

    /// Waits until none of these groups has a task left; says whether that came true within `timeout` seconds.
    ///
    /// >>> import tenure
    /// >>> store = tenure.memory()
    /// >>> task = store.add("map")
    /// >>> store.wait_empty("map", timeout=0.01)
    /// False
    #[pyo3(signature = (*groups, timeout=Wait(None), stop=None))]
    #[pyo3(text_signature = "($self, *groups, timeout=None, stop=None)")]
    fn wait_empty(
        &self,
        py: Python<'_>,
        groups: &Bound<'_, PyTuple>,
        timeout: Wait,
        stop: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let (names, ending) = (names(groups)?, Ending::of(stop)?);
        let until = timeout.until(self.store());
        let empty = py.detach(|| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.store().wait_empty_unless(&names, until, Some(&ending.cancel))
        });
        ending.result(py, empty)
    }
}

/// One held task after another.
#[pyclass(frozen, module = "tenure")]
pub struct Claims {
    claims: Mutex<tenure::Claims>,
    ending: Ending,
    store: tenure::Store,
}

#[pymethods]
impl Claims {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Held>> {
        let next = py.detach(|| {
            // A clone, so that threads that share the iterator do not wait for each other's waits.
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner).clone();
            claims.next()
        });
        match next {
            Some(held) => Ok(Some(Held::new(&self.store, held.raised(py)?))),
            None => self.ending.check().map(|()| None),
        }
    }
}
