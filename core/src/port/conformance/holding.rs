//! J7 to J10: snapshots, the floor, the identity, and that every call answers.

use alloc::{format, vec, vec::Vec};

use super::{Check, Checked, Ground, Miss, broken, draft, filled, hold, read, read_all, same};
use crate::{
    error::{Code, Error, Kind, Result},
    id::{Author, Position, Revision, TaskId},
    port::{AppendError, Journal, SnapshotName, Tail, under_name},
};

pub(super) const CHECKS: &[Check] = &[
    ("J7", "a published snapshot comes back as it was, also through another handle", publish),
    ("J7", "a snapshot that could not be produced is not there", failing_producer),
    ("J7", "snapshots are listed newest first, by the revision of their end", newest_first),
    ("J7", "a removed snapshot is gone", remove),
    ("J8", "letting go raises the floor to the beginning of an entry at or before the one asked", raise),
    ("J8", "the floor is never lowered, and another handle sees it", never_lowered),
    ("J8", "letting go at any place keeps a journal that can be read and appended to", anywhere),
    ("J9", "the identity stays the same in every handle, through appends, snapshots and letting go", identity),
    ("J9", "two journals have two identities", two_identities),
    ("J9", "a recreated store has another identity, and the old handle learns that it was replaced", recreated),
    ("J10", "calls with absurd arguments answer", absurd),
    ("J10", "closing answers, and what was appended is there for the next handle", close),
];

fn name(end: u64, author: u64) -> SnapshotName {
    SnapshotName { end: Revision(end), author: Author(author) }
}

fn put(journal: &mut dyn Journal, name: SnapshotName, pieces: &[Vec<u8>]) -> Result<()> {
    let mut pieces = pieces.iter();
    journal.publish_snapshot(&mut under_name(name, || Ok(pieces.next().cloned())))
}

