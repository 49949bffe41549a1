//! The texts under `docs/` name tests that exist.

use std::{fs, path::Path};

#[test]
fn every_fault_names_a_test_that_exists_or_says_why_it_can_not_occur() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(core.join("../docs/FAULTS.md")).expect("docs/FAULTS.md is there");
    let mut numbers = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("| F")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, fault, absent] = cells[..] else { panic!("{row} has not three cells") };
        assert!(!fault.is_empty() && absent.len() > 20, "{number} says nothing");
        numbers.push(number.to_string());
        for (file, name) in absent.split('`').filter_map(|piece| piece.split_once("::")) {
            let source = fs::read_to_string(core.join(format!("tests/{file}.rs")));
            let source = source.unwrap_or_else(|_| panic!("{number} names tests/{file}.rs, which is not there"));
            let found = source.contains(&format!("fn {name}("));
            assert!(found, "{number} names {file}::{name}, which is not there");
        }
    }
    let all: Vec<String> = (1..=16).map(|number| format!("F{number}")).collect();
    assert_eq!(numbers, all);
}
