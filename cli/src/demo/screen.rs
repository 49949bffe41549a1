//! What is shown at the end.

use std::{fmt::Write as _, io::Write as _, path::Path};

use super::{
    job::Claimant,
    wordcount::{Redone, Report},
};

/// How many words are shown.
const TOP: usize = 10;

/// Writes the last screen to stdout.
pub fn show(report: &Report, kept: Option<&Path>) {
    // A reader that went away needs no screen.
    let _ = std::io::stdout().write_all(text(report, kept).as_bytes());
}

fn text(report: &Report, kept: Option<&Path>) -> String {
    let mut out = String::new();
    let words: u64 = report.counts.values().sum();
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "Counted {words} words in {} files ({} map tasks) with {} worker processes, {} of them killed, in {:.1} s.\n",
        report.files,
        report.pieces,
        report.workers,
        report.redone.len(),
        report.took.as_secs_f64(),
    );
    let mut top: Vec<(&String, &u64)> = report.counts.iter().collect();
    top.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    for (word, n) in top.into_iter().take(TOP) {
        let _ = writeln!(out, "  {n:>8}  {word}");
    }
    let _ = writeln!(
        out,
        "\nThe same as a direct count: {words} words, {} different ones, none lost, none twice.",
        report.counts.len()
    );
    report.redone.iter().for_each(|redone| redo(&mut out, redone));
    if let Some(path) = kept {
        let _ = writeln!(out, "\nThe store is kept in {}.", path.display());
    }
    out
}

fn redo(out: &mut String, redone: &Redone) {
    let claim = |out: &mut String, claimant: &Claimant, what: &str| {
        let Claimant { actor, owner, id, attempt } = claimant;
        let _ = writeln!(out, "  attempt {attempt}  task {id:<6} {actor:<16} owner {owner:<16}  {what}");
    };
    let _ = writeln!(out, "\nOne task was done twice, and committed once: {}", redone.file);
    claim(out, &redone.killed, "computed its output, then was killed");
    claim(out, &redone.again, "did it again and committed");
    let _ = writeln!(out, "The killed worker's commit came late, and was refused:\n  {}", redone.refusal);
}
