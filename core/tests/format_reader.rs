//! The reader that was written from FORMAT.md alone prints of every golden store what stands beside it.
//!
//! It needs `python3`. Where there is none this test says so and does nothing; in CI that is a failure.
#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)]

use std::{env, fs, path::Path, process::Command};

use serde_json::Value;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn the_reader_prints_every_golden_store_as_this_version_does() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reader = core.join("../docs/reader/tenure_reader.py");
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "python3 is missing: install Python 3.9 or later");
        println!("NOT CHECKED: python3 is missing");
        return;
    }
    let mut compared = 0;
    for entry in fs::read_dir(core.join("tests/fixtures/v1")).unwrap() {
        let expected = entry.unwrap().path();
        if expected.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let done = Command::new("python3").arg(&reader).arg(expected.with_extension("")).output().unwrap();
        let failure = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{}: {failure}", expected.display());
        let (found, expected_lines) =
            (lines(str::from_utf8(&done.stdout).unwrap()), lines(&fs::read_to_string(&expected).unwrap()));
        for (number, (found, expected_line)) in found.iter().zip(&expected_lines).enumerate() {
            assert_eq!(found, expected_line, "{}, line {}", expected.display(), number + 1);
        }
        assert_eq!(found.len(), expected_lines.len(), "{}", expected.display());
        compared += 1;
    }
    assert!(compared >= 8, "golden stores are missing: {compared}");
}

#[test]
fn the_reader_is_short_enough_to_be_read() {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reader/tenure_reader.py");
    let lines = fs::read_to_string(reader).unwrap().lines().count();
    assert!(lines < 300, "{lines} lines: a format that needs more to be read is too hard");
}
