//! Values on their way in and out: milliseconds, bytes, tasks and records, and what an object can say.
//!
//! * `fields`   an object read field by field, with the place in every message
//! * `request`  the parts of a request
//! * `task`     tasks, records, groups, what was committed
//! * `event`    what a watch tells
//! * `answer`   whatever a question is answered with

mod answer;
mod event;
mod fields;
mod request;
mod task;

pub use answer::{Answer, Finding, Numbers};
pub use fields::{Fields, choice};
pub use request::{REASONS, add, depend, depends, parts, task_name, update};
pub use task::{CommittedFields, GroupFields, RecordFields, TaskFields, whole_task};

use napi::{
    JsString, JsValue as _, Unknown, ValueType,
    bindgen_prelude::{
        ArrayBuffer, FromNapiValue, JsObjectValue as _, Object, ToNapiValue, TypedArray, TypedArrayType,
        Uint8ArraySlice,
    },
    sys,
};
pub use tenure::Millis;
use tenure::{
    Data, When,
    core::{id::MAX_ID, time::MAX_TIME},
};

use crate::error::{invalid, wrong_type};

/// A number of which JavaScript holds every bit, because it stays below 2^53.
#[allow(clippy::cast_precision_loss)]
pub fn number(value: u64) -> f64 {
    value as f64
}

/// A count, as a number.
#[allow(clippy::cast_precision_loss)]
pub fn signed(value: i64) -> f64 {
    value as f64
}

/// What a value is, for a message that says what was expected instead.
pub fn noun(value: &Unknown<'_>) -> &'static str {
    match value.get_type() {
        Ok(ValueType::Undefined) => "undefined",
        Ok(ValueType::Null) => "null",
        Ok(ValueType::Boolean) => "a boolean",
        Ok(ValueType::Number) => "a number",
        Ok(ValueType::String) => "a string",
        Ok(ValueType::Symbol) => "a symbol",
        Ok(ValueType::Function) => "a function",
        Ok(ValueType::BigInt) => "a bigint",
        _ if value.is_array().unwrap_or_default() => "an array",
        _ => "an object",
    }
}

/// A value of a type that was looked at.
pub fn cast<T: FromNapiValue>(value: &Unknown<'_>) -> napi::Result<T> {
    // Node-API checks the type once more, and refuses.
    unsafe { value.cast() }
}

/// A value, unless it is `undefined` or `null`.
pub fn given(value: Unknown<'_>) -> napi::Result<Option<Unknown<'_>>> {
    Ok(match value.get_type()? {
        ValueType::Undefined | ValueType::Null => None,
        _ => Some(value),
    })
}

/// A number of any kind.
pub fn float(place: &str, value: &Unknown<'_>) -> napi::Result<f64> {
    match value.get_type()? {
        ValueType::Number => cast(value),
        _ => Err(wrong_type(format!("{place}: give a number, not {}", noun(value)))),
    }
}

/// A whole number from 0 to `most`.
#[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
pub fn whole(place: &str, value: &Unknown<'_>, most: u64) -> napi::Result<u64> {
    let given = float(place, value)?;
    // Not a number compares with nothing.
    if given >= 0.0 && given <= most as f64 && given.fract() == 0.0 {
        return Ok(given as u64);
    }
    Err(invalid(format!("{place}: {given} is no whole number from 0 to {most}")))
}

/// A whole number, as far as JavaScript holds every bit of it.
#[allow(clippy::cast_precision_loss)]
pub fn integer(place: &str, value: &Unknown<'_>) -> napi::Result<i64> {
    let given = float(place, value)?;
    if given.abs() <= MAX_ID as f64 && given.fract() == 0.0 {
        return Ok(given as i64);
    }
    Err(invalid(format!("{place}: {given} is no whole number from -(2^53 - 1) to 2^53 - 1")))
}

/// An id, or a revision.
pub fn id(place: &str, value: &Unknown<'_>) -> napi::Result<u64> {
    whole(place, value, MAX_ID)
}

/// A count that this machine can hold.
pub fn count(place: &str, value: &Unknown<'_>) -> napi::Result<usize> {
    // More than a `usize` holds is more than any limit allows, so the cut changes no answer.
    Ok(usize::try_from(whole(place, value, MAX_ID)?).unwrap_or(usize::MAX))
}

/// A span or a time, in milliseconds; fractions are rounded.
#[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
pub fn millis(place: &str, value: &Unknown<'_>) -> napi::Result<Millis> {
    let given = float(place, value)?.round();
    if given >= 0.0 && given <= MAX_TIME as f64 {
        return Ok(given as Millis);
    }
    Err(invalid(format!("{place}: {given} ms: give a number from 0 to {MAX_TIME}")))
}

/// How long to wait: a span, or `null` or `Infinity` for ever.
pub fn wait(place: &str, value: &Unknown<'_>) -> napi::Result<Option<Millis>> {
    if value.get_type()? == ValueType::Null || float(place, value)? == f64::INFINITY {
        return Ok(None);
    }
    millis(place, value).map(Some)
}

/// `true` or `false`.
pub fn flag(place: &str, value: &Unknown<'_>) -> napi::Result<bool> {
    match value.get_type()? {
        ValueType::Boolean => cast(value),
        _ => Err(wrong_type(format!("{place}: give true or false, not {}", noun(value)))),
    }
}

/// Text: a name, a key, a label.
pub fn text(place: &str, value: &Unknown<'_>) -> napi::Result<String> {
    if value.get_type()? != ValueType::String {
        return Err(wrong_type(format!("{place}: give a string, not {}", noun(value))));
    }
    let text: String = cast(value)?;
    // Node puts U+FFFD where half of a surrogate pair stands; only then is it worth a second look.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let units = cast::<JsString<'_>>(value)?.into_utf16()?;
        if char::decode_utf16(units.as_slice().iter().copied()).any(|unit| unit.is_err()) {
            return Err(invalid(format!(
                "{place}: the string holds half of a surrogate pair, which UTF-8 can't: give bytes, or mend the string"
            )));
        }
    }
    Ok(text)
}

/// Bytes, or text that is encoded.
pub fn blob(place: &str, value: &Unknown<'_>) -> napi::Result<Data> {
    match value.get_type()? {
        ValueType::String => text(place, value).map(Into::into),
        ValueType::Object if value.is_typedarray()? => {
            let array: TypedArray<'_> = cast(value)?;
            if array.typed_array_type != TypedArrayType::Uint8 {
                return Err(wrong_type(format!("{place}: give a Uint8Array, not another typed array")));
            }
            detached(place, &array)?;
            Ok(Data::from(array.arraybuffer.to_vec()))
        }
        _ => Err(wrong_type(format!("{place}: give a string or a Uint8Array, or json, not {}", noun(value)))),
    }
}

/// Bytes that were transferred to somebody else are refused.
fn detached(place: &str, array: &TypedArray<'_>) -> napi::Result<()> {
    let buffer: Unknown<'_> = array.get_named_property("buffer")?;
    if cast::<ArrayBuffer<'_>>(&buffer)?.is_detached()? {
        return Err(wrong_type(format!("{place}: the array's buffer is detached: its bytes are no longer there")));
    }
    Ok(())
}

