//! The one JSON spelling that the command line, the service and the bindings share.
//!
//! Names are snake_case. Times are milliseconds since the Epoch, spans are milliseconds, numbers are whole and stay
//! within ±(2^53 - 1). On input a field that is `null` counts as absent, an unknown or doubled field is refused, and
//! every message names the place (`updates[0].id`). Answers are read with less care: a field that
//! is not known was written by a newer program, and is passed over. On output an absent option is left out.
//!
//! | value | in | out | spelling |
//! |---|---|---|---|
//! | [`Request`](crate::Request) | [`read_request`] | [`text`] | `{"owner","request_id","adds":[…],"updates":[…],"deletes":[…],"depends":[…],"puts":[…],"removes":[…],"increments":[…],"guards":[…],"depends_only"}` |
//! | [`Claim`](crate::Claim), [`ClaimCall`] | [`read_claim`] | [`text`] | `{"owner","request_id","groups":[…],"lease","limit","order","depends":[…],"wait"}`; `wait` in ms or `"forever"` |
//! | [`Add`](crate::Add) | in a request | in a request | `{"group","data"\|"data_base64","delay"\|"available_at","key","if_exists"}` |
//! | [`Update`](crate::Update) | in a request | in a request | `{"id","origin","verb","data"\|"data_base64","group","delay"\|"available_at","error","force"}` |
//! | [`Delete`](crate::Delete) | in a request | in a request | a bare id, or `{"id","origin","reason","force"}` |
//! | [`Depend`](crate::Depend) | in a request | in a request | a bare id, `{"id"}` or `{"origin"}` |
//! | [`Put`](crate::Put) | in a request | in a request | `{"table","key","value"\|"value_base64","expect","expires_at"}`; `expect` 0 = absent, `expires_at` 0 = never |
//! | [`Task`](crate::Task) | [`read_task`], [`read_task_refs`] | [`text`] | `{"id","origin","group","key","available_at","added_at","owner","attempt","failures","error","data"\|"data_base64"}` |
//! | [`Committed`](crate::Committed) | [`read_committed`] | [`text`] | `{"revision","tasks":[…],"counts":[…],"repeated":true}` |
//! | [`Error`](crate::Error) | [`read_error`] | [`text`] | `{"error":{"kind","code","message","outcome","retry","details":{…}}}` |
//! | [`Record`](crate::Record) | [`read_record`] | [`text`] | `{"table","key","value"\|"value_base64","revision","expires_at"}` |
//! | [`GroupStats`](crate::GroupStats) | [`read_group`] | [`text`] | `{"name","tasks","available","delayed","held","oldest","paused":true}` |
//! | lists of tasks, records, groups | [`read_tasks`], [`read_records`], [`read_groups`] | [`text`] | `{"tasks":[…]}`, `{"records":[…]}`, `{"groups":[…]}` |

mod answer;
mod ask;
mod claim;
mod committed;
mod error;
pub(crate) mod fields;
mod group;
pub(crate) mod node;
pub(crate) mod place;
mod record;
mod refusal;
mod request;
mod task;

pub use answer::{
    TaskPage, read_committed, read_group, read_groups, read_record, read_records, read_task, read_task_list, read_tasks,
};
pub use claim::{ClaimCall, read_claim};
pub use group::set_paused;
pub use refusal::{Told, read_error};
pub use request::read_request;
pub use task::{TaskRef, read_task_refs};

use alloc::string::String;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Serialize, ser::SerializeMap};

use crate::data::Data;

/// The base64 of both directions: written with padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A value in its JSON spelling: serialise this to put it inside something larger.
#[derive(Clone, Copy, Debug)]
pub struct Spelled<'a, T: ?Sized>(pub &'a T);

/// A value's JSON spelling, on one line.
pub fn text<'a, T: ?Sized>(value: &'a T) -> String
where
    Spelled<'a, T>: Serialize,
{
    let written = serde_json::to_string(&Spelled(value));
    // Only a map with keys that are no strings can fail here, and no spelling has one.
    debug_assert!(written.is_ok(), "a spelling could not be written: {written:?}");
    written.unwrap_or_default()
}

/// Writes bytes as text where they are text, and as base64 under another name where they are not.
fn write_bytes<M: SerializeMap>(
    map: &mut M,
    plain: &'static str,
    base64: &'static str,
    data: &Data,
) -> Result<(), M::Error> {
    match data.text() {
        Some(text) => map.serialize_entry(plain, text),
        None => map.serialize_entry(base64, &BASE64.encode(data)),
    }
}

/// Bytes as text where they are text, and as base64 where they are not: one of the two is there.
pub(crate) fn spell_bytes(bytes: &[u8]) -> (Option<&str>, Option<String>) {
    match core::str::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(_) => (None, Some(BASE64.encode(bytes))),
    }
}

/// A list under one name: `{"tasks":[…]}`.
struct Listed<'a, T>(&'a [T]);

impl<'a, T> Serialize for Listed<'a, T>
where
    Spelled<'a, T>: Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Spelled))
    }
}
