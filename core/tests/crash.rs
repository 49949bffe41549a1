//! A store over a simulated disk, disturbed at every single call: whatever the machine kept of what no sync covered,
//! the state that is opened is exactly the acknowledged history, or that plus what was in flight.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod life;

use std::collections::BTreeMap;

use life::{Known, Life, NOW, STEPS, check, is_refusal, named, open};
use tenure_core::{
    Add, Author, Outcome, Position, Request, Result, Revision,
    bytelog::Disk as _,
    testing::{Lost, SimDisk, Survive},
    txn::Ask,
};

fn fates() -> impl Iterator<Item = Survive> {
    [Survive::Kept, Survive::Dropped, Survive::Torn].into_iter().chain((0..5).map(Survive::Seed))
}

/// A life that nothing disturbs: its digests, and how many calls of the disk it took.
fn undisturbed() -> (BTreeMap<u64, u64>, u64) {
    let disk = SimDisk::new();
    let watch = disk.process();
    let other = disk.process();
    let mut life = Life::begin(vec![disk, other]).unwrap();
    life.live().unwrap();
    let files = watch.files();
    assert_eq!(named(&files, "snap").len(), 2, "{files:?}");
    assert!(!files.contains(&"0000000001.seg".to_owned()), "nothing was let go: {files:?}");
    assert!(life.known.refused.is_empty() && life.known.acked > STEPS, "{:?}", life.known);
    (life.known.digests, watch.calls())
}

#[test]
fn a_power_cut_at_any_call_leaves_the_acknowledged_history_or_that_plus_what_was_in_flight() {
    let (digests, calls) = undisturbed();
    for n in 1..=calls {
        let disk = SimDisk::new();
        let (watch, other) = (disk.process(), disk.process());
        watch.crash_at(n);
        let known = Life::begin(vec![disk, other]).map_or_else(
            |_| Known::default(),
            |mut life| {
                let lived = life.live();
                assert!(watch.is_off(), "call {n} was made: {lived:?}");
                life.known
            },
        );
        for survive in fates() {
            check(&watch.after_crash(survive), &known, &digests, &format!("power cut at call {n}, {survive:?}"));
        }
    }
}

#[test]
fn a_process_that_dies_at_any_call_is_outlived_by_the_other_one() {
    let (_, calls) = undisturbed();
    for n in 1..=calls {
        let disk = SimDisk::new();
        let (watch, other) = (disk.process(), disk.process());
        disk.die_at(n);
        let Ok(mut life) = Life::begin(vec![disk, other]) else { continue };
        life.live_on();
        // Steps of the other process went on; what the dead one had in flight may be there.
        check(&watch, &life.known, &life.known.digests, &format!("death at call {n}"));
    }
}

#[test]
fn a_failure_of_any_call_is_answered_and_what_was_answered_is_so() {
    let (_, calls) = undisturbed();
    for n in 1..=calls {
        let disk = SimDisk::new();
        let (watch, other) = (disk.process(), disk.process());
        disk.fail_at(n);
        let Ok(mut life) = Life::begin(vec![disk, other]) else { continue };
        life.live_on();
        let what = format!("failure of call {n}");
        for survive in fates() {
            check(&watch.after_crash(survive), &life.known, &life.known.digests, &format!("{what}, {survive:?}"));
        }
    }
}

#[test]
fn a_disk_that_is_full_at_any_step_refuses_it_and_loses_nothing() {
    let mut refused = 0;
    for step in 0..STEPS {
        for room in [0, 1, 60, 500, 1500, 2600] {
            let disk = SimDisk::new();
            let (watch, other) = (disk.process(), disk.process());
            let mut life = Life::begin(vec![disk, other]).unwrap();
            for at in 0..STEPS {
                watch.set_capacity((at == step).then(|| watch.used() + room));
                let _ = life.step(at);
            }
            refused += life.known.refused.len();
            let what = format!("full at step {step} but for {room} bytes");
            for survive in fates() {
                check(&watch.after_crash(survive), &life.known, &life.known.digests, &format!("{what}, {survive:?}"));
            }
        }
    }
    assert!(refused > STEPS as usize, "the disk was full for {refused} steps only");
}

