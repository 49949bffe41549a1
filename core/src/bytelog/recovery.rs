//! What to do where the reading of a segment stops: facts, and the one row of a table that they match.
//!
//! The *mark* is the highest position that is known to have been durable: from the watermark, from the durable mark
//! of any whole frame header, also of those that stand behind the place where reading stopped, from the beginning
//! of the last segment (the one before it is durable by then), and from the snapshots. What lies before the mark
//! was, or may have been, acknowledged: damage there is damage. What lies behind it never was: it is dropped with
//! everything behind it, whole frames too.
//!
//! Nothing is truncated before the verdict.

/// How reading a segment stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// At the end of the file, behind a whole entry.
    Clean,
    /// At a seal behind which no segment is known.
    Seal,
    /// At the end of the file, behind a part of an entry.
    Unfinished,
    /// At a whole header, or the beginning of one, whose frame reaches beyond the end of the file.
    Short,
    /// At bytes that are no whole frame.
    Bad,
    /// At a whole frame that does not follow the one before.
    Broken,
    /// Before anything was read: the file is shorter than this handle knew it.
    Shrunk,
    /// At a whole frame of a newer format.
    Future,
}

/// What is known where reading stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Facts {
    /// How it stopped.
    pub stop: Stop,
    /// Whether the end of the last whole entry lies before the mark.
    pub before_mark: bool,
    /// Whether no segment follows.
    pub last: bool,
    /// Whether the folder's lock is held.
    pub locked: bool,
}

/// What the facts mean, and what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// The journal ends here. Use it.
    Whole,
    /// Somebody is at work here. Take what was read; look again later.
    NotYet,
    /// The segment was ended and the next one not made. Make it.
    FinishSwitch,
    /// A tail that was never acknowledged. Truncate it.
    Drop,
    /// Entries that this handle has read, and nobody acknowledged, are gone. End the handle.
    Lost,
    /// Damage before the mark. Touch nothing.
    Damaged,
    /// The journal ends before the mark. Touch nothing.
    EndsEarly,
    /// The segment ends, or is damaged, before the one that follows it begins. Touch nothing.
    Gap,
    /// A newer program wrote this. Touch nothing.
    Newer,
}

/// A row: any of these stops, and these values of the other facts, where `None` is either.
struct Row {
    stops: &'static [Stop],
    before_mark: Option<bool>,
    last: Option<bool>,
    locked: Option<bool>,
    verdict: Verdict,
}

const fn row(
    stops: &'static [Stop],
    before_mark: Option<bool>,
    last: Option<bool>,
    locked: Option<bool>,
    verdict: Verdict,
) -> Row {
    Row { stops, before_mark, last, locked, verdict }
}

use Stop::{Bad, Broken, Clean, Future, Seal, Short, Shrunk, Unfinished};

#[rustfmt::skip]
/// The table. Every combination of facts matches exactly one row.
const TABLE: &[Row] = &[
    //  stops                               before mark  last         locked       verdict
    row(&[Clean],                           Some(false), Some(true),  None,        Verdict::Whole),
    row(&[Clean],                           Some(true),  Some(true),  None,        Verdict::EndsEarly),
    row(&[Seal],                            Some(false), Some(true),  Some(true),  Verdict::FinishSwitch),
    row(&[Seal],                            Some(false), Some(true),  Some(false), Verdict::NotYet),
    row(&[Seal],                            Some(true),  Some(true),  None,        Verdict::EndsEarly),
    row(&[Unfinished, Short, Bad, Broken],  Some(false), Some(true),  Some(true),  Verdict::Drop),
    row(&[Unfinished, Short, Bad, Broken],  Some(false), Some(true),  Some(false), Verdict::NotYet),
    row(&[Unfinished, Short],               Some(true),  Some(true),  None,        Verdict::EndsEarly),
    row(&[Bad, Broken],                     Some(true),  Some(true),  None,        Verdict::Damaged),
    row(&[Shrunk],                          Some(false), Some(true),  None,        Verdict::Lost),
    row(&[Shrunk],                          Some(true),  Some(true),  None,        Verdict::EndsEarly),
    row(&[Clean, Seal, Unfinished, Short],  None,        Some(false), None,        Verdict::Gap),
    row(&[Bad, Broken, Shrunk],             None,        Some(false), None,        Verdict::Gap),
    row(&[Future],                          None,        None,        None,        Verdict::Newer),
];

impl Row {
    fn matches(&self, facts: Facts) -> bool {
        self.stops.contains(&facts.stop)
            && self.before_mark.is_none_or(|value| value == facts.before_mark)
            && self.last.is_none_or(|value| value == facts.last)
            && self.locked.is_none_or(|value| value == facts.locked)
    }
}

/// The verdict on the facts. Without a row, which a test rules out, nothing is touched.
pub(super) fn verdict(facts: Facts) -> Verdict {
    TABLE.iter().find(|row| row.matches(facts)).map_or(Verdict::Damaged, |row| row.verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPS: [Stop; 8] = [Clean, Seal, Unfinished, Short, Bad, Broken, Shrunk, Future];

    fn every() -> impl Iterator<Item = Facts> {
        STOPS.into_iter().flat_map(|stop| {
            (0..8).map(move |bits| Facts {
                stop,
                before_mark: bits & 1 != 0,
                last: bits & 2 != 0,
                locked: bits & 4 != 0,
            })
        })
    }

    #[test]
    fn every_combination_of_facts_matches_exactly_one_row() {
        for facts in every() {
            assert_eq!(TABLE.iter().filter(|row| row.matches(facts)).count(), 1, "{facts:?}");
        }
        for (i, row) in TABLE.iter().enumerate() {
            assert!(every().any(|facts| row.matches(facts)), "row {i} matches nothing");
        }
    }

    #[test]
    fn nothing_before_the_mark_is_ever_taken_dropped_or_waited_for() {
        for facts in every().filter(|facts| facts.before_mark) {
            let verdict = verdict(facts);
            assert!(verdict >= Verdict::Damaged, "{facts:?} is {verdict:?}");
        }
    }

    #[test]
    fn only_the_last_segment_behind_the_mark_and_under_the_lock_is_changed() {
        for facts in every() {
            if matches!(verdict(facts), Verdict::Drop | Verdict::FinishSwitch) {
                assert!(facts.locked && facts.last && !facts.before_mark, "{facts:?}");
            }
        }
    }

    #[test]
    fn without_the_lock_a_bad_tail_is_not_yet() {
        for facts in every().filter(|facts| !facts.locked && facts.last && !facts.before_mark) {
            let expected = match facts.stop {
                Clean => Verdict::Whole,
                Shrunk => Verdict::Lost,
                Future => Verdict::Newer,
                _ => Verdict::NotYet,
            };
            assert_eq!(verdict(facts), expected, "{facts:?}");
        }
    }
}
