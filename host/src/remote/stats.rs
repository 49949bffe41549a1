//! Reading a store's numbers.

use std::time::Duration;

use serde_json::Value;
use tenure_core::{Author, Code, Error, Position, Result, Revision, TaskId, port::JournalStats};

use super::client::{missing, object};
use crate::{Durations, store::Stats};

pub(super) fn read(bytes: &[u8]) -> Result<Stats> {
    let value = object(bytes)?;
    let number = |name: &str| value[name].as_u64().ok_or_else(|| missing(name));
    let hex = |name: &str| {
        let text = value[name].as_str().ok_or_else(|| missing(name))?;
        u64::from_str_radix(text, 16).map_err(|_| missing(name))
    };
    Ok(Stats {
        revision: Revision(number("revision")?),
        next_id: TaskId(number("next_id")?),
        tasks: number("tasks")?,
        records: number("records")?,
        groups: number("groups")?,
        requests: number("requests")?,
        state_bytes: number("state_bytes")?,
        max_state_bytes: number("max_state_bytes")?,
        digest: hex("digest")?,
        level: u32::try_from(number("level")?).unwrap_or(u32::MAX),
        exclusive: Author(hex("exclusive_author")?),
        skipped: number("skipped")?,
        clock_ahead: number("clock_ahead")?,
        journal: JournalStats {
            journal_bytes: number("journal_bytes")?,
            snapshot_bytes: number("snapshot_bytes")?,
            segments: number("segments")?,
            durable: Position(number("durable")?),
            floor: Position(number("floor")?),
            aborted: number("aborted")?,
        },
        syncs: number("syncs")?,
        sync_failures: number("sync_failures")?,
        sync_times: times(&value["sync_times"]),
        lock_waits: times(&value["lock_waits"]),
        post_times: times(&value["post_times"]),
        snapshots_taken: number("snapshots_taken")?,
        snapshot_error: match &value["snapshot_error"] {
            Value::String(why) => Some(Error::new(Code::Unavailable, why.as_str())),
            _ => None,
        },
    })
}

fn times(value: &Value) -> Durations {
    let counts: Vec<u64> = value["ranges"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    Durations::told(&counts, Duration::from_micros(value["micros"].as_u64().unwrap_or_default()))
}
