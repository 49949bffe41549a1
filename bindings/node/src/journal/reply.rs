//! What a method is given, and what it must answer.

use std::sync::Arc;

use napi::{
    Env, Unknown, ValueType,
    bindgen_prelude::{JsObjectValue as _, Object, ToNapiValue},
    sys,
};
use tenure::{Data, core::port::SnapshotName};

use super::name_of;
use crate::{
    error::wrong_type,
    hub::Hub,
    transaction::{Open, Transaction},
    types::{Bytes, blob, cast, flag, given, id, items, text},
};

/// An argument of a method.
pub enum Argument {
    /// A position, a floor, a time.
    Number(f64),
    /// A name.
    Text(String),
    /// A mark, a snapshot.
    Bytes(Vec<u8>),
    /// Rows.
    Rows(Vec<Vec<u8>>),
    /// A transaction.
    Transaction(Arc<Open>, Arc<Hub>),
}

impl ToNapiValue for Argument {
    unsafe fn to_napi_value(env: sys::napi_env, argument: Self) -> napi::Result<sys::napi_value> {
        unsafe {
            match argument {
                Self::Number(number) => ToNapiValue::to_napi_value(env, number),
                Self::Text(text) => ToNapiValue::to_napi_value(env, text),
                Self::Bytes(bytes) => ToNapiValue::to_napi_value(env, Bytes(Data::from(bytes))),
                Self::Rows(rows) => {
                    let here = Env::from_raw(env);
                    let mut array = here.create_array(u32::try_from(rows.len()).unwrap_or_default())?;
                    for (i, row) in (0..).zip(rows) {
                        array.set(i, Bytes(Data::from(row)))?;
                    }
                    ToNapiValue::to_napi_value(env, array)
                }
                Self::Transaction(open, hub) => ToNapiValue::to_napi_value(env, Transaction::new(open, hub)),
            }
        }
    }
}

/// What a method must answer.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Anything.
    Nothing,
    /// `true` or `false`.
    Truth,
    /// 16 bytes.
    Identity,
    /// A pair of position and mark.
    Floor,
    /// Pairs of position and row, or `null`.
    Rows,
    /// Names of snapshots.
    Names,
    /// Bytes, or `null`.
    Bytes,
    /// Three numbers.
    Sizes,
    /// An object that JavaScript keeps under a number.
    Object,
}

/// What it answered.
pub enum Reply {
    /// Nothing, or `null`.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// The identity.
    Identity([u8; 16]),
    /// Position and mark.
    Floor(u64, Vec<u8>),
    /// Positions and rows.
    Rows(Vec<(u64, Vec<u8>)>),
    /// Names of snapshots.
    Names(Vec<SnapshotName>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes of rows, bytes of snapshots, number of rows.
    Sizes((u64, u64, u64)),
    /// An object's number, and whether it has `sync`, `lock` and `unlock`, `sizes`.
    Object(u32, bool, bool, bool),
}

fn bytes(value: &Unknown<'_>) -> napi::Result<Vec<u8>> {
    // Text is no bytes here: rows and marks are never text.
    if value.get_type()? != ValueType::Object {
        return Err(wrong_type("give a Uint8Array"));
    }
    blob("", value).map(|data| data.to_vec())
}

fn numbered(value: &Unknown<'_>) -> napi::Result<(u64, Vec<u8>)> {
    match items("", value)?.as_slice() {
        [position, row] => Ok((id("", position)?, bytes(row)?)),
        _ => Err(wrong_type("give a pair")),
    }
}

impl Shape {
    /// What it is, for a message.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Truth => "true, or false for a conflict",
            Self::Identity => "the 16 bytes that were drawn when it was created",
            Self::Floor => "a pair of position and mark, as [1, new Uint8Array()]",
            Self::Rows => "pairs of position and row, or null below the floor",
            Self::Names => "the names that publishSnapshot() was given",
            Self::Bytes => "a Uint8Array, or null",
            Self::Sizes => "bytes of rows, bytes of snapshots, number of rows",
            Self::Object => "a journal",
        }
    }

    /// Reads an answer of this shape.
    pub fn read(self, value: &Unknown<'_>) -> napi::Result<Reply> {
        match self {
            Self::Nothing => Ok(Reply::Nothing),
            Self::Truth => flag("", value).map(Reply::Truth),
            Self::Identity => {
                let found = bytes(value)?;
                found.try_into().map(Reply::Identity).map_err(|_| wrong_type("give 16 bytes"))
            }
            Self::Floor => numbered(value).map(|(floor, mark)| Reply::Floor(floor, mark)),
            Self::Rows => match given(*value)? {
                None => Ok(Reply::Nothing),
                Some(rows) => items("", &rows)?.iter().map(numbered).collect::<napi::Result<_>>().map(Reply::Rows),
            },
            Self::Names => {
                let name = |name: &Unknown<'_>| name_of(&text("", name)?).ok_or_else(|| wrong_type("give names"));
                items("", value)?.iter().map(name).collect::<napi::Result<_>>().map(Reply::Names)
            }
            Self::Bytes => match given(*value)? {
                None => Ok(Reply::Nothing),
                Some(found) => bytes(&found).map(Reply::Bytes),
            },
            Self::Sizes => match items("", value)?.as_slice() {
                [rows, snapshots, count] => Ok(Reply::Sizes((id("", rows)?, id("", snapshots)?, id("", count)?))),
                _ => Err(wrong_type("give three numbers")),
            },
            Self::Object => {
                let said: Object<'_> = cast(value)?;
                let has = |name: &str| said.get_named_property::<bool>(name);
                let number = said.get_named_property("number")?;
                Ok(Reply::Object(number, has("syncs")?, has("locks")?, has("sizes")?))
            }
        }
    }
}
