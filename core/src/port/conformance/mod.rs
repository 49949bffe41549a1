//! One suite that runs every journal against the contracts of the [port](super).
//!
//! A journal's test gives the suite a [`Ground`] to make journals on, and asserts what comes out:
//!
//! ```ignore
//! let findings = conformance::run(&mut MyGround);
//! conformance::assert_kept(&findings, &[]);
//! ```
//!
//! A check that a ground can't carry out (a journal that never lets go of anything, say) is told apart from one that
//! passed: [`Verdict::Skipped`]. `assert_kept` takes the list of those that may be.

mod appending;
mod holding;
mod reading;
mod syncing;

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use core::fmt;

use super::{AppendError, Draft, Journal, Tail};
use crate::{
    entry::EntryKind,
    error::{Error, Result},
    id::{Author, Position, Revision, TaskId},
};

/// Where journals are made for the suite.
pub trait Ground {
    /// A new, empty journal, unlike all before it. Where the journal lets go of entries only in segments, it should
    /// be made with small ones (a few KiB), so that the suite can see it let go.
    fn fresh(&mut self) -> Result<Box<dyn Journal>>;

    /// Removes the store behind the last fresh journal, makes a new one in its place, and opens that. `None` where the
    /// ground can't.
    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        None
    }
}

/// What came of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The contract is kept.
    Kept,
    /// It is broken: how.
    Broken(String),
    /// The ground could not carry it out: why.
    Skipped(String),
}

/// One check, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The number of the contract: `J1`.
    pub contract: &'static str,
    /// What was checked, as a statement.
    pub statement: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.contract, self.statement)?;
        match &self.verdict {
            Verdict::Kept => f.write_str("kept"),
            Verdict::Broken(how) => write!(f, "BROKEN: {how}"),
            Verdict::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

/// Runs every check on journals of its own.
pub fn run(ground: &mut dyn Ground) -> Vec<Finding> {
    (0..).map_while(|number| check(number, ground)).collect()
}

/// Runs one check, by its number from 0; `None` behind the last one.
pub fn check(number: usize, ground: &mut dyn Ground) -> Option<Finding> {
    let all = [appending::CHECKS, reading::CHECKS, syncing::CHECKS, holding::CHECKS];
    let (contract, statement, check) = *all.into_iter().flatten().nth(number)?;
    let verdict = match check(ground) {
        Ok(()) => Verdict::Kept,
        Err(Miss::Broken(how)) => Verdict::Broken(how),
        Err(Miss::Skipped(why)) => Verdict::Skipped(why),
    };
    Some(Finding { contract, statement, verdict })
}

/// Panics with every broken contract, and with every check that was skipped and is not among `may_skip` (statements).
pub fn assert_kept(findings: &[Finding], may_skip: &[&str]) {
    let faults: Vec<String> = findings
        .iter()
        .filter(|finding| match finding.verdict {
            Verdict::Kept => false,
            Verdict::Broken(_) => true,
            Verdict::Skipped(_) => !may_skip.contains(&finding.statement),
        })
        .map(|finding| format!("{finding}"))
        .collect();
    assert!(faults.is_empty(), "the journal breaks the port's contracts:\n{}", faults.join("\n"));
}

/// Number of the contract, statement, and the check.
type Check = (&'static str, &'static str, fn(&mut dyn Ground) -> Checked);

/// How a check ends.
type Checked = Result<(), Miss>;

/// Why a check did not pass.
enum Miss {
    Broken(String),
    Skipped(String),
}

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        Self::Broken(format!("a call that must work answered {error:?}"))
    }
}

impl From<AppendError> for Miss {
    fn from(error: AppendError) -> Self {
        Self::Broken(format!("an append that must work answered {error:?}"))
    }
}

fn broken<T>(how: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Broken(how.into()))
}

/// Refuses the journal unless `kept`.
fn hold(kept: bool, how: impl FnOnce() -> String) -> Checked {
    if kept { Ok(()) } else { Err(Miss::Broken(how())) }
}

fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Checked {
    hold(found == expected, || format!("{what}: expected {expected:?}, found {found:?}"))
}

/// The author of the suite's entries.
const ME: Author = Author(7);

/// Milliseconds that a section may wait; nothing here holds one for long.
const WAIT: u64 = 10_000;

/// An entry that continues `tail`, with a payload of `len` bytes that no other entry has.
fn draft(tail: &Tail, len: usize) -> Draft {
    let revision = tail.revision.0 + 1;
    let payload = (0..len as u64).map(|i| (revision.wrapping_mul(131) ^ i.wrapping_mul(7)) as u8).collect();
    Draft {
        kind: EntryKind::Transaction,
        revision: Revision(revision),
        next_id: TaskId(tail.next_id.0 + 1),
        author: ME,
        payload,
    }
}

/// Entries that continue `tail`, one behind the other.
fn drafts(tail: &Tail, lens: &[usize]) -> Vec<Draft> {
    let mut at = *tail;
    lens.iter()
        .map(|len| {
            let draft = draft(&at, *len);
            (at.revision, at.next_id) = (draft.revision, draft.next_id);
            draft
        })
        .collect()
}

/// An entry as it came back, with its payload.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    kind: EntryKind,
    author: Author,
    position: Position,
    durable: Position,
    tail: Tail,
    payload: Vec<u8>,
}

/// What stands behind `from`, and the tail behind that.
fn read(journal: &mut dyn Journal, from: &Tail) -> Result<(Vec<Seen>, Tail)> {
    let mut entries = vec![];
    let tail = journal.read(from, &mut |stored| {
        entries.push(Seen {
            kind: stored.kind,
            author: stored.author,
            position: stored.position,
            durable: stored.durable,
            tail: stored.tail,
            payload: stored.payload.into(),
        });
        Ok(())
    })?;
    Ok((entries, tail))
}

/// Everything in the journal, and the tail behind it.
fn read_all(journal: &mut dyn Journal) -> Result<(Vec<Seen>, Tail)> {
    let floor = journal.floor()?;
    read(journal, &floor)
}

/// A fresh journal with one entry of each length, one append each; and the tails before each of them and behind all.
fn filled(ground: &mut dyn Ground, lens: &[usize]) -> Result<(Box<dyn Journal>, Vec<Tail>), Miss> {
    let mut journal = ground.fresh()?;
    let mut tail = read_all(&mut *journal)?.1;
    let mut tails = vec![tail];
    for len in lens {
        tail = journal.append(&tail, &[draft(&tail, *len)])?;
        tails.push(tail);
    }
    Ok((journal, tails))
}

/// Refuses the journal unless exactly these entries stand behind `from`.
fn holds(journal: &mut dyn Journal, from: &Tail, drafts: &[Draft]) -> Checked {
    let (entries, tail) = read(journal, from)?;
    let found: Vec<_> = entries.iter().map(|e| (e.kind, e.author, e.tail.revision, e.tail.next_id)).collect();
    let expected: Vec<_> = drafts.iter().map(|d| (d.kind, d.author, d.revision, d.next_id)).collect();
    same("the entries", &found, &expected)?;
    let same_bytes = entries.iter().zip(drafts).all(|(entry, draft)| entry.payload == draft.payload);
    hold(same_bytes, || "a payload came back changed".into())?;
    same("the tail behind the entries", &tail, &entries.last().map_or(*from, |entry| entry.tail))
}
