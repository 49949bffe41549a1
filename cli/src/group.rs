//! The settings of a group.

use clap::Args;
use serde_json::json;
use tenure::Result;

use crate::{args::At, open::Setting, output::Output};

/// What `pause` and `resume` take.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    at: At,
    /// The group.
    group: String,
}

/// Claims skip a group, or no longer do; its other settings stay.
pub fn pause(setting: &Setting, out: &mut Output, args: &Pause, paused: bool) -> Result<()> {
    let store = setting.present(&args.at.store)?;
    let group = args.group.as_str();
    store.pause(group, paused)?;
    let what = if paused { "paused: claims skip it" } else { "resumed" };
    out.report(&json!({"group": group, "paused": paused}), || format!("group {group} is {what}"))?;
    store.close()
}
