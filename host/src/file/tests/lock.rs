//! The lock between handles of one process.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use tenure_core::{
    Author, Code, StoreId,
    bytelog::{ByteLog, Disk as _, Options},
    port::Journal as _,
};

use super::{open, temp};
use crate::file::shared::Shared;

#[test]
fn two_handles_of_one_process_exclude_each_other() {
    let dir = temp();
    let (mut one, mut two) = (open(&dir), open(&dir));
    one.lock(0).unwrap();
    let refused = two.lock(0).unwrap_err();
    assert_eq!(refused.code(), Code::LockTimeout);
    let pid = std::process::id().to_string();
    assert!(refused.message().contains(&pid) && refused.message().contains("/lock"), "{refused}");
    one.unlock();
    two.lock(0).unwrap();
    assert_eq!(one.lock(20).unwrap_err().code(), Code::LockTimeout);
    drop(two);
    one.lock(0).unwrap();
    assert_eq!(one.lock(0).unwrap_err().code(), Code::Internal, "not twice by one handle");
    one.unlock();
    one.unlock();
    one.lock(0).unwrap();
}

#[test]
fn a_reopened_handle_is_another_one() {
    let dir = temp();
    let mut one = open(&dir);
    one.lock(0).unwrap();
    let mut two = one.reopen().unwrap();
    assert_eq!(two.lock(0).unwrap_err().code(), Code::LockTimeout);
    drop(two);
    let mut three = one.reopen().unwrap();
    assert_eq!(three.lock(0).unwrap_err().code(), Code::LockTimeout, "closing the second freed nothing");
}

#[test]
fn a_waiting_handle_gets_the_lock_when_it_is_given_back() {
    let dir = temp();
    let (mut one, mut two) = (open(&dir), open(&dir));
    one.lock(0).unwrap();
    let given_back = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            two.lock(u64::MAX).unwrap();
            assert!(given_back.load(Ordering::SeqCst));
        });
        thread::sleep(Duration::from_millis(5));
        given_back.store(true, Ordering::SeqCst);
        one.unlock();
    });
}

#[test]
fn no_two_handles_are_inside_at_once() {
    let dir = temp();
    let (inside, sum) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut folder = open(&dir);
                for _ in 0..500 {
                    folder.lock(60_000).unwrap();
                    assert!(!inside.swap(true, Ordering::SeqCst), "somebody is inside already");
                    // A sum that is read and written apart loses counts where two are inside.
                    let before = sum.load(Ordering::Relaxed);
                    thread::yield_now();
                    sum.store(before + 1, Ordering::Relaxed);
                    inside.store(false, Ordering::SeqCst);
                    folder.unlock();
                }
            });
        }
    });
    assert_eq!(sum.load(Ordering::Relaxed), 2_000);
}

/// B8 S2: a handle that holds the lock for long, again and again, starves nobody.
#[test]
fn b8_s2_a_handle_with_long_sections_leaves_room_for_the_others() {
    let dir = temp();
    let (started, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut small = [0_u32; 3];
    thread::scope(|scope| {
        for count in &mut small {
            scope.spawn(|| {
                let mut folder = open(&dir);
                while !started.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                while !done.load(Ordering::SeqCst) {
                    if folder.lock(60_000).is_ok() && !done.load(Ordering::SeqCst) {
                        *count += 1;
                    }
                    folder.unlock();
                }
            });
        }
        let mut folder = open(&dir);
        for _ in 0..60 {
            folder.lock(60_000).unwrap();
            started.store(true, Ordering::SeqCst);
            let since = Instant::now();
            while since.elapsed() < Duration::from_millis(10) {
                std::hint::spin_loop();
            }
            folder.unlock();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(small.iter().all(|count| *count > 5), "sections of the three others while 60 long ones ran: {small:?}");
}

#[test]
fn a_lock_file_that_was_removed_is_noticed() {
    let dir = temp();
    let mut folder = open(&dir);
    fs::remove_file(dir.path().join("lock")).unwrap();
    let mut successor = open(&dir);
    let since = Instant::now();
    let error = loop {
        match folder.lock(0) {
            Ok(()) => folder.unlock(),
            Err(error) => break error,
        }
        assert!(since.elapsed() < Duration::from_secs(20), "never noticed");
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(error.code(), Code::Replaced);
    successor.lock(0).unwrap();
}

#[test]
fn the_holders_own_note_names_the_last_one_and_spares_the_shared_bytes() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.write_shared(&[0xee; 64]).unwrap();
    let path = dir.path().join("lock");
    let shared = || {
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        Shared::new(Some(file), path.clone(), true)
    };
    let (one, two) = (shared(), shared());
    if cfg!(target_os = "linux") {
        assert_eq!(one.holder(), None, "nothing is written where the system tells");
    }
    one.name_holder();
    assert_eq!(two.holder(), Some(std::process::id()));
    assert_eq!(folder.read_shared().unwrap(), [0xee; 64]);
    folder.reopen().unwrap();
    for note in [[0xff; 8], 0_u64.to_le_bytes()] {
        let mut bytes = fs::read(&path).unwrap();
        bytes[..8].copy_from_slice(&note);
        fs::write(&path, bytes).unwrap();
        assert_eq!(two.holder(), None, "{note:?} is no process");
    }
}

#[test]
fn who_gives_up_asking_asks_anew_the_next_time() {
    let dir = temp();
    let (mut one, mut two) = (open(&dir), open(&dir));
    one.lock(0).unwrap();
    assert!(!two.try_lock(0).unwrap(), "the first call only asks");
    two.unlock();
    assert!(!two.try_lock(0).unwrap());
    assert_eq!(two.try_lock(0).unwrap_err().code(), Code::LockTimeout);
    assert!(!two.try_lock(60_000).unwrap());
    one.unlock();
    assert!(two.try_lock(60_000).unwrap());
}

#[test]
fn who_waits_for_the_lock_reads_meanwhile_and_an_error_of_that_ends_the_wait() {
    let dir = temp();
    let log = |author| ByteLog::create(open(&dir), Options::new(Author(author)), StoreId([7; 16])).unwrap();
    let (mut one, mut two) = (log(1), log(2));
    one.section(0, &mut |_| {
        let mut rounds = 0;
        let waited = two.section_after(
            60_000,
            &mut |journal| {
                rounds += 1;
                journal.floor()?;
                if rounds == 3 { Err(tenure_core::Error::new(Code::Cancelled, "enough")) } else { Ok(()) }
            },
            &mut |_| panic!("both are inside"),
        );
        assert_eq!((waited.unwrap_err().code(), rounds), (Code::Cancelled, 3));
        Ok(())
    })
    .unwrap();
    let mut inside = false;
    two.section_after(0, &mut |_| Ok(()), &mut |_| {
        inside = true;
        Ok(())
    })
    .unwrap();
    assert!(inside);
}
