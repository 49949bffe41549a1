//! Writing records.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Listed, Spelled, write_bytes};
use crate::record::Record;

impl Serialize for Spelled<'_, Record> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &*record.table)?;
        map.serialize_entry("key", &*record.key)?;
        write_bytes(&mut map, "value", "value_base64", &record.value)?;
        map.serialize_entry("revision", &record.revision)?;
        if let Some(expires_at) = record.expires_at {
            map.serialize_entry("expires_at", &expires_at)?;
        }
        map.end()
    }
}

impl Serialize for Spelled<'_, [Record]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("records", &Listed(self.0))?;
        map.end()
    }
}
