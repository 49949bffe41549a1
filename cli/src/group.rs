//! The settings of a group.

use clap::Args;
use serde_json::{Map, Value, json};
use tenure::{Result, core::record::GROUPS_TABLE};

use crate::{
    args::At,
    open::{Setting, invalid},
    output::Output,
};

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
    store.transact(|tx| {
        let settings = match tx.get(GROUPS_TABLE, group)? {
            None => Map::new(),
            Some(record) => serde_json::from_slice(&record.value)
                .map_err(|error| invalid(format!("the settings of group {group:?} are no JSON object: {error}")))?,
        };
        let mut settings: Map<String, Value> = settings;
        if paused {
            settings.insert("paused".into(), true.into());
        } else {
            settings.remove("paused");
        }
        if settings.is_empty() {
            tx.remove(GROUPS_TABLE, group);
        } else {
            tx.put(GROUPS_TABLE, group, Value::Object(settings).to_string());
        }
        Ok(())
    })?;
    let what = if paused { "paused: claims skip it" } else { "resumed" };
    out.report(&json!({"group": group, "paused": paused}), || format!("group {group} is {what}"))?;
    store.close()
}
