//! House rules, held over the source tree: the length and names of files, words that don't belong, and the arrows
//! between crates and between the core's modules. Each failure names the fix.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/paths.rs"]
mod paths;

/// No file is longer than this.
const HARD: usize = 500;
/// A source file aims to stay below this; those that don't are listed in [`LONG`].
const AIM: usize = 300;

/// Source files between [`AIM`] and [`HARD`] lines, each with the length that it may have. Lengths here only ever fall.
const LONG: &[(&str, usize)] = &[("core/src/engine/mod.rs", 335), ("core/src/txn/update.rs", 335)];

/// Names that say nothing of their subject.
const NAMELESS: &[&str] =
    &["common", "helper", "helpers", "manager", "managers", "misc", "stuff", "util", "utilities", "utils"];

/// Words that belong to unfinished work. They are put together here so that this file does not hold them.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("core lies in the repository").to_path_buf()
}

/// All files of the repository that people write, with their paths from the root.
fn files() -> Vec<(String, PathBuf)> {
    const SKIPPED: &[&str] = &[
        "target",
        "node_modules",
        "dist",
        "seeds",
        "corpus",
        "artifacts",
        "fixtures",
        "__pycache__",
        ".git",
        ".tools",
    ];
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let path = entry.expect("a folder of the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let from_root = path.strip_prefix(&root).expect("it was found below the root");
                found.push((from_root.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    found.sort();
    found
}

fn is_code(name: &str) -> bool {
    [".rs", ".py", ".ts", ".js", ".mjs", ".sh"].iter().any(|end| name.ends_with(end)) || name.starts_with(".ci/")
}

fn is_text(name: &str) -> bool {
    let plain = [".md", ".toml", ".json", ".yml", ".yaml", ".txt", "Makefile"].iter().any(|end| name.ends_with(end));
    (is_code(name) || plain) && !name.starts_with("LICENSE")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} is not readable text: {error}", path.display()))
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n  {}\n", faults.len(), faults.join("\n  "));
}

#[test]
fn files_are_short() {
    let mut faults = Vec::new();
    let mut listed: BTreeSet<&str> = LONG.iter().map(|(name, _)| *name).collect();
    for (name, path) in files().iter().filter(|(name, _)| is_code(name)) {
        let lines = read(path).lines().count();
        let source = name.contains("/src/");
        let allowed = LONG.iter().find(|(long, _)| long == name).map_or(AIM, |(_, allowed)| *allowed);
        listed.remove(name.as_str());
        if lines > HARD {
            faults.push(format!("{name} has {lines} lines, {HARD} are the most: split it by subject"));
        } else if source && lines > allowed {
            faults.push(format!(
                "{name} has {lines} lines, {allowed} are its most: split it by subject, or, where it is one subject, \
                 give it a row in LONG in core/tests/tidy.rs"
            ));
        } else if source && allowed > AIM && lines <= AIM {
            faults.push(format!("{name} has only {lines} lines by now: take its row out of LONG"));
        }
    }
    faults.extend(listed.iter().map(|name| format!("{name} is gone: take its row out of LONG")));
    none(&faults);
}

#[test]
fn names_say_what_a_file_is_about() {
    let faults: Vec<String> = files()
        .iter()
        .filter(|(name, _)| is_code(name))
        .filter_map(|(name, _)| {
            let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
            let word = stem.split(['/', '_', '-']).find(|word| NAMELESS.contains(word))?;
            Some(format!("{name}: '{word}' says nothing of its subject; name it with a noun of the trade"))
        })
        .collect();
    none(&faults);
}

#[test]
fn nothing_is_marked_as_unfinished() {
    let mut faults = Vec::new();
    for (name, path) in files().iter().filter(|(name, _)| is_code(name)) {
        for (number, line) in read(path).lines().enumerate() {
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{name}:{}: '{word}' is for work in hand: do it, or take it out", number + 1));
            }
        }
    }
    none(&faults);
}

#[test]
fn no_text_names_a_path_of_one_machine() {
    let mut faults = Vec::new();
    for (name, path) in files().iter().filter(|(name, _)| is_text(name)) {
        for (number, line) in read(path).lines().enumerate() {
            if let Some(found) = paths::of_one_machine(line) {
                faults.push(format!("{name}:{}: {found} exists on one machine only: use a relative path", number + 1));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_core_forbids_unsafe_code_and_std() {
    let text = read(&root().join("core/src/lib.rs"));
    for attribute in ["#![forbid(unsafe_code)]", "#![no_std]"] {
        assert!(text.lines().any(|line| line == attribute), "core/src/lib.rs has to say {attribute}");
    }
}

#[test]
fn crates_depend_one_way() {
    let mut faults = Vec::new();
    for (name, path) in files().iter().filter(|(name, _)| name.ends_with("/Cargo.toml")) {
        let folder = name.trim_end_matches("/Cargo.toml");
        faults.extend(arrows::crate_faults(folder, &read(path)));
    }
    none(&faults);
}

#[test]
fn modules_of_the_core_depend_one_way() {
    arrows::check_table();
    let mut faults = Vec::new();
    for (name, path) in files() {
        let Some(inside) = name.strip_prefix("core/src/") else { continue };
        if inside == "lib.rs" || inside.ends_with("/tests.rs") {
            continue;
        }
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        for used in arrows::uses(&read(&path)) {
            faults.extend(arrows::module_fault(module, &used).map(|fault| format!("{name}: {fault}")));
        }
    }
    none(&faults);
}
