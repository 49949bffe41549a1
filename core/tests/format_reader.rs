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

#[test]
fn the_text_has_the_numbers_of_the_code() {
    use tenure_core::{
        Limits,
        entry::{EntryKind, Reason},
        frame, snapshot,
        state::digest,
    };
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMAT.md")).unwrap();
    let mut expected = vec![
        format!("a header of {} bytes and a payload", frame::HEADER),
        format!("| 0 | 4 | magic | `{}` |", str::from_utf8(&frame::MAGIC).unwrap()),
        format!("| {} | seal |", frame::SEAL),
        format!("({} MiB of payload, an option of the writer", frame::MAX_FRAME >> 20),
        format!("| {} | stored | bytes | |", snapshot::CHUNK_HEADER),
        format!("a chunk at most {} MiB raw and stored", snapshot::CHUNK_MAX >> 20),
        format!("format u32 ({})", snapshot::FORMAT),
        format!("names {} bytes, keys {} KiB", Limits::DEFAULT.name_bytes, Limits::DEFAULT.key_bytes >> 10),
        format!("an error's text {} KiB", Limits::DEFAULT.error_bytes >> 10),
        format!(
            "a claim {},000 tasks and {},000 groups",
            Limits::DEFAULT.claim_tasks / 1000,
            Limits::DEFAULT.claim_groups / 1000
        ),
        format!("requests remembered for {},{:03} revisions", 65_536 / 1000, Limits::DEFAULT.request_window % 1000),
        format!("# The format, level {}", tenure_core::engine::LEVEL),
    ];
    for number in 1..u8::MAX {
        let Some(kind) = EntryKind::from_number(number) else { continue };
        expected.push(format!("| {number} | {} |", kind.slug()));
    }
    let reasons = ["deleted", "finished", "failed", "cancelled", "moved", "replaced"];
    for (number, slug) in reasons.iter().enumerate() {
        assert_eq!(Reason::from_slug(slug).map(|reason| reason as usize), Some(number));
        expected.push(format!("{number} {slug}"));
    }
    for line in expected {
        assert!(text.contains(&line), "FORMAT.md does not say {line:?}");
    }
    // The steps of the digest, as the text has them, over one number and over one text.
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let k: Vec<u64> = ["K0", "K1", "K2", "K3"]
        .iter()
        .map(|name| {
            let from = text.find(&format!("{name} = ")).unwrap() + 5;
            u64::from_str_radix(&text[from..from + 16], 16).unwrap()
        })
        .collect();
    assert_eq!(digest::item([5]), fold(fold(k[3] ^ 1 ^ 5 ^ k[0], k[2]) ^ k[2], k[1]));
    assert_eq!(digest::text(""), fold(k[2], k[3]));
}
