//! What happens, as JSON lines on stderr: one object each, with the time, what happened, and who did it.

use std::io::{Write as _, stderr};

use serde_json::{Map, Value};
use tenure::clock::Clock;

use crate::config::Level;

/// Where lines go, and which.
#[derive(Debug)]
pub struct Log {
    level: Level,
    clock: Clock,
}

impl Log {
    pub fn new(level: Level) -> Self {
        Self { level, clock: Clock::system() }
    }

    /// Whether lines of this level are wanted.
    pub fn wants(&self, level: Level) -> bool {
        self.level >= level
    }

    /// Start, stop, and what needs somebody's attention.
    pub fn event(&self, what: &str, more: &[(&str, &str)]) {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        self.line(what, more.collect());
    }

    /// A line; its order is that of the names.
    pub fn line(&self, what: &str, mut more: Map<String, Value>) {
        more.insert("at".into(), self.clock.now().into());
        more.insert("event".into(), what.into());
        // Where nobody reads it, nothing is lost that anybody would miss.
        let _ = writeln!(stderr(), "{}", Value::Object(more));
    }
}
