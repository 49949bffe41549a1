//! J4: reads.

use alloc::{format, vec::Vec};

use super::{Check, Checked, Ground, Miss, broken, draft, drafts, filled, hold, holds, read, read_all, same};
use crate::{
    entry::EntryKind,
    error::{Code, Error},
    id::Author,
    port::{Draft, Tail},
};

pub(super) const CHECKS: &[Check] = &[
    ("J4", "entries of every kind come back as they were, each once and in order", every_kind),
    ("J4", "a read from any tail gives exactly what came after it", from_anywhere),
    ("J4", "a read at the end gives nothing and the same tail", at_the_end),
    ("J4", "a second handle reads what the first one appended", second_handle),
    ("J4", "a read below the floor answers truncated, never an empty list", below_the_floor),
    ("J4", "a read from a tail of another history is refused", other_history),
    ("J4", "an error of the visitor ends the read and is given back", failing_visitor),
    ("J4", "no entry claims to be durable beyond its own place", durable_marks),
];

fn every_kind(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[])?;
    let kinds = [
        EntryKind::Transaction,
        EntryKind::HandOff,
        EntryKind::Release,
        EntryKind::SnapshotBegun,
        EntryKind::Upgrade,
        EntryKind::Noop,
    ];
    let mut entries = drafts(&tails[0], &[5, 0, 1, 56, 57, 4096]);
    for (i, (entry, kind)) in entries.iter_mut().zip(kinds).enumerate() {
        (entry.kind, entry.author) = (kind, Author(u64::MAX - i as u64));
    }
    // The same next id twice is no fault: an entry need not add a task.
    entries[5].next_id = entries[4].next_id;
    journal.append(&tails[0], &entries)?;
    holds(&mut *journal, &tails[0], &entries)
}

fn from_anywhere(ground: &mut dyn Ground) -> Checked {
    let lens = [10, 0, 3000, 1, 70_000, 400, 400];
    let (mut journal, tails) = filled(ground, &lens)?;
    let entries: Vec<Draft> = tails.iter().zip(lens).map(|(tail, len)| draft(tail, len)).collect();
    for (i, tail) in tails.iter().enumerate() {
        holds(&mut *journal, tail, &entries[i.min(entries.len())..])?;
    }
    let all = read_all(&mut *journal)?.0;
    let behind: Vec<Tail> = all.iter().map(|entry| entry.tail).collect();
    same("the tails behind the entries", &behind, &tails[1..].to_vec())?;
    let positions: Vec<_> = all.iter().map(|entry| entry.position).collect();
    hold(positions.windows(2).all(|pair| pair[0] < pair[1]), || format!("the positions do not grow: {positions:?}"))?;
    for (entry, before) in all.iter().zip(&tails) {
        hold(entry.position >= before.position && entry.position < entry.tail.position, || {
            format!("the entry of revision {} stands outside its own place", entry.tail.revision)
        })?;
    }
    Ok(())
}

fn at_the_end(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    for _ in 0..3 {
        holds(&mut *journal, &tails[2], &[])?;
    }
    let mut empty = ground.fresh()?;
    let floor = empty.floor()?;
    same("an empty journal's tail", &read_all(&mut *empty)?.1, &floor)
}

fn second_handle(ground: &mut dyn Ground) -> Checked {
    let (mut one, tails) = filled(ground, &[10])?;
    let mut two = one.reopen()?;
    let first = draft(&tails[1], 20);
    let behind = one.append(&tails[1], core::slice::from_ref(&first))?;
    holds(&mut *two, &tails[1], core::slice::from_ref(&first))?;
    let second = draft(&behind, 3000);
    one.append(&behind, core::slice::from_ref(&second))?;
    holds(&mut *two, &behind, core::slice::from_ref(&second))?;
    holds(&mut *two, &tails[1], &[first, second])
}

fn below_the_floor(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[400; 64])?;
    let mut lagging = journal.reopen()?;
    read(&mut *lagging, &tails[0])?;
    let synced = journal.syncer().sync()?;
    journal.note_synced(&synced);
    journal.truncate_before(tails[60].position)?;
    let floor = journal.floor()?;
    if floor.position <= tails[0].position {
        return Err(Miss::Skipped("the journal let go of nothing among 64 entries of 400 bytes".into()));
    }
    for handle in [&mut lagging, &mut journal] {
        for old in tails.iter().filter(|tail| tail.position < floor.position) {
            match read(&mut **handle, old) {
                Err(error) if error.code() == Code::Truncated => {}
                other => return broken(format!("below the floor, at {old:?}: {other:?}")),
            }
        }
    }
    Ok(())
}

fn other_history(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10, 10])?;
    let mut second = journal.reopen()?;
    let other = Tail { link: tails[1].link ^ 1, ..tails[1] };
    for handle in [&mut journal, &mut second] {
        if let Ok((entries, _)) = read(&mut **handle, &other) {
            return broken(format!("it gave {} entries behind a tail with another checksum", entries.len()));
        }
        // The refusal must not have spoilt the handle.
        same("the tail read afterwards", &read(&mut **handle, &tails[0])?.1, &tails[3])?;
    }
    Ok(())
}

fn failing_visitor(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10, 10])?;
    let mut seen = 0;
    let answer = journal.read(&tails[0], &mut |_| {
        seen += 1;
        if seen == 2 { Err(Error::new(Code::Cancelled, "enough")) } else { Ok(()) }
    });
    match answer {
        Err(error) if error.code() == Code::Cancelled => {}
        other => return broken(format!("expected the visitor's own error, found {other:?}")),
    }
    same("how many entries were visited", &seen, &2)?;
    same("the tail read afterwards", &read(&mut *journal, &tails[0])?.1, &tails[3])
}

fn durable_marks(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    let synced = journal.syncer().sync()?;
    journal.note_synced(&synced);
    journal.append(&tails[2], &drafts(&tails[2], &[10, 10]))?;
    for entry in read(&mut *journal, &tails[0])?.0 {
        hold(entry.durable <= entry.position, || format!("at {}: durable {}", entry.position, entry.durable))?;
    }
    Ok(())
}
