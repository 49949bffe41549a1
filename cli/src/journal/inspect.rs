//! What stands in a store's bytes.

use clap::Args;
use serde_json::Value;
use tenure::{Result, core::inspect::Show, file};

use crate::{args::At, open::folder, output::Output};

/// What `inspect` takes.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of the command line.
pub struct Inspect {
    #[command(flatten)]
    at: At,
    /// Each frame, with its position.
    #[arg(long)]
    frames: bool,
    /// Each entry, with its ops.
    #[arg(long)]
    entries: bool,
    /// Each task, record and remembered request of the snapshots and of the state.
    #[arg(long)]
    items: bool,
    /// All of that.
    #[arg(long, conflicts_with_all = ["frames", "entries", "items"])]
    all: bool,
}

pub fn inspect(out: &mut Output, args: &Inspect) -> Result<()> {
    let show =
        if args.all { Show::ALL } else { Show { frames: args.frames, entries: args.entries, items: args.items } };
    file::inspect(folder("inspect", &args.at.store)?, show, &mut |line| {
        if out.json { out.line(line) } else { out.line(&plain(line)) }
    })
}

/// A line of JSON for people: what it is of, then its fields.
fn plain(line: &str) -> String {
    let Ok(Value::Object(object)) = serde_json::from_str(line) else { return line.into() };
    let Some((what, fields)) = object.iter().next() else { return line.into() };
    let indent = if matches!(what.as_str(), "store" | "segment" | "snapshot" | "state" | "error") { "" } else { "  " };
    let Value::Object(fields) = fields else { return format!("{indent}{what} {fields}") };
    let fields = fields.iter().map(|(name, value)| match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"']) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    });
    format!("{indent}{what}  {}", fields.collect::<Vec<_>>().join("  "))
}
