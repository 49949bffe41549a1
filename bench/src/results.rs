//! What a run leaves behind: the machine, how much was done, and what each row found, as JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bench::Sizes;
use crate::contender::Answer;
use crate::figure::Line;
use crate::machine::Machine;

/// A machine with more than this to do for each core disturbs what is measured.
const QUIET: f64 = 0.25;

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where it ran.
    pub machine: Machine,
    /// How many processes wanted to run when it began, the mean of a minute.
    pub load: Option<f64>,
    /// How much was done.
    pub sizes: Sizes,
    /// Whether the sizes were small.
    pub quick: bool,
    /// What was found.
    pub rows: Vec<Line>,
}

impl Results {
    /// Reads what a run has written.
    pub fn read(path: &Path) -> Answer<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    /// Writes it down.
    pub fn write(&self, path: &Path) -> Answer<()> {
        Ok(std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// What takes the worth from the figures, if anything does.
    pub fn warning(&self) -> Option<String> {
        let load = self.load.filter(|load| *load > QUIET * self.machine.cores as f64)?;
        Some(format!(
            "The machine had other work (load {load:.1}): the figures are too low, and those with syncs are noise"
        ))
    }
}
