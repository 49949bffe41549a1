//! J6: syncs, and how far the journal is durable.

use alloc::format;

use super::{Check, Checked, Ground, WAIT, draft, filled, hold, holds, read, read_all, same};
use crate::error::{Code, Error};

pub(super) const CHECKS: &[Check] = &[
    ("J6", "a sync covers all that was appended before it was made", covers),
    ("J6", "a sync behind a read that failed covers what the read had given", half_read),
    ("J6", "a sync runs beside appends, and does not claim them", beside_appends),
    ("J6", "what was made durable is never less than before", never_less),
    ("J6", "another handle learns what is durable", shared),
    ("J6", "healing a journal that is well keeps every entry, and makes them durable", heal),
];

fn covers(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 3000])?;
    let synced = journal.syncer().sync()?;
    hold(synced.position >= tails[2].position, || {
        format!("the tail was {}, and the sync covered {}", tails[2].position, synced.position)
    })?;
    journal.note_synced(&synced);
    let durable = journal.durable();
    hold(durable >= tails[2].position, || format!("the tail was {}, durable is {durable}", tails[2].position))?;
    same("durable in the stats", &journal.stats()?.durable, &durable)
}

fn half_read(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    // So that the second one, for all that it knows, has nothing to sync.
    let synced = journal.syncer().sync()?;
    journal.note_synced(&synced);
    let mut second = journal.reopen()?;
    let from = tails[1];
    let first = journal.append(&from, &[draft(&from, 10)])?;
    journal.append(&first, &[draft(&first, 10)])?;
    let mut given = from;
    let read = second.read(&from, &mut |stored| {
        if given.revision > from.revision {
            return Err(Error::new(Code::Cancelled, "enough"));
        }
        given = stored.tail;
        Ok(())
    });
    same("the visitor's own error", &read.map(drop).map_err(|error| error.code()), &Err(Code::Cancelled))?;
    same("what was given", &given, &first)?;
    let synced = second.syncer().sync()?;
    hold(synced.position >= given.position, || format!("given up to {}, covered {}", given.position, synced.position))?;
    journal.note_synced(&synced);
    holds(&mut *journal, &first, &[draft(&first, 10)])
}

fn beside_appends(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    let mut ready = journal.syncer();
    let entry = draft(&tails[1], 20);
    let behind = journal.append(&tails[1], core::slice::from_ref(&entry))?;
    let synced = ready.sync()?;
    hold((tails[1].position..=behind.position).contains(&synced.position), || {
        format!("made at {}, run at {}, and covered {}", tails[1].position, behind.position, synced.position)
    })?;
    journal.note_synced(&synced);
    let synced = journal.syncer().sync()?;
    hold(synced.position >= behind.position, || format!("the next one covered only {}", synced.position))?;
    holds(&mut *journal, &tails[1], &[entry])
}

fn never_less(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10])?;
    let mut early = journal.syncer();
    let behind = journal.append(&tails[1], &[draft(&tails[1], 20)])?;
    let late = journal.syncer().sync()?;
    journal.note_synced(&late);
    let before = journal.durable();
    let early = early.sync()?;
    journal.note_synced(&early);
    let after = journal.durable();
    hold(after >= before && after >= behind.position, || format!("durable was {before} and is {after}"))
}

fn shared(ground: &mut dyn Ground) -> Checked {
    let (mut one, tails) = filled(ground, &[10, 10])?;
    let mut two = one.reopen()?;
    let synced = one.syncer().sync()?;
    one.note_synced(&synced);
    read_all(&mut *two)?;
    let durable = two.durable();
    hold(durable >= tails[2].position, || format!("the tail is {}, durable {durable}", tails[2].position))
}

fn heal(ground: &mut dyn Ground) -> Checked {
    let (mut journal, tails) = filled(ground, &[10, 3000, 10])?;
    let revisions = |journal: &mut dyn super::Journal| {
        read_all(journal).map(|(entries, _)| entries.iter().map(|entry| entry.tail.revision.0).collect())
    };
    journal.heal(WAIT)?;
    let tail = read_all(&mut *journal)?.1;
    same("the revisions", &revisions(&mut *journal)?, &alloc::vec![1, 2, 3])?;
    same("the next id", &tail.next_id, &tails[3].next_id)?;
    let durable = journal.durable();
    hold(durable >= tail.position, || format!("the tail is {}, durable {durable}", tail.position))?;
    let entry = draft(&tail, 20);
    journal.append(&tail, core::slice::from_ref(&entry))?;
    holds(&mut *journal, &tail, &[entry])?;
    let mut second = journal.reopen()?;
    same("the tail that a new handle reads", &read_all(&mut *second)?.1, &read(&mut *journal, &tail)?.1)
}