fn get(journal: &mut dyn Journal, name: SnapshotName) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    journal.read_snapshot(name, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

fn publish(ground: &mut dyn Ground) -> Checked {
    let (mut journal, _) = filled(ground, &[10, 10])?;
    let pieces = [vec![1; 10], vec![], vec![2; 100_000], vec![3]];
    put(&mut *journal, name(2, 5), &pieces)?;
    let whole = pieces.concat();
    hold(get(&mut *journal, name(2, 5))? == whole, || "it came back changed".into())?;
    let mut second = journal.reopen()?;
    same("the list in another handle", &second.snapshots()?, &vec![name(2, 5)])?;
    hold(get(&mut *second, name(2, 5))? == whole, || "it came back changed through another handle".into())?;
    let stopped = second.read_snapshot(name(2, 5), &mut |_| Err(Error::new(Code::Cancelled, "enough")));
    same("the visitor's own error", &stopped.map_err(|error| error.code()), &Err(Code::Cancelled))
}

fn failing_producer(ground: &mut dyn Ground) -> Checked {
    let (mut journal, _) = filled(ground, &[10])?;
    let mut calls = 0;
    let answer = journal.publish_snapshot(&mut under_name(name(1, 5), || {
        calls += 1;
        if calls == 3 { Err(Error::new(Code::Cancelled, "enough")) } else { Ok(Some(vec![7; 5000])) }
    }));
    same("the producer's own error", &answer.map_err(|error| error.code()), &Err(Code::Cancelled))?;
    same("the list", &journal.snapshots()?, &vec![])?;
    same("the list in another handle", &journal.reopen()?.snapshots()?, &vec![])?;
    // It can be published later, under the same name.
    put(&mut *journal, name(1, 5), &[vec![8]])?;
    same("what was published later", &get(&mut *journal, name(1, 5))?, &vec![8])
}

fn newest_first(ground: &mut dyn Ground) -> Checked {
    let (mut journal, _) = filled(ground, &[10; 12])?;
    for (end, author) in [(9, 1), (12, 3), (10, 9), (2, 4), (12, 8)] {
        put(&mut *journal, name(end, author), &[vec![end as u8, author as u8]])?;
    }
    let listed = journal.snapshots()?;
    let ends: Vec<u64> = listed.iter().map(|name| name.end.0).collect();
    same("the revisions in the list", &ends, &vec![12, 12, 10, 9, 2])?;
    for name in listed {
        same("a snapshot", &get(&mut *journal, name)?, &vec![name.end.0 as u8, name.author.0 as u8])?;
    }
    Ok(())
}

fn remove(ground: &mut dyn Ground) -> Checked {
    let (mut journal, _) = filled(ground, &[10, 10])?;
    put(&mut *journal, name(1, 5), &[vec![1]])?;
    put(&mut *journal, name(2, 5), &[vec![2]])?;
    journal.remove_snapshot(name(1, 5))?;
    same("the list", &journal.reopen()?.snapshots()?, &vec![name(2, 5)])?;
    let gone = get(&mut *journal, name(1, 5)).map_err(|error| error.code());
    same("reading it", &gone, &Err(Code::NotFound))
}

/// 64 entries that are durable, and the tails before each of them and behind all.
fn durable(ground: &mut dyn Ground) -> Result<(alloc::boxed::Box<dyn Journal>, Vec<Tail>), Miss> {
    let (mut journal, tails) = filled(ground, &[400; 64])?;
    let synced = journal.syncer().sync()?;
    journal.note_synced(&synced);
    Ok((journal, tails))
}

fn raise(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = durable(ground)?;
    let asked = tails[60];
    journal.truncate_before(asked.position)?;
    let floor = journal.floor()?;
    hold(floor.position <= asked.position, || format!("asked for {}, raised to {}", asked.position, floor.position))?;
    if floor.position <= tails[0].position {
        return Err(Miss::Skipped("the journal let go of nothing among 64 entries of 400 bytes".into()));
    }
    // Between two entries there may be more than one position, but only one revision.
    let Some(before) = tails.iter().find(|tail| tail.revision == floor.revision) else {
        return broken(format!("the floor {floor:?} is no place between two entries"));
    };
    same("the next id at the floor", &floor.next_id, &before.next_id)?;
    let (entries, tail) = read(&mut *journal, &floor)?;
    same("the entries that are left", &(entries.len() as u64), &(64 - floor.revision.0))?;
    same("the tail", &tail, &tails[64])?;
    same("the floor in the stats", &journal.stats()?.floor, &floor.position)
}

fn never_lowered(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = durable(ground)?;
    let mut second = journal.reopen()?;
    journal.truncate_before(tails[60].position)?;
    let floor = journal.floor()?;
    same("the floor in another handle", &second.floor()?, &floor)?;
    for earlier in [Position(0), tails[0].position, tails[30].position] {
        journal.truncate_before(earlier)?;
        second.truncate_before(earlier)?;
        same("the floor after less was asked for", &journal.floor()?, &floor)?;
    }
    same("the floor in a new handle", &journal.reopen()?.floor()?, &floor)
}

fn anywhere(ground: &mut dyn Ground) -> Checked {
    for asked in [1, 2, 33, 63, 64] {
        let (mut journal, tails) = durable(ground)?;
        // Also between two entries, and beyond the last.
        for off in [0, 1] {
            journal.truncate_before(Position(tails[asked].position.0 + off))?;
            let floor = journal.floor()?;
            hold(floor.position.0 <= tails[asked].position.0 + off, || {
                format!("asked for {} + {off}, raised to {}", tails[asked].position, floor.position)
            })?;
            same("the tail from the floor", &read(&mut *journal, &floor)?.1, &tails[64])?;
        }
        let behind = journal.append(&tails[64], &[draft(&tails[64], 20)])?;
        same("the tail that a new handle reads", &read_all(&mut *journal.reopen()?)?.1, &behind)?;
    }
    Ok(())
}

fn identity(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = durable(ground)?;
    let first = journal.identity();
    put(&mut *journal, name(64, 5), &[vec![1]])?;
    journal.truncate_before(tails[60].position)?;
    same("the identity later", &journal.identity(), &first)?;
    same("the identity of another handle", &journal.reopen()?.identity(), &first)
}

fn two_identities(ground: &mut dyn Ground) -> Checked {
    let (one, two) = (ground.fresh()?, ground.fresh()?);
    hold(one.identity() != two.identity(), || format!("both are {}", one.identity()))
}

fn recreated(ground: &mut dyn Ground) -> Checked {
    let (mut old, tails) = filled(ground, &[10, 10])?;
    let Some(new) = ground.recreate() else {
        return Err(Miss::Skipped("this ground can't remove a store and make another in its place".into()));
    };
    let mut new = new?;
    hold(new.identity() != old.identity(), || format!("both are {}", old.identity()))?;
    let begin = read_all(&mut *new)?.1;
    same("the new store's revision", &begin.revision, &Revision(0))?;
    // As far as before, so that positions and revisions alone tell nothing.
    let mut tail = begin;
    for _ in 0..2 {
        tail = new.append(&tail, &[draft(&tail, 10)])?;
    }
    match old.append(&tails[2], &[draft(&tails[2], 20)]) {
        Err(AppendError::Refused(error)) if error.kind() == Kind::Fenced => {}
        other => return broken(format!("the old handle's append was answered {other:?}")),
    }
    match read(&mut *old, &tails[2]) {
        Err(error) if error.kind() == Kind::Fenced => {}
        other => return broken(format!("the old handle's read was answered {other:?}")),
    }
    same("the new store's tail", &read_all(&mut *new)?.1, &tail)
}

fn absurd(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 10])?;
    let last = tails[2];
    let most = Tail {
        position: Position(u64::MAX),
        revision: Revision(u64::MAX - 1),
        next_id: TaskId(u64::MAX - 1),
        link: u32::MAX,
    };
    let zero = Tail { position: Position(0), revision: Revision(0), next_id: TaskId(0), link: 0 };
    let between = Tail { position: Position(last.position.0.saturating_sub(1)), ..last };
    for at in [most, zero, between, Tail { revision: Revision(u64::MAX - 1), ..last }] {
        // An answer of either sort will do; that nothing was added is checked below.
        let _ = read(&mut *journal, &at);
        if let Ok(tail) = journal.append(&at, &[draft(&at, 5)]) {
            return broken(format!("an append at {at:?} was taken, and answered {tail:?}"));
        }
    }
    same("reading a snapshot that never was", &get(&mut *journal, name(u64::MAX, 0)).is_err(), &true)?;
    let _ = journal.remove_snapshot(name(u64::MAX, u64::MAX));
    journal.truncate_before(Position(0))?;
    let _ = journal.truncate_before(Position(u64::MAX));
    let floor = journal.floor()?;
    same("the tail", &read(&mut *journal, &floor)?.1, &last)?;
    journal.stats().map(drop).map_err(Miss::from)
}

fn close(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 3000])?;
    let mut second = journal.reopen()?;
    journal.close()?;
    let _ = journal.close();
    let (_, tail) = read_all(&mut *second)?;
    same("the tail that another handle reads", &tail, &tails[2])?;
    let durable = second.durable();
    hold(durable >= tail.position, || format!("the tail is {}, durable {durable}", tail.position))
}
