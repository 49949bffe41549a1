//! The core's conformance suite over a journal in JavaScript, whose methods may answer with promises.
//!
//! Nothing here can wait. So JavaScript keeps every answer that the journal gave: a check runs with those, and where it
//! asks for one more it ends there; JavaScript gets that answer and runs the check anew, which asks the same again and
//! comes one answer further. The journal itself is asked each thing once.

use core::cell::RefCell;

use js_sys::{Array, Function, Uint8Array};
use tenure_core::{
    Code, Error, Millis, Result, StoreId,
    port::{
        AppendError, Journal, SnapshotName,
        conformance::{self, Verdict},
    },
    rows::{RowLog, RowSync, Rows},
};
use wasm_bindgen::prelude::*;

use crate::name::{name_of, name_text};

thread_local! {
    /// Asks JavaScript, while a check runs: a method, the number of a journal, what the method is given.
    static ASK: RefCell<Option<Function>> = const { RefCell::new(None) };
}

fn ask(method: &str, journal: f64, given: &[JsValue]) -> Result<JsValue> {
    let said = Array::of2(&method.into(), &journal.into());
    for value in given {
        said.push(value);
    }
    let nobody = || Error::new(Code::Internal, "nobody is there to ask");
    let asked = ASK.with_borrow(Clone::clone).ok_or_else(nobody)?;
    asked.apply(&JsValue::NULL, &said).map_err(|thrown| {
        let why = thrown.as_string().unwrap_or_else(|| "the journal threw something that is no text".into());
        Error::new(Code::Foreign, why)
    })
}

fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}

/// Rows that a JavaScript object keeps, by the number under which JavaScript has it.
struct Remote {
    number: f64,
    identity: StoreId,
    /// Whether another store may come to stand in its place.
    remakes: bool,
}

impl Remote {
    fn open(number: f64, remakes: bool) -> Result<Box<dyn Journal>> {
        let identity = bytes(&ask("identity", number, &[])?);
        let identity = StoreId(identity.try_into().unwrap_or_default());
        Ok(Box::new(RowLog::new(Self { number, identity, remakes })))
    }

    fn call(&self, method: &str, given: &[JsValue]) -> Result<JsValue> {
        ask(method, self.number, given)
    }

    /// A handle looks at the identity with all that it fetches, as a store does.
    fn still_there(&self) -> Result<()> {
        if !self.remakes || bytes(&self.call("identity", &[])?) == self.identity.0 {
            return Ok(());
        }
        Err(Error::new(Code::Replaced, "another store stands in the place of this one: open it again"))
    }
}

impl Rows for Remote {
    fn identity(&self) -> StoreId {
        self.identity
    }

    fn floor(&mut self) -> Result<(u64, Vec<u8>)> {
        self.still_there()?;
        let floor = Array::from(&self.call("floor", &[])?);
        Ok((floor.get(0).as_f64().unwrap_or_default() as u64, bytes(&floor.get(1))))
    }

    fn read(&mut self, from: u64, visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        self.still_there()?;
        let rows = self.call("read", &[JsValue::from(from as f64)])?;
        if rows.is_null() {
            let why = format!("row {from} was let go, and the journal holds it no more");
            return Err(Error::new(Code::Truncated, why));
        }
        (from..).zip(Array::from(&rows).iter()).try_for_each(|(position, row)| visit(position, &bytes(&row)))
    }

    fn append(&mut self, at: u64, rows: &[Vec<u8>]) -> Result<(), AppendError> {
        self.still_there().map_err(AppendError::Refused)?;
        let rows: Array = rows.iter().map(|row| JsValue::from(Uint8Array::from(&row[..]))).collect();
        match self.call("append", &[JsValue::from(at as f64), rows.into()]) {
            Ok(done) if done.is_truthy() => Ok(()),
            Ok(_) => Err(AppendError::Conflict),
            Err(error) => Err(AppendError::Unknown(error)),
        }
    }

    fn section(&mut self, _wait: Millis, body: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        body(self)
    }

    fn syncer(&mut self) -> Option<RowSync> {
        None
    }

    fn truncate(&mut self, floor: u64, mark: &[u8]) -> Result<()> {
        self.call("truncate", &[JsValue::from(floor as f64), Uint8Array::from(mark).into()]).map(drop)
    }

    fn publish_snapshot(&mut self, name: SnapshotName, bytes: Vec<u8>) -> Result<()> {
        self.call("publishSnapshot", &[name_text(name).into(), Uint8Array::from(&bytes[..]).into()]).map(drop)
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        let names = Array::from(&self.call("snapshots", &[])?);
        let name = |name: JsValue| name.as_string().as_deref().and_then(name_of);
        names
            .iter()
            .map(|found| {
                name(found).ok_or_else(|| Error::new(Code::Foreign, "a snapshot has a name that was not given"))
            })
            .collect()
    }

    fn read_snapshot(&mut self, name: SnapshotName) -> Result<Vec<u8>> {
        let found = self.call("readSnapshot", &[name_text(name).into()])?;
        if found.is_null() {
            return Err(Error::new(Code::NotFound, "the journal has no such snapshot: list them again"));
        }
        Ok(bytes(&found))
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        self.call("removeSnapshot", &[name_text(name).into()]).map(drop)
    }

    fn sizes(&mut self) -> Result<(u64, u64, u64)> {
        Ok((0, 0, 0))
    }

    fn reopen(&self) -> Result<Box<Self>> {
        Ok(Box::new(Self { number: self.number, identity: self.identity, remakes: self.remakes }))
    }
}

/// Makes journals by asking for them.
struct Ground {
    remakes: bool,
}

fn made(method: &str, remakes: bool) -> Result<Box<dyn Journal>> {
    Remote::open(ask(method, 0.0, &[])?.as_f64().unwrap_or_default(), remakes)
}

impl conformance::Ground for Ground {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        made("make", self.remakes)
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        self.remakes.then(|| made("remake", true))
    }
}

/// Runs one check, by its number from 0: contract, statement, verdict, why. Nothing behind the last one.
#[wasm_bindgen]
pub fn check(number: usize, remakes: bool, ask: Function) -> Option<Vec<String>> {
    ASK.set(Some(ask));
    let finding = conformance::check(number, &mut Ground { remakes })?;
    let (verdict, why) = match finding.verdict {
        Verdict::Kept => ("kept", String::new()),
        Verdict::Broken(how) => ("broken", how),
        Verdict::Skipped(why) => ("skipped", why),
    };
    Some(vec![finding.contract.into(), finding.statement.into(), verdict.into(), why])
}
