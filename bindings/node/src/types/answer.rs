//! Whatever a question is answered with, made into a JavaScript value once its thread takes it.

use std::sync::Arc;

use napi::{
    Env,
    bindgen_prelude::{BigInt, Null, ToNapiValue},
    sys,
};
use napi_derive::napi;
use tenure::core::engine::Event;

use super::{CommittedFields, GroupFields, RecordFields, TaskFields, event::EventFields};
use crate::store::{Held, Store, Watch};

/// Named numbers.
pub struct Numbers {
    /// Each by its name.
    pub numbers: Vec<(&'static str, f64)>,
    /// The digest, which has more bits than a number.
    pub digest: u64,
    /// Why the last snapshot in the background failed, if it did.
    pub snapshot_error: Option<String>,
}

/// What came of a check of the conformance suite.
#[napi(object, object_from_js = false)]
pub struct Finding {
    /// The contract.
    pub contract: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// `kept`, `broken` or `skipped`.
    pub verdict: &'static str,
    /// Why, where it is not kept.
    pub why: String,
}

/// An answer.
pub enum Answer {
    /// It is done.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A revision, a count.
    Number(f64),
    /// A task, or none.
    Task(Option<tenure::Task>),
    /// Tasks, of which some may not be there.
    Tasks(Vec<Option<tenure::Task>>),
    /// What was committed.
    Committed(tenure::Committed),
    /// A record, or none.
    Record(Option<tenure::Record>),
    /// Records.
    Records(Vec<tenure::Record>),
    /// A group.
    Group(tenure::GroupStats),
    /// Groups.
    Groups(Vec<tenure::GroupStats>),
    /// A revision, and the digest at it.
    Digest(f64, u64),
    /// Numbers about a store.
    Numbers(Numbers),
    /// A store.
    Store(Store),
    /// A held task, or none.
    Held(Option<Held>),
    /// A watch.
    Watch(Watch),
    /// An event, or none.
    Event(Option<Arc<Event>>),
    /// What came of the conformance suite.
    Findings(Vec<Finding>),
}

impl Answer {
    /// Tasks that are all there.
    pub fn all(tasks: Vec<tenure::Task>) -> Self {
        Self::Tasks(tasks.into_iter().map(Some).collect())
    }
}

unsafe fn spelled<T: ToNapiValue>(env: sys::napi_env, value: T) -> napi::Result<sys::napi_value> {
    unsafe { T::to_napi_value(env, value) }
}

unsafe fn perhaps<T: ToNapiValue>(env: sys::napi_env, value: Option<T>) -> napi::Result<sys::napi_value> {
    match value {
        Some(value) => unsafe { T::to_napi_value(env, value) },
        None => unsafe { Null::to_napi_value(env, Null) },
    }
}

impl ToNapiValue for Answer {
    unsafe fn to_napi_value(env: sys::napi_env, answer: Self) -> napi::Result<sys::napi_value> {
        let fields = TaskFields::from;
        unsafe {
            match answer {
                Self::Nothing => spelled(env, ()),
                Self::Flag(flag) => spelled(env, flag),
                Self::Number(number) => spelled(env, number),
                Self::Task(task) => perhaps(env, task.map(fields)),
                Self::Tasks(tasks) => {
                    let here = Env::from_raw(env);
                    let mut array = here.create_array(u32::try_from(tasks.len()).unwrap_or_default())?;
                    for (i, task) in (0..).zip(tasks) {
                        match task {
                            Some(task) => array.set(i, fields(task))?,
                            None => array.set(i, Null)?,
                        }
                    }
                    spelled(env, array)
                }
                Self::Committed(committed) => spelled(env, CommittedFields::from(committed)),
                Self::Record(record) => perhaps(env, record.map(RecordFields::from)),
                Self::Records(records) => spelled(env, records.into_iter().map(RecordFields::from).collect::<Vec<_>>()),
                Self::Group(group) => spelled(env, GroupFields::from(group)),
                Self::Groups(groups) => spelled(env, groups.into_iter().map(GroupFields::from).collect::<Vec<_>>()),
                Self::Digest(revision, digest) => {
                    let mut object = napi::bindgen_prelude::Object::new(&Env::from_raw(env))?;
                    object.set("revision", revision)?;
                    object.set("digest", BigInt::from(digest))?;
                    spelled(env, object)
                }
                Self::Numbers(numbers) => {
                    let mut object = napi::bindgen_prelude::Object::new(&Env::from_raw(env))?;
                    for (name, number) in numbers.numbers {
                        object.set(name, number)?;
                    }
                    object.set("digest", BigInt::from(numbers.digest))?;
                    match numbers.snapshot_error {
                        Some(error) => object.set("snapshotError", error)?,
                        None => object.set("snapshotError", Null)?,
                    }
                    spelled(env, object)
                }
                Self::Store(store) => spelled(env, store),
                Self::Held(held) => perhaps(env, held),
                Self::Watch(watch) => spelled(env, watch),
                Self::Event(event) => perhaps(env, event.map(|event| EventFields::from(&*event))),
                Self::Findings(findings) => spelled(env, findings),
            }
        }
    }
}
