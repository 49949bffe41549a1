//! Writing what is known of groups.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Listed, Spelled};
use crate::task::GroupStats;

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
