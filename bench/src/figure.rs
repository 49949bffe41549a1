//! Figures, what they are held against, and how they are printed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (len, half) if len % 2 == 1 => sorted[half],
        (_, half) => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// One contender's figure in a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// Who, and under which circumstances.
    pub who: String,
    /// The unit of the values.
    pub unit: String,
    /// The median of the rounds.
    pub value: f64,
    /// What each round gave.
    pub rounds: Vec<f64>,
    /// Medians of what explains the figure.
    pub beside: BTreeMap<String, f64>,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The value must reach the limit.
    AtLeast,
    /// The value must stay within the limit.
    AtMost,
}

/// How it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Reached.
    Pass,
    /// Missed.
    Miss,
    /// There is no figure to judge.
    NotMeasured,
}

/// One thing that must be reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// What is judged.
    pub what: String,
    /// Which way is good.
    pub bound: Bound,
    /// The limit.
    pub limit: f64,
    /// What was measured, often a ratio.
    pub got: Option<f64>,
    /// How it came out.
    pub verdict: Verdict,
}

impl Check {
    /// Judges `got`; without it nothing is judged.
    pub fn new(what: impl Into<String>, bound: Bound, limit: f64, got: Option<f64>) -> Self {
        let verdict = match (got, bound) {
            (None, _) => Verdict::NotMeasured,
            (Some(got), Bound::AtLeast) if got >= limit => Verdict::Pass,
            (Some(got), Bound::AtMost) if got <= limit => Verdict::Pass,
            _ => Verdict::Miss,
        };
        Self { what: what.into(), bound, limit, got, verdict }
    }

    /// Passes if one of two does: for limits that may be met in either way.
    pub fn either(self, other: Self) -> Self {
        let what = format!("{} ({}), or {}", self.what, short(self.got), other.what);
        let best = if self.verdict == Verdict::Pass { self } else { other };
        Self { what, ..best }
    }
}

fn short(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".into(), number)
}

/// Digits enough to compare, with thousands parted.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "n/a".into();
    }
    let size = value.abs();
    if size < 100.0 {
        let digits = match size {
            0.0 => 2,
            small if small < 0.1 => 4,
            small if small < 10.0 => 2,
            _ => 1,
        };
        return format!("{value:.digits$}");
    }
    let digits = format!("{size:.0}");
    let mut parted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    if value < 0.0 { format!("-{parted}") } else { parted }
}

/// What a row found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    /// The figures, in the order measured.
    pub figures: Vec<Figure>,
    /// What must be reached.
    pub checks: Vec<Check>,
    /// What the reader must know, contenders left out included.
    pub notes: Vec<String>,
}

impl Findings {
    /// The median of a contender, if it took part.
    pub fn value(&self, who: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.who == who).map(|figure| figure.value)
    }

    /// A median beside a contender's figure.
    pub fn beside(&self, who: &str, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.who == who)?.beside.get(name).copied()
    }

    /// How often `over` is `under`: the median of the quotients of each round, for what slows the disk for a while slows
    /// both in the same round.
    pub fn ratio(&self, over: &str, under: &str) -> Option<f64> {
        let find = |who: &str| self.figures.iter().find(|figure| figure.who == who);
        let (over, under) = (find(over)?, find(under)?);
        let quotients: Vec<_> = over.rounds.iter().zip(&under.rounds).map(|(over, under)| over / under).collect();
        Some(median(&quotients))
    }

    /// The same against the rival with the greatest median.
    pub fn ratio_to_best(&self, over: &str, is_rival: impl Fn(&str) -> bool) -> Option<f64> {
        let rivals = self.figures.iter().filter(|figure| is_rival(&figure.who));
        let best = rivals.max_by(|one, other| one.value.total_cmp(&other.value))?;
        self.ratio(over, &best.who)
    }
}

/// A row as it is written and printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Its name on the command line.
    pub name: String,
    /// What is done.
    pub work: String,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: {}", self.name, self.work)?;
        for figure in &self.findings.figures {
            let low = figure.rounds.iter().copied().fold(f64::INFINITY, f64::min);
            let high = figure.rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let spread =
                if figure.rounds.len() > 1 { format!("{} .. {}", number(low), number(high)) } else { String::new() };
            write!(out, "  {:<28}{:>12} {:<10} {spread:<20}", figure.who, number(figure.value), figure.unit)?;
            let beside: Vec<_> =
                figure.beside.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
            writeln!(out, " {}", beside.join(", "))?;
        }
        for check in &self.findings.checks {
            let sign = if check.bound == Bound::AtLeast { ">=" } else { "<=" };
            let verdict = match check.verdict {
                Verdict::Pass => "pass",
                Verdict::Miss => "MISS",
                Verdict::NotMeasured => "not measured",
            };
            writeln!(out, "  must: {} {sign} {}: {} {verdict}", check.what, number(check.limit), short(check.got))?;
        }
        for note in &self.findings.notes {
            writeln!(out, "  note: {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!((median(&[9.0, 1.0, 5.0]) - 5.0).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    fn figure(who: &str, rounds: &[f64]) -> Figure {
        let beside = BTreeMap::new();
        Figure { who: who.into(), unit: "tx/s".into(), value: median(rounds), rounds: rounds.to_vec(), beside }
    }

    #[test]
    fn a_ratio_compares_within_each_round() {
        let figures = vec![
            figure("tenure", &[20.0, 1.0, 30.0]),
            figure("slow", &[1.0, 1.0, 1.0]),
            figure("fast", &[10.0, 0.5, 15.0]),
        ];
        let found = Findings { figures, ..Findings::default() };
        let best = found.ratio_to_best("tenure", |who| who != "tenure");
        assert!((best.unwrap_or_default() - 2.0).abs() < 1e-9);
        assert_eq!(found.ratio("tenure", "absent"), None);
    }

    #[test]
    fn numbers_part_their_thousands() {
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(999.4), "999");
        assert_eq!(number(0.853), "0.85");
        assert_eq!(number(0.004_2), "0.0042");
        assert_eq!(number(f64::NAN), "n/a");
    }

    #[test]
    fn a_check_without_a_figure_is_not_a_pass() {
        assert_eq!(Check::new("x", Bound::AtMost, 1.0, None).verdict, Verdict::NotMeasured);
        assert_eq!(Check::new("x", Bound::AtMost, 1.0, Some(f64::NAN)).verdict, Verdict::Miss);
        assert_eq!(Check::new("x", Bound::AtLeast, 1.0, Some(1.0)).verdict, Verdict::Pass);
    }

    #[test]
    fn either_passes_by_one_of_its_two_limits() {
        let miss = || Check::new("a", Bound::AtLeast, 20.0, Some(10.0));
        let pass = || Check::new("b", Bound::AtLeast, 0.9, Some(0.95));
        assert_eq!(miss().either(pass()).verdict, Verdict::Pass);
        assert_eq!(pass().either(miss()).verdict, Verdict::Pass);
        assert_eq!(miss().either(miss()).verdict, Verdict::Miss);
    }
}
