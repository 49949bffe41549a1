//! J1 to J3 and J5: appends, and sections.

use alloc::{format, vec::Vec};

use super::{Check, Checked, Ground, ME, Miss, WAIT, broken, draft, drafts, filled, hold, holds, read, read_all, same};
use crate::{
    entry::EntryKind,
    error::{Code, Error},
    id::{Position, Revision, TaskId},
    port::{AppendError, Draft, Journal, Tail},
};

pub(super) const CHECKS: &[Check] = &[
    ("J1", "an append behind the last entry moves the tail", moves_the_tail),
    ("J1", "an append behind an entry that is no longer the last conflicts", stale),
    ("J1", "of two handles that append behind the same tail one wins and the other conflicts", two_handles),
    ("J1", "an append behind a tail with another checksum is refused", other_link),
    ("J1", "a read from a false tail at the end does not make that tail true", false_tail),
    ("J1", "an append beyond the tail is refused", beyond),
    ("J1", "an append at a truncated position is refused", truncated),
    ("J1", "a journal with nothing left but its floor takes an append there, and only there", at_the_floor),
    ("J2", "a batch is there as a whole and in order", batch),
    ("J2", "a batch that conflicts leaves nothing", conflicting_batch),
    ("J2", "an empty batch changes nothing", empty_batch),
    ("J2", "a batch that does not continue its own entries is refused as a whole", broken_batch),
    ("J2", "an entry of several megabytes is one entry", large),
    ("J3", "after a conflict, catching up and trying again commits", again),
    ("J5", "in a section, what was caught up with is what the append stands behind", section),
    ("J5", "sections of two handles in turn each see the other's entries", sections_in_turn),
    ("J5", "an error of the body is given back, and another section can run", failing_section),
];

fn moves_the_tail(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 0, 3000])?;
    for pair in tails.windows(2) {
        hold(pair[1].position > pair[0].position, || format!("the position does not grow: {pair:?}"))?;
        same("the revision", &pair[1].revision.0, &(pair[0].revision.0 + 1))?;
        same("the next id", &pair[1].next_id.0, &(pair[0].next_id.0 + 1))?;
    }
    same("a new journal's first revision", &tails[0].revision, &Revision(0))?;
    same("a new journal's next id", &tails[0].next_id, &TaskId(1))?;
    same("the tail that is read", &read_all(&mut *journal)?.1, &tails[3])
}

/// Refuses the journal unless `append` at `at` fails for sure, and leaves what stands behind `from` as it was.
fn refuses(journal: &mut dyn Journal, at: &Tail, from: &Tail) -> Checked {
    let before = read(journal, from)?;
    match journal.append(at, &[draft(at, 20)]) {
        Ok(tail) => return broken(format!("it was taken, and answered {tail:?}")),
        Err(AppendError::Unknown(error)) => return broken(format!("it was answered as unknown: {error:?}")),
        Err(AppendError::Conflict | AppendError::Refused(_)) => {}
    }
    same("what stands there afterwards", &read(journal, from)?, &before)
}

fn conflicts(answer: Result<Tail, AppendError>) -> Checked {
    match answer {
        Err(AppendError::Conflict) => Ok(()),
        other => broken(format!("expected a conflict, found {other:?}")),
    }
}

fn stale(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10, 10])?;
    for old in &tails[..3] {
        conflicts(journal.append(old, &[draft(old, 20)]))?;
    }
    same("the tail", &read_all(&mut *journal)?.1, &tails[3])
}

fn two_handles(ground: &mut dyn Ground) -> Checked {
    let (mut one, tails) = filled(ground, &[10])?;
    let mut two = one.reopen()?;
    same("the tail that the second handle reads", &read_all(&mut *two)?.1, &tails[1])?;
    let winner = draft(&tails[1], 20);
    one.append(&tails[1], core::slice::from_ref(&winner))?;
    conflicts(two.append(&tails[1], &[draft(&tails[1], 30)]))?;
    holds(&mut *two, &tails[1], core::slice::from_ref(&winner))?;
    holds(&mut *one, &tails[1], &[winner])
}

