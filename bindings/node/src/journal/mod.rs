//! A journal that a JavaScript object supplies: one row an entry, as the core's `Rows`. The package's `Journal` documents what
//! its methods promise.
//!
//! * `reply`  what a method is given, and what it must answer

mod reply;

pub use reply::{Argument, Reply, Shape};

use std::{sync::Arc, time::Duration};

use napi::bindgen_prelude::JsObjectValue as _;
use napi_derive::napi;
use tenure::{
    Author, Code, Error, Millis, Outcome, Result, Revision, StoreId,
    core::{
        port::{AppendError, Journal, SnapshotName},
        rows::{RowLog, RowSync, Rows},
    },
};

use crate::{
    hub::{Bridge, Hub, Message},
    types::{Answer, Finding, number},
};

/// An object that JavaScript keeps under a number, for as long as this is there.
pub struct Object {
    number: u32,
    syncs: bool,
    locks: bool,
    sizes: bool,
    limit: Option<Duration>,
    hub: Arc<Hub>,
}

impl Drop for Object {
    fn drop(&mut self) {
        self.hub.send(Message::ForgetObject(self.number));
    }
}

impl Object {
    /// Reads what JavaScript says of an object: its number, and which of the methods that it need not have it has.
    pub fn read(
        hub: &Arc<Hub>,
        said: &napi::bindgen_prelude::Object<'_>,
        limit: Option<Duration>,
    ) -> napi::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            number: said.get_named_property("number")?,
            syncs: said.get_named_property("syncs")?,
            locks: said.get_named_property("locks")?,
            sizes: said.get_named_property("sizes")?,
            limit,
            hub: hub.clone(),
        }))
    }

    fn call(&self, method: &'static str, arguments: Vec<Argument>, shape: Shape) -> Result<Reply> {
        self.hub.call(self.number, method, arguments, shape, self.limit)
    }

    fn tell(&self, method: &'static str, arguments: Vec<Argument>) -> Result<()> {
        self.call(method, arguments, Shape::Nothing).map(drop)
    }
}

/// Rows that a JavaScript object keeps.
struct JsRows {
    object: Arc<Object>,
    identity: StoreId,
}

/// A journal on an object. Not on JavaScript's thread.
pub fn open(object: Arc<Object>) -> Result<Box<dyn Journal>> {
    let Reply::Identity(identity) = object.call("identity", vec![], Shape::Identity)? else { return Err(strange()) };
    Ok(Box::new(RowLog::new(JsRows { object, identity: StoreId(identity) })))
}

fn strange() -> Error {
    Error::new(
        Code::Internal,
        "an answer of a journal had another shape than was asked for: report this as a fault of Tenure",
    )
}

fn name_text(name: SnapshotName) -> Argument {
    Argument::Text(format!("{:020}-{:016x}", name.end.0, name.author.0))
}

fn name_of(text: &str) -> Option<SnapshotName> {
    let (end, author) = text.split_once('-')?;
    Some(SnapshotName { end: Revision(end.parse().ok()?), author: Author(u64::from_str_radix(author, 16).ok()?) })
}

fn position(position: u64) -> Argument {
    Argument::Number(number(position))
}

