//! What is printed: for people by default, JSON for programs.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use serde::Serialize;
use tenure::{
    Code, Committed, Error, GroupStats, Millis, Record, Result, Task, TaskState,
    core::json::{self, Spelled},
};

use crate::quantity::spell_span;

/// Bytes of data that a line for people shows.
const SHOWN: usize = 60;

/// Where answers go.
pub struct Output {
    /// Whether a program reads them.
    pub json: bool,
    /// Whether whoever read them went away.
    pub gone: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, gone: false }
    }

    /// One line.
    pub fn line(&mut self, line: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n"));
        self.note(written)
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        drop(out);
        self.note(written)
    }

    fn note(&mut self, written: io::Result<()>) -> Result<()> {
        written.map_err(|error| {
            self.gone = error.kind() == io::ErrorKind::BrokenPipe;
            Error::new(Code::Unavailable, format!("can't write to stdout: {error}"))
        })
    }

    /// A value in the JSON spelling, or what `plain` makes of it.
    pub fn answer<T: ?Sized>(&mut self, value: &T, plain: impl FnOnce(&T) -> String) -> Result<()>
    where
        for<'a> Spelled<'a, T>: Serialize,
    {
        let text = if self.json { json::text(value) } else { plain(value) };
        if text.is_empty() { Ok(()) } else { self.line(&text) }
    }

    /// The same for a value that has no spelling of its own.
    pub fn report(&mut self, value: &serde_json::Value, plain: impl FnOnce() -> String) -> Result<()> {
        let text = if self.json { value.to_string() } else { plain() };
        if text.is_empty() { Ok(()) } else { self.line(&text) }
    }
}

/// What a transaction or a claim answered, as of `now`.
pub fn committed(committed: &Committed, now: Millis) -> String {
    let mut lines = tasks(&committed.tasks, now);
    for count in &committed.counts {
        if !lines.is_empty() {
            lines.push('\n');
        }
        let _ = write!(lines, "{count}");
    }
    lines
}

/// Tasks, one a line.
pub fn tasks(tasks: &[Task], now: Millis) -> String {
    tasks.iter().map(|each| task(each, now)).collect::<Vec<_>>().join("\n")
}

/// One task on one line.
pub fn task(task: &Task, now: Millis) -> String {
    let mut line = format!("task {}", task.id);
    if task.origin.0 == 0 {
        // A repeated outcome: the task has changed since, and no more is known of it.
        return line + "  (changed since)";
    }
    let _ = write!(line, "  {}  {}", task.group, state(task, now));
    if task.owner.0 != 0 {
        let _ = write!(line, "  owner {}", task.owner);
    }
    if task.attempt > 0 {
        let _ = write!(line, "  attempt {}", task.attempt);
    }
    if task.failures > 0 {
        let _ = write!(line, "  failures {}", task.failures);
    }
    if let Some(key) = &task.key {
        let _ = write!(line, "  key {key:?}");
    }
    if let Some(error) = &task.error {
        let _ = write!(line, "  error {error:?}");
    }
    let _ = write!(line, "  {}", data(&task.data));
    line
}

fn state(task: &Task, now: Millis) -> String {
    let left = spell_span(task.available_at.saturating_sub(now));
    match task.state(now) {
        TaskState::Available => "available".into(),
        TaskState::Delayed => format!("delayed for {left}"),
        TaskState::Held => format!("held for {left}"),
    }
}

/// The beginning of some bytes.
fn data(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= SHOWN => format!("{text:?}"),
        Ok(text) => format!("{:?}… ({} bytes)", &text[..text.floor_char_boundary(SHOWN)], bytes.len()),
        Err(_) => format!("({} bytes)", bytes.len()),
    }
}

/// One record on one line.
pub fn record(record: &Record) -> String {
    let mut line = format!("{}  {}  revision {}", record.table, record.key, record.revision);
    if let Some(at) = record.expires_at {
        let _ = write!(line, "  expires {}", time(at));
    }
    let _ = write!(line, "  {}", data(&record.value));
    line
}

/// Groups as a table.
pub fn groups(groups: &[GroupStats], now: Millis) -> String {
    let head = ["group", "tasks", "available", "delayed", "held", "oldest waits", ""].map(String::from);
    let rows = groups.iter().map(|group| {
        [
            group.name.clone(),
            group.tasks.to_string(),
            group.available.to_string(),
            group.delayed.to_string(),
            group.held.to_string(),
            group.oldest.map_or_else(|| "-".into(), |oldest| spell_span(now.saturating_sub(oldest))),
            if group.paused { "paused".into() } else { String::new() },
        ]
    });
    table(std::iter::once(head).chain(rows).collect::<Vec<_>>().as_slice())
}

/// Rows in columns.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A time of the calendar, UTC.
pub fn time(at: Millis) -> String {
    let (days, millis) = (at / 86_400_000, at % 86_400_000);
    // Days since the first of March of the year 0, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let seconds = millis / 1_000;
    format!(
        "{:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03}",
        year + era * 400 + next,
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_spelled_as_the_calendar_has_it() {
        assert_eq!(time(0), "1970-01-01 00:00:00.000");
        assert_eq!(time(951_782_400_000), "2000-02-29 00:00:00.000");
        assert_eq!(time(1_700_000_000_123), "2023-11-14 22:13:20.123");
        assert_eq!(time(4_107_542_399_999), "2100-02-28 23:59:59.999");
    }
}