fn other_link(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    let other = Tail { link: tails[2].link ^ 1, ..tails[2] };
    refuses(&mut *journal, &other, &tails[0])?;
    // A handle that saw none of it must look, not trust.
    let mut second = journal.reopen()?;
    match second.append(&other, &[draft(&other, 20)]) {
        Err(AppendError::Conflict | AppendError::Refused(_)) => holds(&mut *journal, &tails[2], &[]),
        other => broken(format!("a second handle answered {other:?}")),
    }
}

fn false_tail(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    let falsified = [
        Tail { link: tails[2].link ^ 1, ..tails[2] },
        Tail { revision: Revision(tails[2].revision.0 + 5), ..tails[2] },
        Tail { next_id: TaskId(tails[2].next_id.0 - 1), ..tails[2] },
    ];
    let mut second = journal.reopen()?;
    for at in &falsified {
        for handle in [&mut journal, &mut second] {
            // Whether the read is refused, or gives nothing, is left open; that nothing stands behind it is not.
            let _ = read(&mut **handle, at);
            refuses(&mut **handle, at, &tails[0])?;
        }
    }
    let entry = draft(&tails[2], 20);
    second.append(&tails[2], core::slice::from_ref(&entry))?;
    holds(&mut *journal, &tails[2], &[entry])
}

fn beyond(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    for far in [1, 56, 1 << 20, u64::MAX - tails[2].position.0] {
        let position = Position(tails[2].position.0 + far);
        refuses(&mut *journal, &Tail { position, ..tails[2] }, &tails[0])?;
    }
    Ok(())
}

/// A journal whose floor was raised, its present tail, and a tail that lies before the floor.
fn with_floor(ground: &mut dyn Ground) -> Result<(alloc::boxed::Box<dyn Journal>, Tail, Tail), Miss> {
    let (journal, tails) = filled(ground, &[400; 64])?;
    let mut journal = journal;
    // Whoever lets go has made durable what it lets go of, and what comes after.
    let synced = journal.syncer().sync()?;
    journal.note_synced(&synced);
    journal.truncate_before(tails[60].position)?;
    let floor = journal.floor()?;
    match tails.iter().rfind(|tail| tail.position < floor.position) {
        Some(old) => Ok((journal, tails[64], *old)),
        None => Err(Miss::Skipped("the journal let go of nothing among 64 entries of 400 bytes".into())),
    }
}

fn truncated(ground: &mut dyn Ground) -> Checked {
    let (mut lagging, tails) = filled(ground, &[400; 4])?;
    let old = tails[4];
    let mut other = lagging.reopen()?;
    let mut tail = read_all(&mut *other)?.1;
    for _ in 0..60 {
        tail = other.append(&tail, &[draft(&tail, 400)])?;
    }
    let synced = other.syncer().sync()?;
    other.note_synced(&synced);
    other.truncate_before(tail.position)?;
    if other.floor()?.position <= old.position {
        return Err(Miss::Skipped("the journal let go of nothing among 64 entries of 400 bytes".into()));
    }
    match lagging.append(&old, &[draft(&old, 20)]) {
        Err(AppendError::Conflict | AppendError::Refused(_)) => {}
        other => return broken(format!("the lagging handle was answered {other:?}")),
    }
    match read(&mut *lagging, &old) {
        Err(error) if error.code() == Code::Truncated => {}
        other => return broken(format!("the lagging handle's read was answered {other:?}")),
    }
    same("the tail that another handle reads", &read_all(&mut *other)?.1, &tail)
}

fn at_the_floor(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tail, old) = with_floor(ground)?;
    journal.truncate_before(tail.position)?;
    let mut second = journal.reopen()?;
    refuses(&mut *second, &old, &tail)?;
    let floor = second.floor()?;
    if floor.position == tail.position {
        refuses(&mut *second, &Tail { link: floor.link ^ 1, ..floor }, &tail)?;
        same("the floor", &floor, &tail)?;
    }
    let entry = draft(&tail, 20);
    second.append(&tail, core::slice::from_ref(&entry))?;
    holds(&mut *journal, &tail, &[entry])
}