#[test]
fn a_batch_of_which_a_full_disk_takes_a_part_answers_each_request_once() {
    let mut parts = [0; 4];
    for room in (0..2200).step_by(20) {
        let disk = SimDisk::new();
        let mut driver = open(disk.process(), 1).unwrap();
        let adds: Vec<Request> = (1_u8..4)
            .map(|n| Request {
                adds: vec![Add { group: "map".into(), data: vec![n; 400].into(), ..Add::default() }],
                ..Request::default()
            })
            .collect();
        disk.set_capacity(Some(disk.used() + room));
        let asks: Vec<Ask<'_>> = adds.iter().map(Ask::Update).collect();
        let answers = driver.run(&asks, &|| NOW);
        let done = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(
            answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| error.outcome() == Outcome::Refused)
        );
        assert_eq!(driver.engine().state().tasks(), done as u64, "room for {room}");
        assert_eq!(open(disk.process(), 2).unwrap().engine().state().tasks(), done as u64, "room for {room}");
        parts[done] += 1;
    }
    assert!(parts.iter().all(|times| *times > 0), "{parts:?}");
}

#[test]
fn a_sync_that_fails_once_and_then_succeeds_with_the_data_gone_loses_nothing_acknowledged() {
    for lost in [Lost::Medium, Lost::MediumAndCache] {
        for step in 0..STEPS {
            let disk = SimDisk::new();
            let (watch, other) = (disk.process(), disk.process());
            let mut life = Life::begin(vec![disk, other]).unwrap();
            for at in 0..STEPS {
                if at == step {
                    watch.fail_syncs(1, lost);
                }
                let _ = life.step(at);
            }
            let what = format!("the sync of step {step} failed, {lost:?}");
            assert!(lost == Lost::MediumAndCache || life.known.refused.is_empty(), "{what}: {:?}", life.known);
            for survive in fates() {
                check(&watch.after_crash(survive), &life.known, &life.known.digests, &format!("{what}, {survive:?}"));
            }
        }
    }
}

#[test]
fn a_cut_at_every_byte_of_the_last_segment_leaves_a_whole_prefix_or_is_refused_before_the_mark() {
    let disk = SimDisk::new();
    let (watch, other) = (disk.process(), disk.process());
    let mut life = Life::begin(vec![disk, other]).unwrap();
    (0..STEPS + 4).try_for_each(|step| life.step(step)).unwrap();
    let digests = life.known.digests.clone();
    let last = named(&watch.files(), "seg").pop().unwrap();
    let whole = watch.bytes(&last);
    let (mut refused, mut opened) = (0, 0);
    for len in 0..whole.len() {
        // With the watermark everything was durable; without, only what the frames and the snapshots say.
        for mark in [true, false] {
            let mut cut = watch.after_crash(Survive::Kept);
            if !mark {
                cut.write_shared(&[0; 64]).unwrap();
            }
            cut.edit(&last, |bytes| bytes.truncate(len));
            match open(cut, 7) {
                Ok(driver) => {
                    assert!(!mark, "a cut at byte {len} of what was durable was accepted");
                    let state = driver.engine().state();
                    let digest = digests.get(&state.revision().0);
                    assert!(digest.is_none_or(|digest| *digest == state.digest()), "cut at byte {len}");
                    opened += 1;
                }
                Err(error) => {
                    assert!(is_refusal(error.code()), "cut at byte {len}: {error:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused >= whole.len() && opened > 0, "{refused} refused, {opened} opened of {}", whole.len());
}

/// Takes the store, gives it back, takes a snapshot, takes the store again.
fn handed(disk: SimDisk) -> Result<()> {
    let mut driver = open(disk, 1)?;
    driver.hand_off(false, &|| NOW)?;
    let released = driver.release(&|| NOW)?;
    assert!(released > Position(0));
    // Nothing says yet that this is durable.
    driver.lift_guard(Revision(0), &|| NOW)?;
    driver.snapshot(&|| NOW)?;
    driver.hand_off(false, &|| NOW)?;
    driver.release(&|| NOW)?;
    driver.lift_guard(Revision(4), &|| NOW)
}

#[test]
fn wherever_the_power_goes_a_store_that_is_somebodys_has_its_guard() {
    let (mut with, mut without) = (0, 0);
    for n in 1.. {
        let disk = SimDisk::new();
        let watch = disk.process();
        watch.crash_at(n);
        let done = handed(disk);
        for survive in fates() {
            let after = watch.after_crash(survive);
            let guarded = after.files().contains(&"guard".to_owned());
            let Ok(driver) = open(after, 2) else { continue };
            let free = driver.engine().state().exclusive() == Author(0);
            assert!(guarded || free, "power gone in call {n}, {survive:?}");
            with += u32::from(guarded);
            without += u32::from(!guarded && driver.engine().tail().revision.0 > 2);
        }
        if !watch.is_off() {
            done.unwrap();
            break;
        }
    }
    assert!(with > 50 && without > 5, "{with} with, {without} without");
}