impl Rows for JsRows {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> Result<(u64, Vec<u8>)> {
        let Reply::Floor(floor, mark) = self.object.call("floor", vec![], Shape::Floor)? else { return Err(strange()) };
        Ok((floor, mark))
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        match self.object.call("read", vec![position(from)], Shape::Rows)? {
            Reply::Rows(rows) => rows.iter().try_for_each(|(position, row)| visit(*position, row)),
            Reply::Nothing => {
                let why = format!("row {from} was let go, and the journal holds it no more");
                Err(Error::new(Code::Truncated, why))
            }
            _ => Err(strange()),
        }
    }

    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        match self.object.call("append", vec![position(at), Argument::Rows(rows.to_vec())], Shape::Truth) {
            Ok(Reply::Truth(true)) => Ok(()),
            Ok(Reply::Truth(false)) => Err(AppendError::Conflict),
            Ok(_) => Err(AppendError::Unknown(strange())),
            // Only an error that says so is sure that nothing is there; an answer that is late may still be a yes.
            Err(error) if matches!(error.code(), Code::Foreign | Code::Timeout) => Err(AppendError::Unknown(error)),
            Err(error) if error.outcome() == Outcome::Unknown => Err(AppendError::Unknown(error)),
            Err(error) => Err(AppendError::Refused(error)),
        }
    }

    fn section(&mut self, wait: Millis, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if !self.object.locks {
            return body(self);
        }
        // Its own limit comes on top of the time that the lock may take.
        let limit = self.object.limit.map(|limit| limit.saturating_add(Duration::from_millis(wait)));
        let hub = self.object.hub.clone();
        let locked = hub.call(self.object.number, "lock", vec![position(wait)], Shape::Truth, limit)?;
        if !matches!(locked, Reply::Truth(true)) {
            let why = format!("the journal's lock was not free within {wait} ms: try again");
            return Err(Error::new(Code::LockTimeout, why));
        }
        let done = body(self);
        let unlocked = self.object.tell("unlock", vec![]);
        done.and(unlocked)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        if !self.object.syncs {
            return None;
        }
        let object = self.object.clone();
        Some(Box::new(move || object.tell("sync", vec![])))
    }

    fn truncate(&mut self, floor: u64, mark: &[u8]) -> Result<()> {
        self.object.tell("truncate", vec![position(floor), Argument::Bytes(mark.to_vec())])
    }

    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> Result<()> {
        self.object.tell("publishSnapshot", vec![name_text(name), Argument::Bytes(bytes)])
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        let Reply::Names(names) = self.object.call("snapshots", vec![], Shape::Names)? else { return Err(strange()) };
        Ok(names)
    }

    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>> {
        match self.object.call("readSnapshot", vec![name_text(name)], Shape::Bytes)? {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::new(Code::NotFound, "the journal has no such snapshot: list them again")),
        }
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.object.tell("removeSnapshot", vec![name_text(name)])
    }

    fn sizes(&mut self) -> Result<(u64, u64, u64)> {
        if !self.object.sizes {
            return Ok((0, 0, 0));
        }
        let Reply::Sizes(sizes) = self.object.call("sizes", vec![], Shape::Sizes)? else { return Err(strange()) };
        Ok(sizes)
    }

    fn reopen(&self) -> Result<Box<Self>> {
        Ok(Box::new(Self { object: self.object.clone(), identity: self.identity }))
    }
}

/// Where the conformance suite gets its journals: an object with `fresh` and `recreate`.
struct Ground {
    object: Object,
    remakes: bool,
}

impl Ground {
    fn made(&self, method: &'static str) -> Result<Box<dyn Journal>> {
        let Reply::Object(number, syncs, locks, sizes) = self.object.call(method, vec![], Shape::Object)? else {
            return Err(strange());
        };
        let (limit, hub) = (self.object.limit, self.object.hub.clone());
        open(Arc::new(Object { number, syncs, locks, sizes, limit, hub }))
    }
}

impl tenure::core::port::conformance::Ground for Ground {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        self.made("fresh")
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        self.remakes.then(|| self.made("recreate"))
    }
}

/// Runs the conformance suite on journals that the object `number` makes.
#[napi]
pub fn conformance(
    bridge: &Bridge,
    ticket: u32,
    number: u32,
    remakes: bool,
    limit: napi::Unknown<'_>,
) -> napi::Result<()> {
    use tenure::core::port::conformance::{Verdict, run};
    let hub = bridge.0.clone();
    let limit = crate::types::wait("options.journalTimeout", &limit)?.map(Duration::from_millis);
    bridge.0.wait(ticket, move || {
        let object = Object { number, syncs: false, locks: false, sizes: false, limit, hub };
        let findings = run(&mut Ground { object, remakes });
        let spelled = findings.into_iter().map(|finding| {
            let (verdict, why) = match finding.verdict {
                Verdict::Kept => ("kept", String::new()),
                Verdict::Broken(how) => ("broken", how),
                Verdict::Skipped(why) => ("skipped", why),
            };
            Finding { contract: finding.contract, statement: finding.statement, verdict, why }
        });
        Ok(Answer::Findings(spelled.collect()))
    });
    Ok(())
}
