//! Claims, and what waits.

use napi::Unknown;
use napi_derive::napi;
use tenure::{Claim, Millis, Order, OwnerId, Work};

use super::{Held, Store};
use crate::types::{Answer, Fields, count, depends, names, wait, whole_task};

const ORDERS: [(&str, Order); 2] = [(Order::Random.slug(), Order::Random), (Order::Oldest.slug(), Order::Oldest)];

/// How long a lease is where nothing is said.
pub const LEASE: Millis = 60_000;

/// Ends waits.
#[napi]
#[derive(Default)]
pub struct Cancel(pub(crate) tenure::Cancel);

#[napi]
impl Cancel {
    /// Nothing cancelled yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every wait that was given this one ends, now and later. What it has got, it releases first.
    #[napi]
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

fn claim_of(fields: &Fields<'_>, groups: &Unknown<'_>) -> napi::Result<Claim> {
    Ok(Claim {
        groups: names("groups", groups)?,
        lease: fields.millis("lease")?.unwrap_or(LEASE),
        order: fields.choice("order", &ORDERS)?,
        limit: fields.optional("limit", count)?.unwrap_or(1),
        depends: depends(fields)?,
        owner: OwnerId(fields.id("owner")?.unwrap_or_default()),
        actor: None,
        request_id: fields.text("requestId")?,
    })
}

/// How long to wait: absent is what is usual.
fn waiting(fields: &Fields<'_>, name: &str, usual: Option<Millis>) -> napi::Result<Option<Millis>> {
    match fields.raw(name)? {
        None => Ok(usual),
        Some(given) => wait(&format!("{}.{name}", fields.place()), &given),
    }
}

/// Until when, counted from the call and not from when a thread comes to it.
fn until(store: &tenure::Store, wait: Option<Millis>) -> Option<Millis> {
    wait.map(|wait| store.now().saturating_add(wait))
}

#[napi]
impl Store {
    /// Claims up to `limit` tasks of these groups; with `cancel`, whatever waits can be ended.
    #[napi]
    pub fn claim(
        &self,
        ticket: u32,
        groups: Unknown<'_>,
        options: Unknown<'_>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<()> {
        let known = ["lease", "wait", "order", "depends", "owner", "requestId", "limit"];
        let fields = Fields::read("options", options, &known)?;
        let claim = claim_of(&fields, &groups)?;
        let wait = waiting(&fields, "wait", Some(0))?;
        if wait == Some(0) && cancel.is_none() {
            self.commit(ticket, Work::Claim(claim), |committed| Ok(Answer::all(committed.tasks)));
            return Ok(());
        }
        let (cancel, until) = (cancel.map(|cancel| cancel.0.clone()), until(self.store(), wait));
        self.wait(ticket, move |store| {
            let claimed = store.claim_until(&claim, until, cancel.as_ref())?;
            Ok(Answer::all(claimed.tasks))
        });
        Ok(())
    }

    /// Claims one task and holds it; none where nothing comes within `idle`, or once it is cancelled.
    #[napi]
    pub fn next_held(
        &self,
        ticket: u32,
        groups: Unknown<'_>,
        options: Unknown<'_>,
        cancel: &Cancel,
        number: u32,
    ) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["lease", "idle", "order"])?;
        let (groups, order) = (names("groups", &groups)?, fields.choice("order", &ORDERS)?);
        let lease = std::time::Duration::from_millis(fields.millis("lease")?.unwrap_or(LEASE));
        let mut claims = self.store().claims(groups).lease(lease).order(order).stop(cancel.0.clone());
        let until = until(self.store(), waiting(&fields, "idle", None)?);
        let (hub, lane) = (self.hub.clone(), self.lane());
        self.wait(ticket, move |store| {
            if let Some(until) = until {
                claims = claims.idle(std::time::Duration::from_millis(until.saturating_sub(store.now())));
            }
            let held = claims.next().transpose()?;
            Ok(Answer::Held(held.map(|held| Held::new(&hub, &lane, held, number))))
        });
        Ok(())
    }

    /// Holds a task that this handle claimed.
    #[napi]
    pub fn hold(&self, ticket: u32, task: Unknown<'_>, options: Unknown<'_>, number: u32) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["lease"])?;
        let lease = std::time::Duration::from_millis(fields.millis("lease")?.unwrap_or(LEASE));
        let (hub, lane, task) = (self.hub.clone(), self.lane(), whole_task("task", &task)?);
        self.ask(ticket, move |store| {
            let held = store.hold(task, lease);
            Ok(Answer::Held(Some(Held::new(&hub, &lane, held, number))))
        });
        Ok(())
    }

    /// Waits until none of these groups has a task left.
    #[napi]
    pub fn wait_empty(
        &self,
        ticket: u32,
        groups: Unknown<'_>,
        options: Unknown<'_>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<()> {
        let fields = Fields::read("options", options, &["timeout"])?;
        let (names, timeout) = (names("groups", &groups)?, waiting(&fields, "timeout", None)?);
        let (cancel, until) = (cancel.map(|cancel| cancel.0.clone()), until(self.store(), timeout));
        self.wait(ticket, move |store| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            store.wait_empty_unless(&names, until, cancel.as_ref()).map(Answer::Flag)
        });
        Ok(())
    }
}
