//! Handles that open a store, or take its snapshot, while another handle takes one between any two of their calls.

use tenure_core::{Add, Author, Code, Request, Result, bytelog::Disk as _, driver::Driver, testing::SimDisk, txn::Ask};

use super::{NOW, open};

/// Adds tasks enough for a new segment, and takes a snapshot.
fn go_on(driver: &mut Driver) -> Result<()> {
    let add = Add { group: "a".into(), data: vec![7; 100].into(), ..Add::default() };
    let request = Request { adds: vec![add; 20], ..Request::default() };
    driver.ask(Ask::Update(&request), &|| NOW)?;
    driver.snapshot(&|| NOW).map(drop)
}

/// A store of two snapshots whose journal goes back to the older one.
fn begun() -> (SimDisk, Driver) {
    let disk = SimDisk::new();
    let mut driver = open(disk.process(), 1, false).unwrap();
    for _ in 0..3 {
        go_on(&mut driver).unwrap();
    }
    assert!(!disk.files().contains(&"0000000001.seg".to_owned()), "nothing was let go");
    (disk, driver)
}

/// Has another handle take a snapshot before every so manieth call of a process, so many times.
fn between_calls(of: &SimDisk, every: u64, times: usize, mut driver: Driver) {
    let again = of.handle();
    // The call before which this runs is not counted yet.
    of.before_call(every + 1, move || {
        go_on(&mut driver).unwrap();
        if times > 1 {
            between_calls(&again, every, times - 1, driver);
        }
    });
}

/// Opens the store, again where it changes too fast for one look.
fn eventually(process: &SimDisk, every: u64) -> Driver {
    let mut tries = (1..=5).map(|_| open(process.handle(), 2, true));
    let opened = tries.find(|opened| opened.as_ref().err().is_none_or(|error| error.code() != Code::Unavailable));
    opened
        .unwrap_or_else(|| panic!("every {every} calls"))
        .unwrap_or_else(|error| panic!("every {every} calls: {error}"))
}

#[test]
fn c14_s2_a_handle_that_opens_while_snapshots_come_and_go_calls_nothing_damaged() {
    for every in 10..80 {
        let (disk, driver) = begun();
        let arriving = disk.process();
        between_calls(&arriving, every, 20, driver);
        let mut opened = eventually(&arriving, every);
        opened.catch_up(&|| NOW).unwrap();
        let fresh = open(disk.process(), 3, true).unwrap();
        assert_eq!(opened.engine().state().digest(), fresh.engine().state().digest(), "every {every} calls");
    }
    // Where they never rest, it can only be tried again.
    for every in 1..40 {
        let (disk, driver) = begun();
        let arriving = disk.process();
        between_calls(&arriving, every, usize::MAX, driver);
        if let Err(error) = open(arriving, 2, true) {
            assert_eq!(error.code(), Code::Unavailable, "every {every} calls: {error}");
        }
    }
}

#[test]
fn c14_s2_a_handle_that_catches_up_while_snapshots_come_and_go_calls_nothing_damaged() {
    for read_only in [true, false] {
        for every in 1..60 {
            let (disk, driver) = begun();
            let slow = disk.process();
            let mut late = open(slow.handle(), 2, read_only).unwrap();
            between_calls(&slow, every, 30, driver);
            for _ in 0..30 {
                if let Err(error) = late.catch_up(&|| NOW).and_then(|()| late.stats().map(drop)) {
                    assert_eq!(error.code(), Code::Unavailable, "every {every} calls: {error}");
                }
            }
            late.catch_up(&|| NOW).unwrap();
            let fresh = open(disk.process(), 3, true).unwrap();
            assert_eq!(late.engine().state().digest(), fresh.engine().state().digest(), "every {every} calls");
        }
    }
}

#[test]
fn where_snapshots_are_gone_the_store_is_damaged() {
    let (disk, driver) = begun();
    drop(driver);
    let mut remover = disk.process();
    for name in disk.files().iter().filter(|name| name.contains(".snap")) {
        remover.remove(name).unwrap();
    }
    let error = open(disk.process(), 2, true).err().unwrap();
    assert_eq!(error.code(), Code::Corrupt, "{error}");
}

#[test]
fn c14_s1_a_snapshot_that_another_overtakes_is_that_one() {
    let mut overtaken = 0;
    for n in 1..60 {
        let (disk, mut driver) = begun();
        let slow = disk.process();
        let mut late = open(slow.handle(), 2, false).unwrap();
        let before = late.engine().tail().revision;
        slow.before_call(n, move || {
            // Where the late one has the lock, there is nothing to be had.
            let _ = go_on(&mut driver);
        });
        let name = late.snapshot(&|| NOW).unwrap();
        assert!(name.end >= before, "call {n}");
        overtaken += u32::from(name.author == Author(1));
        assert!(late.journal().snapshots().unwrap().contains(&name), "call {n}");
        assert!(!disk.files().iter().any(|name| name.contains(".tmp")), "call {n}: {:?}", disk.files());
    }
    assert!(overtaken > 2, "{overtaken}");
}
