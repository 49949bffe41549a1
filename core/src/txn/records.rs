//! Records in a transaction: expectations against the state before it, then puts, removes and increments.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Bench, Reasons, Seen, footprint::RecordName};
use crate::{
    data::Data,
    error::Refusal,
    id::Revision,
    request::{Increment, Request},
};

/// Expired records that one transaction sweeps away.
const SWEEP: usize = 16;

/// What a transaction makes of a record; `None` removes it.
type Change = Option<Seen>;

/// Which part of the request speaks of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Put,
    Remove,
    Increment,
    Sweep,
}

/// What a transaction makes of records, one change a record, in the order in which they were first named.
#[derive(Default)]
pub(super) struct Records<'r> {
    names: Vec<(&'r str, &'r str)>,
    changes: BTreeMap<(&'r str, &'r str), (Part, Change)>,
    pub counts: Vec<i64>,
    pub bytes: u64,
}

impl<'r> Records<'r> {
    /// Judges the records' part of a request.
    pub fn judge(bench: &Bench<'r>, request: &'r Request, reasons: &mut Reasons) -> Self {
        let mut records = Self::default();
        if request.speaks_of_no_record() && bench.state.tables().expired(bench.now).next().is_none() {
            return records;
        }
        let expect = |reasons: &mut Reasons, table: &str, key: &str, expected: Option<Revision>| {
            let Some(expected) = expected else { return };
            let found =
                bench.overlay.record(bench.state, table, key, bench.now).map_or(Revision(0), |seen| seen.revision);
            if found != expected {
                reasons.push(Refusal::StaleRecord { table: table.into(), key: key.into(), expected, found });
            }
        };
        for guard in &request.guards {
            expect(reasons, &guard.table, &guard.key, Some(guard.expect));
        }
        for put in &request.puts {
            expect(reasons, &put.table, &put.key, put.expect);
            let seen = Seen { data: put.value.clone(), revision: Revision(0), expires_at: put.expires_at.unwrap_or(0) };
            records.bytes += (96 + put.key.len() + put.value.len()) as u64;
            records.set(reasons, &put.table, &put.key, Part::Put, Some(seen));
        }
        for remove in &request.removes {
            expect(reasons, &remove.table, &remove.key, remove.expect);
            records.set(reasons, &remove.table, &remove.key, Part::Remove, None);
        }
        for increment in &request.increments {
            records.increment(bench, reasons, increment);
        }
        records.sweep(bench);
        records
    }

    /// Twice in one part, the last one counts; in two parts nobody can say which.
    fn set(&mut self, reasons: &mut Reasons, table: &'r str, key: &'r str, part: Part, change: Change) {
        match self.changes.insert((table, key), (part, change)) {
            None => self.names.push((table, key)),
            Some((other, _)) if other == part => {}
            Some(_) => reasons.push(Refusal::RepeatedKey { place: table.into(), key: key.into() }),
        }
    }

    fn increment(&mut self, bench: &Bench<'r>, reasons: &mut Reasons, increment: &'r Increment) {
        let (table, key) = (&*increment.table, &*increment.key);
        let before = match self.changes.get(&(table, key)) {
            Some((Part::Increment, staged)) => staged.clone(),
            _ => bench.overlay.record(bench.state, table, key, bench.now),
        };
        let mut refuse = |why: String| {
            reasons.push(Refusal::Bounds { table: table.into(), key: key.into(), why });
        };
        let value = match &before {
            None => Some(0),
            Some(seen) => seen.data.text().and_then(|text| text.parse::<i64>().ok()),
        };
        let Some(value) = value else {
            return refuse("its value is no whole number: put one before you increment it".into());
        };
        let Some(sum) = value.checked_add(increment.by) else {
            return refuse(format!("{value} + {} does not fit into 64 bits", increment.by));
        };
        if increment.min.is_some_and(|min| sum < min) || increment.max.is_some_and(|max| sum > max) {
            let low = increment.min.map_or("any".to_string(), |min| min.to_string());
            let high = increment.max.map_or("any".to_string(), |max| max.to_string());
            return refuse(format!("{value} + {} = {sum} lies outside {low} to {high}", increment.by));
        }
        let seen = Seen {
            data: Data::from(sum.to_string()),
            revision: Revision(0),
            expires_at: before.map_or(0, |seen| seen.expires_at),
        };
        self.bytes += (96 + key.len() + 20) as u64;
        self.counts.push(sum);
        self.set(reasons, table, key, Part::Increment, Some(seen));
    }

    /// Records that are hidden since they expired go with the next writer's transaction.
    fn sweep(&mut self, bench: &Bench<'r>) {
        for (table, key) in bench.state.tables().expired(bench.now).take(SWEEP) {
            if !self.changes.contains_key(&(table, key)) && !bench.overlay.writes(table, key) {
                self.changes.insert((table, key), (Part::Sweep, None));
                self.names.push((table, key));
            }
        }
    }

    /// Every change, in the order in which the records were first named. A removal of what is not there is none.
    pub fn changes<'s>(
        &'s self,
        bench: &'s Bench<'r>,
    ) -> impl Iterator<Item = (&'r str, &'r str, Option<&'s Seen>)> + 's {
        self.names.iter().filter_map(move |(table, key)| {
            let (part, change) = self.changes.get(&(*table, *key))?;
            // A sweep takes what nobody sees any more; a removal only what somebody could still see or the sweep would.
            let there = *part == Part::Sweep
                || change.is_some()
                || if bench.overlay.writes(table, key) {
                    bench.overlay.record(bench.state, table, key, 0).is_some()
                } else {
                    bench.state.tables().get(table, key).is_some()
                };
            there.then_some((*table, *key, change.as_ref()))
        })
    }

    /// Every change, as a footprint keeps it.
    pub fn footprint(&self, bench: &Bench<'r>) -> Vec<(RecordName, Change)> {
        self.changes(bench).map(|(table, key, seen)| ((table.into(), key.into()), seen.cloned())).collect()
    }
}
