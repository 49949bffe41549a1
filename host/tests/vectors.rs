//! The shared vectors on stores of this crate: in memory, and in a folder. See `core/tests/vectors/README.md`.
#![allow(clippy::unwrap_used)] // The scripts' runner, shared with the core, is no test of its own here.

use serde_json::Value;
use tenure::{Durability, Limits, clock::Clock, core::inspect::Show, file::inspect};

#[path = "suite/scripted.rs"]
mod scripted;

use scripted::{
    Opened, options,
    script::{FILES, NOW, check, file, scripts},
};

fn in_memory(limits: Limits) -> Opened {
    let clock = Clock::test(NOW);
    Opened { store: options(limits, &clock).memory().unwrap(), clock, keep: Box::new(()) }
}

fn in_a_folder(limits: Limits) -> Opened {
    let (clock, folder) = (Clock::test(NOW), tempfile::tempdir().unwrap());
    // What is answered does not depend on durability, and hundreds of steps need not wait for the disk.
    let options = options(limits, &clock).durability(Durability::Opportunistic);
    Opened { store: options.open(folder.path().join("store")).unwrap(), clock, keep: Box::new(folder) }
}

#[test]
fn a_store_in_memory_answers_every_script_as_it_stands_there() {
    for name in FILES {
        for script in &scripts(name) {
            check(name, script, in_memory);
        }
    }
}

#[test]
fn a_store_in_a_folder_answers_every_script_as_it_stands_there() {
    for name in FILES {
        for script in &scripts(name) {
            check(name, script, in_a_folder);
        }
    }
}

#[test]
fn every_folder_is_read_as_its_lines_say() {
    for name in ["frames", "snapshots"] {
        for folder in file(name)["folders"].as_array().unwrap() {
            let place = tempfile::tempdir().unwrap();
            for (name, hex) in folder["files"].as_object().unwrap() {
                let hex = hex.as_str().unwrap();
                let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
                std::fs::write(place.path().join(name), bytes.collect::<Vec<u8>>()).unwrap();
            }
            let mut found: Vec<Value> = Vec::new();
            inspect(place.path(), Show::ALL, &mut |line| {
                found.push(serde_json::from_str(line).unwrap());
                Ok(())
            })
            .unwrap();
            assert_eq!(&found, folder["lines"].as_array().unwrap(), "{name}.json, {}", folder["name"]);
        }
    }
}

#[test]
fn every_golden_store_is_a_store_on_this_machine() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/fixtures/v1");
    let mut read = 0;
    for case in std::fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let expected = std::fs::read_to_string(case.with_extension("jsonl")).unwrap();
        let mut found = String::new();
        inspect(&case, Show::ALL, &mut |line| {
            found.push_str(line);
            found.push('\n');
            Ok(())
        })
        .unwrap();
        assert!(found == expected, "{} is read as\n{found}", case.display());
        read += 1;
    }
    assert!(read >= 8, "golden stores are missing: {read}");
}
