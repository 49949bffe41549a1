//! Stores of format 1 are read by every later version, to the bit: each golden store is opened, and what stands in it
//! is compared with the lines beside it.
//!
//! The files under `fixtures/v1` never change once a version was released with them. A new case is made by
//! `TENURE_GOLDEN=NAME cargo test -p tenure-core --test golden`, which writes that case alone; before a
//! format is released, `TENURE_GOLDEN=all` writes all.
#![cfg(all(feature = "std", feature = "json"))]
#![allow(clippy::unwrap_used)]

use std::{env, fs};

use tenure_core::{
    Author, Code, Error,
    bytelog::{ByteLog, Options},
    inspect::{Show, inspect},
    testing::SimDisk,
};

#[path = "golden/cases.rs"]
mod cases;
#[path = "golden/fixture.rs"]
mod fixture;

use fixture::{CASES, Case, fixtures};

fn lines(disk: SimDisk) -> String {
    let mut text = String::new();
    inspect(disk, Show::ALL, &mut |line| {
        text.push_str(line);
        text.push('\n');
        Ok(())
    })
    .unwrap();
    text
}

fn expected(case: &Case) -> String {
    fs::read_to_string(fixtures().join(format!("{}.jsonl", case.name))).unwrap()
}

#[test]
fn a_case_that_is_asked_for_is_written() {
    let Ok(name) = env::var("TENURE_GOLDEN") else { return };
    let mut written = 0;
    for case in CASES.iter().filter(|case| case.name == name || name == "all") {
        let disk = (case.make)();
        fixture::write(case, &disk);
        fs::write(fixtures().join(format!("{}.jsonl", case.name)), lines(disk)).unwrap();
        written += 1;
    }
    assert!(written > 0, "there is no case {name}");
}

#[test]
fn every_golden_store_is_read_as_the_lines_beside_it_say() {
    for case in CASES {
        let (found, expected) = (lines(fixture::read(case)), expected(case));
        for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
            assert_eq!(found, expected, "{}, line {}", case.name, number + 1);
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{}", case.name);
    }
}

#[test]
fn every_golden_store_is_made_alike_each_time() {
    for case in CASES {
        let (one, other) = ((case.make)(), (case.make)());
        assert_eq!(one.files(), other.files(), "{}", case.name);
        for name in one.files() {
            assert!(one.bytes(&name) == other.bytes(&name), "{}/{name} has other bytes", case.name);
        }
    }
}

#[test]
fn no_golden_store_is_without_its_case() {
    for entry in fs::read_dir(fixtures()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".jsonl");
        assert!(CASES.iter().any(|case| case.name == stem), "{name} has no case in core/tests/golden/cases.rs");
    }
}

#[test]
fn every_golden_store_takes_another_entry() {
    for case in CASES {
        let disk = fixture::read(case);
        let mut driver = cases::open(&disk, 77, cases::SMALL);
        let revision = driver.engine().tail().revision;
        let done = cases::update(&mut driver, r#"{"adds":[{"group":"later","data":"x"}]}"#);
        match done {
            Ok(done) => assert_eq!(done.revision.0, revision.0 + 1, "{}", case.name),
            Err(error) => assert_eq!((case.name, error.code()), ("exclusive", Code::Fenced)),
        }
        driver.journal().close().unwrap();
        driver.engine().state().check().unwrap();
        let digest = driver.engine().state().digest();
        assert_eq!(cases::open(&disk, 78, cases::SMALL).engine().state().digest(), digest, "{}", case.name);
    }
}

/// A flip anywhere in a golden store before its durable mark is refused; behind it, a prefix is what is left.
#[test]
fn a_flip_of_any_byte_of_a_golden_store_never_makes_another_state() {
    for case in CASES.iter().filter(|case| case.name != "snapshot") {
        let whole = expected(case);
        let digest = |lines: &str| lines.lines().find(|line| line.starts_with(r#"{"state":"#)).map(str::to_owned);
        let golden = fixture::read(case);
        for name in golden.files().iter().filter(|name| !name.contains(".snap")) {
            for at in 0..golden.bytes(name).len() {
                let disk = fixture::read(case);
                disk.edit(name, |bytes| bytes[at] ^= 0x10);
                let mut options = Options::new(Author(1));
                options.read_only = true;
                match ByteLog::open(disk.process(), options) {
                    Err(error) => check_refused(case, name, at, &error),
                    Ok(_) => {
                        let found = lines(disk);
                        let state = digest(&found);
                        let shorter = found.contains(r#""ending":"bad""#)
                            || found.contains(r#""ending":"short""#)
                            || found.contains(r#""ending":"superseded""#)
                            || found.contains(r#"{"error":"#);
                        assert!(state == digest(&whole) || shorter, "{}/{name} byte {at}: {found}", case.name);
                    }
                }
            }
        }
    }
}

fn check_refused(case: &Case, name: &str, at: usize, error: &Error) {
    let known = [Code::Corrupt, Code::UpgradeNeeded, Code::Replaced, Code::NoStore];
    assert!(known.contains(&error.code()), "{}/{name} byte {at}: {error:?}", case.name);
}
