//! Waking on writes.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::temp;
use crate::file::Notice;

const LONG: Duration = Duration::from_mins(10);

#[test]
fn a_write_before_the_wait_is_not_missed() {
    let dir = temp();
    fs::write(dir.path().join("a"), b"").unwrap();
    let mut notice = Notice::new(dir.path()).unwrap();
    let mut file = OpenOptions::new().append(true).open(dir.path().join("a")).unwrap();
    for _ in 0..100 {
        file.write_all(b"x").unwrap();
        assert!(notice.wait(LONG));
    }
}

#[test]
fn without_writes_it_wakes_once_a_second_at_most() {
    let dir = temp();
    let mut notice = Notice::new(dir.path()).unwrap();
    if !notice.is_notified() {
        eprintln!("SKIPPED without_writes_…: this system does not notify");
        return;
    }
    let since = Instant::now();
    let mut wakes = 0;
    while since.elapsed() < Duration::from_millis(2_500) {
        wakes += u32::from(notice.wait(Duration::from_millis(300)));
    }
    assert!((1..=2).contains(&wakes), "{wakes} wakes in 2.5 s");
}

#[test]
fn a_wait_ends_with_its_time() {
    let dir = temp();
    let mut notice = Notice::new(dir.path()).unwrap();
    assert!(!notice.wait(Duration::ZERO));
    let since = Instant::now();
    assert!(!notice.wait(Duration::from_millis(10)));
    assert!(since.elapsed() >= Duration::from_millis(10));
}

#[test]
fn an_interrupt_ends_the_wait_that_runs_or_the_next_one() {
    let dir = temp();
    let mut notice = Notice::new(dir.path()).unwrap();
    let interrupter = notice.interrupter();
    interrupter.interrupt();
    interrupter.interrupt();
    assert!(!notice.wait(LONG), "the next one");
    let since = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(20));
            interrupter.interrupt();
        });
        while notice.wait(LONG) {}
    });
    assert!(since.elapsed() >= Duration::from_millis(20));
}

#[test]
fn a_busy_writer_causes_few_wakes_and_the_last_write_is_told() {
    let dir = temp();
    let path = dir.path().join("a");
    fs::write(&path, b"").unwrap();
    let mut notice = Notice::new(dir.path()).unwrap();
    notice.set_cool_down(Duration::from_millis(10));
    let done = AtomicBool::new(false);
    let since = Instant::now();
    let (mut wakes, mut seen) = (0_u32, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            for _ in 0..20_000 {
                file.write_all(b"x").unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        while seen < 20_000 {
            assert!(notice.wait(LONG));
            wakes += 1;
            seen = fs::metadata(&path).unwrap().len();
        }
    });
    assert!(done.load(Ordering::SeqCst));
    let bound = since.elapsed().as_millis() / 10 + 2;
    assert!(u128::from(wakes) <= bound, "{wakes} wakes, {bound} allowed");
}

#[test]
fn a_directory_that_goes_away_ends_no_wait_in_an_error() {
    let home = temp();
    let path = home.path().join("store");
    fs::create_dir(&path).unwrap();
    let mut notice = Notice::new(&path).unwrap();
    fs::remove_dir(&path).unwrap();
    assert!(notice.wait(LONG), "worth a look");
    notice.wait(Duration::from_millis(60));
    assert!(Notice::new(&path).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_watch_is_left_it_looks_every_25_ms_and_can_be_interrupted() {
    let dir = temp();
    let mut notice = Notice::at(crate::file::platform::Bell::without_watch(dir.path()).unwrap());
    assert!(!notice.is_notified());
    let since = Instant::now();
    for _ in 0..4 {
        assert!(notice.wait(LONG));
    }
    assert!((Duration::from_millis(100)..Duration::from_secs(2)).contains(&since.elapsed()), "{:?}", since.elapsed());
    notice.interrupter().interrupt();
    assert!(!notice.wait(LONG));
}
