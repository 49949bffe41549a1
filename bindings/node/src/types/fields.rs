//! An object read field by field.

use napi::{JsValue as _, Unknown, ValueType, bindgen_prelude::Object};
use tenure::{Data, When};

use super::{Millis, blob, cast, flag, given, id, millis, noun, text, when};
use crate::error::{invalid, wrong_type};

/// The fields of an object, none of them unknown. `undefined` and `null` count as absent.
pub struct Fields<'a> {
    place: String,
    /// `None` where nothing was given.
    object: Option<Object<'a>>,
}

impl<'a> Fields<'a> {
    /// Takes an object whose fields are among `known`.
    pub fn read(place: impl Into<String>, value: Unknown<'a>, known: &[&str]) -> napi::Result<Self> {
        let place = place.into();
        let Some(value) = given(value)? else { return Ok(Self { place, object: None }) };
        if value.get_type()? != ValueType::Object || value.is_array()? {
            return Err(wrong_type(format!("{place}: give an object, not {}", noun(&value))));
        }
        let object: Object<'a> = cast(&value)?;
        for name in Object::keys(&object)? {
            if !known.contains(&name.as_str()) {
                return Err(invalid(format!("{place}: unknown field '{name}'; known are {}", known.join(", "))));
            }
        }
        Ok(Self { place, object: Some(object) })
    }

    /// A field as it is, if it is there.
    pub fn raw(&self, name: &str) -> napi::Result<Option<Unknown<'a>>> {
        let Some(object) = &self.object else { return Ok(None) };
        Ok(object
            .get::<Unknown<'a>>(name)?
            .filter(|value| value.get_type().is_ok_and(|kind| kind != ValueType::Undefined)))
    }

    /// A field, if it is there.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &Unknown<'a>) -> napi::Result<T>,
    ) -> napi::Result<Option<T>> {
        let Some(value) = self.raw(name)? else { return Ok(None) };
        let Some(value) = given(value)? else { return Ok(None) };
        read(&self.at(name), &value).map(Some)
    }

    /// A field that must be there.
    pub fn required<T>(&self, name: &str, read: impl FnOnce(&str, &Unknown<'a>) -> napi::Result<T>) -> napi::Result<T> {
        self.optional(name, read)?.ok_or_else(|| invalid(format!("{}: field {name} is missing", self.place)))
    }

    /// `true` or `false`; absent is `false`.
    pub fn flag(&self, name: &str) -> napi::Result<bool> {
        Ok(self.optional(name, flag)?.unwrap_or_default())
    }

    /// A text, if it is there.
    pub fn text(&self, name: &str) -> napi::Result<Option<String>> {
        self.optional(name, text)
    }

    /// An id or a revision, if it is there.
    pub fn id(&self, name: &str) -> napi::Result<Option<u64>> {
        self.optional(name, id)
    }

    /// A span or a time, if it is there.
    pub fn millis(&self, name: &str) -> napi::Result<Option<Millis>> {
        self.optional(name, millis)
    }

    /// `data`, or the text that `json` was made into.
    pub fn data(&self) -> napi::Result<Option<Data>> {
        match (self.optional("data", blob)?, self.optional("json", blob)?) {
            (Some(data), Some(_)) if !data.is_empty() => {
                Err(invalid(format!("{}: give data or json, not both", self.place)))
            }
            (data, json) => Ok(json.or(data)),
        }
    }

    /// `delay` or `availableAt`.
    pub fn when(&self) -> napi::Result<Option<When>> {
        when(&self.place, self.millis("delay")?, self.millis("availableAt")?)
    }

    /// One of a few names; absent is the default.
    pub fn choice<T: Copy + Default>(&self, name: &str, choices: &[(&str, T)]) -> napi::Result<T> {
        let Some(given) = self.text(name)? else { return Ok(T::default()) };
        choice(&self.at(name), &given, choices)
    }

    /// Where this is, for a message.
    pub fn place(&self) -> &str {
        &self.place
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }
}

/// One of a few names.
pub fn choice<T: Copy>(place: &str, given: &str, choices: &[(&str, T)]) -> napi::Result<T> {
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == given) {
        return Ok(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    Err(invalid(format!("{place}: '{given}' is none of {}", names.join(", "))))
}
