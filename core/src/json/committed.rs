//! Writing what a transaction or a claim answers.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Listed, Spelled};
use crate::request::Committed;

impl Serialize for Spelled<'_, Committed> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let committed = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("revision", &committed.revision)?;
        // Always there: a claim that found nothing says so with an empty list.
        map.serialize_entry("tasks", &Listed(&committed.tasks))?;
        if !committed.counts.is_empty() {
            map.serialize_entry("counts", &committed.counts)?;
        }
        if committed.repeated {
            map.serialize_entry("repeated", &true)?;
        }
        map.end()
    }
}
