//! Writing what is known of groups, and their settings.

use alloc::string::{String, ToString};

use serde_json::{Map, Value};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Listed, Spelled};
use crate::{
    error::{Code, Error, Result},
    task::GroupStats,
};

/// A group's settings with `paused` set or taken out; `None` where none is left. All others stay as they are.
///
/// # Errors
/// `Invalid` where the present settings are no JSON object.
pub fn set_paused(settings: Option<&[u8]>, paused: bool) -> Result<Option<String>> {
    let mut settings: Map<String, Value> = settings.map_or(Ok(Map::new()), |settings| {
        serde_json::from_slice(settings).map_err(|error| {
            Error::new(
                Code::Invalid,
                alloc::format!(
                    "the group's settings are no JSON object ({error}): put an object, or remove the record, first"
                ),
            )
        })
    })?;
    if paused {
        settings.insert("paused".into(), true.into());
    } else {
        settings.remove("paused");
    }
    Ok((!settings.is_empty()).then(|| Value::Object(settings).to_string()))
}

impl Serialize for Spelled<'_, GroupStats> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let group = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &group.name)?;
        map.serialize_entry("tasks", &group.tasks)?;
        map.serialize_entry("available", &group.available)?;
        map.serialize_entry("delayed", &group.delayed)?;
        map.serialize_entry("held", &group.held)?;
        if let Some(oldest) = group.oldest {
            map.serialize_entry("oldest", &oldest)?;
        }
        if group.paused {
            map.serialize_entry("paused", &true)?;
        }
        map.end()
    }
}

impl Serialize for Spelled<'_, [GroupStats]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("groups", &Listed(self.0))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pausing_and_resuming_keep_the_other_settings() {
        let set = |settings: Option<&str>, paused| set_paused(settings.map(str::as_bytes), paused).unwrap();
        assert_eq!(set(None, true).as_deref(), Some(r#"{"paused":true}"#));
        assert_eq!(set(Some(r#"{"paused":true}"#), false), None);
        assert_eq!(set(None, false), None);
        assert_eq!(set(Some(r#"{"colour":"red"}"#), true).as_deref(), Some(r#"{"colour":"red","paused":true}"#));
        assert_eq!(set(Some(r#"{"colour":"red","paused":1}"#), false).as_deref(), Some(r#"{"colour":"red"}"#));
        assert_eq!(set_paused(Some(b"[]"), true).unwrap_err().code(), Code::Invalid);
    }
}
