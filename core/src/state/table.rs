//! Records: keyed values in named tables, in the order of their keys.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use core::ops::Bound;

use super::digest;
use crate::{data::Data, id::Revision, record::Record, time::Millis};

/// What is kept of a record beside its table and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub data: Data,
    /// The revision that last wrote it.
    pub revision: Revision,
    /// From when it is hidden, 0 for never.
    pub expires_at: Millis,
}

impl Value {
    /// Whether it can be seen at `now`.
    pub fn visible(&self, now: Millis) -> bool {
        self.expires_at == 0 || self.expires_at > now
    }
}

/// All tables.
#[derive(Debug, Default)]
pub struct Tables {
    tables: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>,
    expiring: BTreeSet<(Millis, Arc<str>, Arc<str>)>,
    len: u64,
    bytes: u64,
    digest: u64,
}

fn weight(table: &str, key: &str, value: &Value) -> u64 {
    // Two tree nodes' share and the shared texts.
    (96 + table.len() / 8 + key.len() + value.data.len()) as u64
}

fn hash(table: &str, key: &str, value: &Value) -> u64 {
    digest::item([
        digest::text(table),
        digest::text(key),
        value.revision.0,
        value.expires_at,
        u64::from(crc32fast::hash(&value.data)) << 32 | value.data.len() as u64,
    ])
}

impl Tables {
    /// How many records there are, hidden ones included.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that they take up, about.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Their part of the state's digest.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// A record, even if it is hidden.
    pub fn get(&self, table: &str, key: &str) -> Option<&Value> {
        self.tables.get(table)?.get(key)
    }

    /// Writes a record in place of what is there.
    pub fn put(&mut self, table: &str, key: &str, value: Value) {
        self.remove(table, key);
        self.len += 1;
        self.bytes += weight(table, key, &value);
        self.digest = self.digest.wrapping_add(hash(table, key, &value));
        let name = match self.tables.get_key_value(table) {
            Some((name, _)) => name.clone(),
            None => Arc::from(table),
        };
        let key: Arc<str> = key.into();
        if value.expires_at != 0 {
            self.expiring.insert((value.expires_at, name.clone(), key.clone()));
        }
        self.tables.entry(name).or_default().insert(key, value);
    }

    /// Removes a record; says whether it was there.
    pub fn remove(&mut self, table: &str, key: &str) -> bool {
        let Some(records) = self.tables.get_mut(table) else { return false };
        let Some((key, value)) = records.remove_entry(key) else { return false };
        if records.is_empty() {
            self.tables.remove(table);
        }
        self.len -= 1;
        self.bytes -= weight(table, &key, &value);
        self.digest = self.digest.wrapping_sub(hash(table, &key, &value));
        if value.expires_at != 0 {
            self.expiring.remove(&(value.expires_at, Arc::from(table), key));
        }
        true
    }

    /// The records that are hidden by `now`, oldest first.
    pub fn expired(&self, now: Millis) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.expiring.iter().take_while(move |(at, ..)| *at <= now).map(|(_, table, key)| (&**table, &**key))
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> + '_ {
        self.tables.keys()
    }

    /// The records of a table whose keys come after `after` and begin with `prefix`, in the order of their keys.
    pub fn scan<'s>(
        &'s self,
        table: &str,
        prefix: &'s str,
        after: Option<&str>,
        now: Millis,
    ) -> impl Iterator<Item = Record> + 's {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = self.tables.get_key_value(table);
        let name = found.map(|(name, _)| name.clone());
        let range = found.map(|(_, records)| records.range::<str, _>((from, Bound::Unbounded)));
        range
            .into_iter()
            .flatten()
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter(move |(_, value)| value.visible(now))
            .filter_map(move |(key, value)| Some(value.record(name.clone()?, key.clone())))
    }

    /// All records in the order of table and key, hidden ones included, behind the one that is named.
    pub fn walk(&self, after: Option<(&str, &str)>) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, &Value)> + '_ {
        let (table, key) = match after {
            Some((table, key)) => (Bound::Included(table), Bound::Excluded(key)),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let first = after.map(|(table, _)| Arc::<str>::from(table));
        let key: Bound<Arc<str>> = match key {
            Bound::Excluded(key) => Bound::Excluded(key.into()),
            _ => Bound::Unbounded,
        };
        self.tables.range::<str, _>((table, Bound::Unbounded)).flat_map(move |(name, records)| {
            let from = if Some(name) == first.as_ref() { key.clone() } else { Bound::Unbounded };
            records.range::<Arc<str>, _>((from, Bound::Unbounded)).map(move |(key, value)| (name, key, value))
        })
    }
}

impl Value {
    /// The record as callers see it.
    pub fn record(&self, table: Arc<str>, key: Arc<str>) -> Record {
        Record {
            table,
            key,
            value: self.data.clone(),
            revision: self.revision,
            expires_at: (self.expires_at != 0).then_some(self.expires_at),
        }
    }
}
