//! A bar on stderr, where that is a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};

const WIDTH: u64 = 32;

/// A line that is drawn again and again, and gone at the end.
pub struct Progress {
    shown: bool,
    last: String,
}

impl Progress {
    /// Nothing drawn yet; never anything where nobody watches.
    pub fn new() -> Self {
        Self { shown: stderr().is_terminal(), last: String::new() }
    }

    /// Draws the bar.
    pub fn draw(&mut self, what: &str, done: u64, all: u64, more: &str) {
        if !self.shown {
            return;
        }
        let full = (done * WIDTH).checked_div(all).unwrap_or(WIDTH).min(WIDTH);
        let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '·' }).collect();
        self.line(format!("{what:<7} {bar} {done}/{all}  {more}"));
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown && !self.last.is_empty() {
            self.line(String::new());
        }
    }

    fn line(&mut self, line: String) {
        if line != self.last {
            // What can't be drawn is no loss.
            let _ = write!(stderr(), "\r\x1b[2K{line}").and_then(|()| stderr().flush());
            self.last = line;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
