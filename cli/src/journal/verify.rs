//! Whether everything in a store fits together.

use clap::Args;
use serde_json::json;
use tenure::Result;

use crate::{args::At, open::folder, output::Output, quantity::spell_size};

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    at: At,
}

pub fn verify(out: &mut Output, args: &Verify) -> Result<()> {
    let found = tenure::verify::verify(folder("verify", &args.at.store)?)?;
    let value = json!({
        "store": found.store.to_string(),
        "segments": found.segments,
        "bytes": found.bytes,
        "frames": found.frames,
        "entries": found.entries,
        "snapshots": found.snapshots,
        "replays": found.replays,
        "revision": found.revision,
        "tasks": found.tasks,
        "records": found.records,
        "digest": format!("{:016x}", found.digest),
        "behind": found.behind,
    });
    out.report(&value, || {
        let mut text = format!(
            "read {}: {} frames with {} entries in {} segments, {} snapshots\n\
             replayed {} times, each to revision {} with {} tasks, {} records, digest {:016x}",
            spell_size(found.bytes),
            found.frames,
            found.entries,
            found.segments,
            found.snapshots,
            found.replays,
            found.revision,
            found.tasks,
            found.records,
            found.digest
        );
        if found.behind > 0 {
            text.push_str("\nat the end stands an unfinished append, which the next writer removes");
        }
        text + "\nthe store is whole"
    })
}
