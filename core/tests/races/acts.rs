//! What users of a store do.

use tenure_core::{
    Add, Claim, Code, Delete, Error, Request, Result, Task,
    bytelog::ByteLog,
    driver::{Driver, Prepared, overtaken, prune},
    engine::{Engine, Stage},
    entry::Reason,
    port::{AppendError, Journal as _, Piece, SnapshotName},
    snapshot::pack,
    testing::{Lost, SimDisk},
    txn::Ask,
};

use super::{
    NOW, STORE, User, World,
    baton::{Dice, pass_before_each_call},
    open, options, setup,
};

/// One thing, as the dice say; a user who has not opened the store does that.
pub fn act(world: &World, who: usize, user: &mut User, disk: &SimDisk, dice: &mut Dice) -> Result<()> {
    let User { open: opened, held } = user;
    let Some((_, driver)) = opened else {
        *opened = Some((disk.handle(), open(disk.handle(), world.number(), false)?));
        return Ok(());
    };
    let ask = |driver: &mut Driver, ask: Ask<'_>| driver.ask(ask, &|| NOW).map(|done| done.committed.tasks);
    match dice.throw(16) {
        0..4 => {
            let add = Add { group: "a".into(), data: vec![7; dice.throw(300) as usize].into(), ..Add::default() };
            let adds = vec![add; 1 + dice.throw(4) as usize];
            let request = Request { adds, ..Request::default() };
            // Several requests make as many entries in one append.
            let asks = vec![Ask::Update(&request); 1 + dice.throw(3) as usize];
            driver.run(&asks, &|| NOW).into_iter().try_for_each(|done| done.map(drop))
        }
        4 => {
            let claim = Claim { groups: vec!["a".into()], lease: 1000, limit: 3, ..Claim::default() };
            held.extend(ask(driver, Ask::Claim(&claim))?);
            Ok(())
        }
        5 if !held.is_empty() => {
            let delete = |task: &Task| Delete { id: task.id, reason: Reason::Finished, ..Delete::default() };
            let deletes = held.iter().map(delete).collect();
            ask(driver, Ask::Update(&Request { deletes, ..Request::default() }))?;
            held.clear();
            Ok(())
        }
        6 => {
            let revision = driver.engine().tail().revision.0;
            sync(driver)?;
            let mut known = world.known.lock().unwrap();
            known.durable = known.durable.max(revision);
            Ok(())
        }
        8 => {
            world.disk.fail_syncs(1 + dice.throw(2), Lost::Medium);
            Ok(())
        }
        9 if driver.engine().state().exclusive() == driver.engine().author() => driver.release(&|| NOW).map(drop),
        9 if dice.throw(3) == 0 => {
            driver.control(&|| NOW, &mut |engine, now| engine.stage_hand_off(now, true).map(|()| true)).map(drop)
        }
        10 => add_blindly(world, who, dice),
        5 | 7 | 9 => driver.catch_up(&|| NOW).and_then(|()| driver.stats().map(drop)),
        _ => {
            snapshot(driver, dice)?;
            world.known.lock().unwrap().snapshots += 1;
            Ok(())
        }
    }
}

/// An add by one who loads nothing, in a process of its own, as the command line does it.
fn add_blindly(world: &World, who: usize, dice: &mut Dice) -> Result<()> {
    let disk = world.disk.process();
    pass_before_each_call(&disk, 1, world.baton.clone(), who);
    let number = world.number();
    let mut log = ByteLog::create(disk, options(number, false), STORE)?;
    let add = Add { group: "a".into(), data: vec![8; dice.throw(300) as usize].into(), ..Add::default() };
    let request = Request { adds: vec![add], ..Request::default() };
    let tail = log.tail();
    if log.is_guarded()? {
        return Ok(());
    }
    let mut engine = Engine::blind(setup(number), tail);
    assert!(matches!(engine.stage(Ask::Update(&request), NOW, 0)?, Stage::Staged));
    match log.append(&tail, engine.drafts()) {
        Ok(_) | Err(AppendError::Conflict) => Ok(()),
        Err(AppendError::Refused(error) | AppendError::Unknown(error)) => Err(error),
    }
}

/// Makes all durable that this handle knows of. After a sync that failed it is written again.
fn sync(driver: &mut Driver) -> Result<()> {
    match driver.syncer().sync() {
        Ok(synced) => driver.note_synced(&synced),
        Err(_) => driver.heal()?,
    }
    Ok(())
}

/// A snapshot in slices, between which the handle goes on.
fn snapshot(driver: &mut Driver, dice: &mut Dice) -> Result<SnapshotName> {
    let Prepared { mut walk, mut journal } = driver.begin_snapshot(&|| NOW)?;
    let (loads, author) = (driver.engine().loads(), driver.engine().author());
    driver.make_room(&mut *journal)?;
    let published = journal.publish_snapshot(&mut || loop {
        driver.catch_up(&|| NOW)?;
        if driver.engine().loads() != loads {
            return Err(Error::new(Code::Cancelled, "the state was loaded anew"));
        }
        let engine = driver.engine();
        match walk.slice(engine.state(), engine.tail(), 1 + dice.throw(8) as usize) {
            Some((_, raw)) if raw.is_empty() => {}
            Some((kind, raw)) => return Ok(Piece::Bytes(pack(kind, &raw))),
            None => {
                sync(driver)?;
                return Ok(Piece::Name(SnapshotName { end: walk.end().revision, author }));
            }
        }
    });
    if let Err(error) = published {
        return overtaken(&mut *journal, walk.begin().revision, error);
    }
    driver.remove_damaged(&mut *journal)?;
    prune(&mut *journal)?;
    let end = walk.end().revision;
    driver.lift_guard(end, &|| NOW)?;
    Ok(SnapshotName { end, author })
}