fn batch(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    let batch = drafts(&tails[1], &[0, 1, 500, 70_000, 3, 0]);
    let tail = journal.append(&tails[1], &batch)?;
    holds(&mut *journal, &tails[1], &batch)?;
    same("the tail answered", &read(&mut *journal, &tails[1])?.1, &tail)?;
    holds(&mut *journal.reopen()?, &tails[1], &batch)
}

fn conflicting_batch(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    conflicts(journal.append(&tails[1], &drafts(&tails[1], &[1, 2, 3])))?;
    holds(&mut *journal, &tails[2], &[])
}

fn empty_batch(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    same("the tail answered", &journal.append(&tails[1], &[])?, &tails[1])?;
    holds(&mut *journal, &tails[1], &[])
}

fn broken_batch(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    let mut gap = drafts(&tails[1], &[1, 2]);
    gap[1].revision.0 += 1;
    let mut back = drafts(&tails[1], &[1, 2]);
    back[1].next_id = TaskId(1);
    for batch in [gap, back] {
        match journal.append(&tails[1], &batch) {
            Err(AppendError::Refused(error)) if error.code() == Code::Internal => {}
            other => return broken(format!("expected it to be refused as internal, found {other:?}")),
        }
        holds(&mut *journal, &tails[1], &[])?;
    }
    Ok(())
}

fn large(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    let entries = drafts(&tails[1], &[3_000_001, 9]);
    journal.append(&tails[1], &entries)?;
    holds(&mut *journal, &tails[1], &entries)?;
    holds(&mut *journal.reopen()?, &tails[1], &entries)
}

fn again(ground: &mut dyn Ground) -> Checked {
    let (mut one, tails) = filled(ground, &[10])?;
    let mut two = one.reopen()?;
    let first = draft(&tails[1], 20);
    let behind = one.append(&tails[1], core::slice::from_ref(&first))?;
    conflicts(two.append(&tails[1], &[draft(&tails[1], 30)]))?;
    same("the tail caught up with", &read(&mut *two, &tails[1])?.1, &behind)?;
    let second = draft(&behind, 30);
    two.append(&behind, core::slice::from_ref(&second))?;
    holds(&mut *one, &tails[1], &[first, second])
}

fn section(ground: &mut dyn Ground) -> Checked {
    let (mut one, tails) = filled(ground, &[10])?;
    let mut two = one.reopen()?;
    one.append(&tails[1], &[draft(&tails[1], 20)])?;
    let mut answer = None;
    two.section(WAIT, &mut |journal| {
        let tail = read(journal, &tails[1])?.1;
        answer = Some(journal.append(&tail, &[draft(&tail, 30)]));
        Ok(())
    })?;
    match answer {
        Some(Ok(tail)) => same("the tail", &read_all(&mut *one)?.1, &tail),
        Some(Err(error)) => Err(error.into()),
        None => broken("the body was not run"),
    }
}

fn sections_in_turn(ground: &mut dyn Ground) -> Checked {
    let (one, tails) = filled(ground, &[10])?;
    let two = one.reopen()?;
    let mut handles = [(one, tails[1]), (two, tails[1])];
    let mut all: Vec<Draft> = Vec::new();
    for turn in 0..12 {
        let (journal, tail) = &mut handles[turn % 2];
        let mut failed = None;
        journal.section(WAIT, &mut |journal| {
            *tail = read(journal, tail)?.1;
            let entry = Draft { kind: EntryKind::Noop, author: ME, ..draft(tail, turn) };
            match journal.append(tail, core::slice::from_ref(&entry)) {
                Ok(behind) => *tail = behind,
                Err(error) => failed = Some(error),
            }
            all.push(entry);
            Ok(())
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    holds(&mut *handles[0].0, &tails[1], &all)
}

fn failing_section(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    match journal.section(WAIT, &mut |_| Err(Error::new(Code::Cancelled, "enough"))) {
        Err(error) if error.code() == Code::Cancelled => {}
        other => return broken(format!("expected the body's own error, found {other:?}")),
    }
    let mut second = journal.reopen()?;
    let mut runs = 0;
    for journal in [&mut second, &mut journal] {
        journal.section(WAIT, &mut |journal| {
            runs += 1;
            read(journal, &tails[1]).map(drop)
        })?;
    }
    same("how often another body was run", &runs, &2)
}
