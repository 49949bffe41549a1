//! Writing requests and claims, as they are read again by [`read_request`](super::read_request) and
//! [`read_claim`](super::read_claim).

use alloc::string::String;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{ClaimCall, Listed, Spelled, write_bytes};
use crate::{
    entry::Reason,
    id::OwnerId,
    request::{Add, Claim, Delete, Depend, Guard, IfExists, Increment, Order, Put, Remove, Request, Update, Verb},
    time::When,
};

fn write_list<'a, T, M: SerializeMap>(map: &mut M, name: &'static str, list: &'a [T]) -> Result<(), M::Error>
where
    Spelled<'a, T>: Serialize,
{
    if list.is_empty() { Ok(()) } else { map.serialize_entry(name, &Listed(list)) }
}

fn write_some<T: Serialize, M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

fn write_flag<M: SerializeMap>(map: &mut M, name: &'static str, flag: bool) -> Result<(), M::Error> {
    if flag { map.serialize_entry(name, &true) } else { Ok(()) }
}

fn write_asker<M: SerializeMap>(map: &mut M, owner: OwnerId, request_id: Option<&String>) -> Result<(), M::Error> {
    if owner.0 != 0 {
        map.serialize_entry("owner", &owner)?;
    }
    write_some(map, "request_id", request_id)
}

fn write_when<M: SerializeMap>(map: &mut M, when: When) -> Result<(), M::Error> {
    match when {
        When::Now => map.serialize_entry("delay", &0),
        When::After(delay) => map.serialize_entry("delay", &delay),
        When::At(at) => map.serialize_entry("available_at", &at),
    }
}

impl Serialize for Spelled<'_, Request> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.0;
        let mut map = serializer.serialize_map(None)?;
        write_asker(&mut map, request.owner, request.request_id.as_ref())?;
        write_list(&mut map, "adds", &request.adds)?;
        write_list(&mut map, "updates", &request.updates)?;
        write_list(&mut map, "deletes", &request.deletes)?;
        write_list(&mut map, "depends", &request.depends)?;
        write_list(&mut map, "puts", &request.puts)?;
        write_list(&mut map, "removes", &request.removes)?;
        write_list(&mut map, "increments", &request.increments)?;
        write_list(&mut map, "guards", &request.guards)?;
        write_flag(&mut map, "depends_only", request.depends_only)?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Add> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let add = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("group", &add.group)?;
        write_bytes(&mut map, "data", "data_base64", &add.data)?;
        if add.available != When::Now {
            write_when(&mut map, add.available)?;
        }
        write_some(&mut map, "key", add.key.as_ref())?;
        match add.if_exists {
            IfExists::Refuse => {}
            IfExists::Keep => map.serialize_entry("if_exists", "keep")?,
            IfExists::Replace => map.serialize_entry("if_exists", "replace")?,
        }
        map.end()
    }
}

impl Serialize for Spelled<'_, Update> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let update = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &update.id)?;
        write_some(&mut map, "origin", update.origin.as_ref())?;
        let verb = match update.verb {
            Verb::Update => None,
            Verb::Renew => Some("renew"),
            Verb::Release => Some("release"),
            Verb::Fail => Some("fail"),
            Verb::Requeue => Some("requeue"),
        };
        write_some(&mut map, "verb", verb.as_ref())?;
        if let Some(data) = &update.data {
            write_bytes(&mut map, "data", "data_base64", data)?;
        }
        write_some(&mut map, "group", update.group.as_ref())?;
        if let Some(available) = update.available {
            write_when(&mut map, available)?;
        }
        write_some(&mut map, "error", update.error.as_ref())?;
        write_flag(&mut map, "force", update.force)?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Delete> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let delete = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &delete.id)?;
        write_some(&mut map, "origin", delete.origin.as_ref())?;
        if delete.reason != Reason::default() {
            map.serialize_entry("reason", delete.reason.slug())?;
        }
        write_flag(&mut map, "force", delete.force)?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Depend> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            Depend::Id(id) => map.serialize_entry("id", id)?,
            Depend::Origin(id) => map.serialize_entry("origin", id)?,
        }
        map.end()
    }
}

impl Serialize for Spelled<'_, Put> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let put = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &put.table)?;
        map.serialize_entry("key", &put.key)?;
        write_bytes(&mut map, "value", "value_base64", &put.value)?;
        write_some(&mut map, "expect", put.expect.as_ref())?;
        write_some(&mut map, "expires_at", put.expires_at.as_ref())?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Remove> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let remove = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &remove.table)?;
        map.serialize_entry("key", &remove.key)?;
        write_some(&mut map, "expect", remove.expect.as_ref())?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Increment> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let increment = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &increment.table)?;
        map.serialize_entry("key", &increment.key)?;
        map.serialize_entry("by", &increment.by)?;
        write_some(&mut map, "min", increment.min.as_ref())?;
        write_some(&mut map, "max", increment.max.as_ref())?;
        map.end()
    }
}

impl Serialize for Spelled<'_, Guard> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let guard = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &guard.table)?;
        map.serialize_entry("key", &guard.key)?;
        map.serialize_entry("expect", &guard.expect)?;
        map.end()
    }
}

fn write_claim<M: SerializeMap>(map: &mut M, claim: &Claim) -> Result<(), M::Error> {
    write_asker(map, claim.owner, claim.request_id.as_ref())?;
    map.serialize_entry("groups", &claim.groups)?;
    map.serialize_entry("lease", &claim.lease)?;
    map.serialize_entry("limit", &claim.limit)?;
    if claim.order != Order::default() {
        map.serialize_entry("order", claim.order.slug())?;
    }
    write_list(map, "depends", &claim.depends)
}

impl Serialize for Spelled<'_, Claim> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_claim(&mut map, self.0)?;
        map.end()
    }
}

impl Serialize for Spelled<'_, ClaimCall> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_claim(&mut map, &self.0.claim)?;
        match self.0.wait {
            None => map.serialize_entry("wait", "forever")?,
            Some(0) => {}
            Some(wait) => map.serialize_entry("wait", &wait)?,
        }
        map.end()
    }
}