/// The items of an array.
pub fn items<'a>(place: &str, value: &Unknown<'a>) -> napi::Result<Vec<Unknown<'a>>> {
    if !value.is_array()? {
        return Err(wrong_type(format!("{place}: give an array, not {}", noun(value))));
    }
    let array: Object<'a> = cast(value)?;
    (0..array.get_array_length()?).map(|i| array.get_element(i)).collect()
}

/// A string, or an array of strings.
pub fn names(place: &str, value: &Unknown<'_>) -> napi::Result<Vec<String>> {
    if value.get_type()? == ValueType::String {
        return Ok(vec![text(place, value)?]);
    }
    if !value.is_array()? {
        return Err(wrong_type(format!("{place}: give a string or an array of strings, not {}", noun(value))));
    }
    items(place, value)?.iter().enumerate().map(|(i, name)| text(&format!("{place}[{i}]"), name)).collect()
}

/// From when a task can be claimed: `delay` from now, or `availableAt`.
pub fn when(place: &str, delay: Option<Millis>, available_at: Option<Millis>) -> napi::Result<Option<When>> {
    match (delay, available_at) {
        (Some(delay), Some(_)) if delay != 0 => Err(invalid(format!("{place}: give delay or availableAt, not both"))),
        (_, Some(at)) => Ok(Some(When::At(at))),
        // As an add without a delay says it, so that both are the same request.
        (Some(0), None) => Ok(Some(When::Now)),
        (Some(delay), None) => Ok(Some(When::After(delay))),
        (None, None) => Ok(None),
    }
}

/// Bytes as a `Uint8Array` of their own.
pub struct Bytes(pub Data);

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, bytes: Self) -> napi::Result<sys::napi_value> {
        let array = Uint8ArraySlice::copy_from(&napi::Env::from_raw(env), &bytes.0)?;
        unsafe { ToNapiValue::to_napi_value(env, array) }
    }
}
