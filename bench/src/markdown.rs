//! The table of a README, out of the JSON of a run.

use std::fmt::Write as _;

use crate::contender::{Answer, Failure};
use crate::figure::{Bound, Figure, Line, Verdict, number};
use crate::results::Results;

/// Between these two lines a text has its table.
const BEGIN: &str = "<!-- speed: begin -->";
const END: &str = "<!-- speed: end -->";

/// The machine, the table, and what the reader must know.
pub fn table(results: &Results) -> String {
    let mut out = format!("{}", results.machine);
    if results.quick {
        out.push_str("; small sizes, the figures mean nothing");
    }
    if let Some(warning) = results.warning() {
        let _ = write!(out, ". {warning}");
    }
    out.push_str("\n\n| work | measured | must be: is |\n|---|---|---|\n");
    for line in &results.rows {
        let figures: Vec<_> = shown(line).map(cell).collect();
        let checks: Vec<_> = line
            .findings
            .checks
            .iter()
            .map(|check| {
                let sign = if check.bound == Bound::AtLeast { "≥" } else { "≤" };
                let is = match check.verdict {
                    Verdict::Pass => check.got.map_or_else(String::new, number),
                    Verdict::Miss => format!("**{}, missed**", check.got.map_or_else(|| "n/a".into(), number)),
                    Verdict::NotMeasured => "not measured".into(),
                };
                format!("{} {sign} {}: {is}", check.what, number(check.limit))
            })
            .collect();
        let _ = writeln!(out, "| {} | {} | {} |", line.work, figures.join("<br>"), checks.join("<br>"));
    }
    let notes: Vec<_> = results.rows.iter().filter(|line| !line.findings.notes.is_empty()).collect();
    if !notes.is_empty() {
        out.push('\n');
    }
    for line in notes {
        let _ = writeln!(out, "- {}: {}", line.name, line.findings.notes.join("; "));
    }
    out
}

/// `text` with the table in the place that is marked for it.
pub fn placed(text: &str, table: &str) -> Answer<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.ok_or_else(|| Failure::Broken(format!("the text has no lines {BEGIN} and {END} for the table")))?;
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

/// Of SQLite's ways of waiting, only the best one.
fn shown(line: &Line) -> impl Iterator<Item = &Figure> {
    let figures = &line.findings.figures;
    figures.iter().filter(move |figure| {
        let (family, label) = parts(&figure.who);
        family != "SQLite"
            || figures.iter().all(|other| parts(&other.who) != (family, label) || other.value <= figure.value)
    })
}

fn parts(who: &str) -> (&str, &str) {
    let (name, label) = who.split_once(' ').unwrap_or((who, ""));
    match name {
        "tenure" => ("Tenure", label),
        "raw" => ("raw loop", label),
        "raw-prepared" => ("raw loop, prepared file", label),
        name if name.starts_with("sqlite") => ("SQLite", label),
        other => (other, label),
    }
}

fn cell(figure: &Figure) -> String {
    let (family, label) = parts(&figure.who);
    let comma = if label.is_empty() { "" } else { ", " };
    format!("{family}{comma}{label}: {} {}", number(figure.value), figure.unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Check, Findings, median};

    fn figure(who: &str, value: f64) -> Figure {
        let rounds = vec![value];
        Figure {
            who: who.into(),
            unit: "tx/s".into(),
            value: median(&rounds),
            rounds,
            beside: std::collections::BTreeMap::default(),
        }
    }

    #[test]
    fn only_the_best_way_of_waiting_is_shown() {
        let figures = vec![figure("tenure", 9.0), figure("sqlite-poll", 2.0), figure("sqlite-mutex", 1.0)];
        let checks = vec![Check::new("x SQLite", Bound::AtLeast, 5.0, Some(4.5))];
        let findings = Findings { figures, checks, ..Findings::default() };
        let line = Line { name: "row".into(), work: "work".into(), findings };
        let shown: Vec<_> = shown(&line).map(cell).collect();
        assert_eq!(shown, ["Tenure: 9.00 tx/s", "SQLite: 2.00 tx/s"]);
    }

    #[test]
    fn the_table_goes_where_it_is_marked() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = placed(&text, "new\n").unwrap_or_default();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert!(placed("no marks", "new").is_err());
    }
}
