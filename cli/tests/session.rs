//! The session in README.md, run line by line.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command};

#[test]
fn the_session_in_the_readme_is_what_the_program_says() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let session = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_tenure")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let folder = tempfile::tempdir().unwrap();
    let mut commands = 0;
    for part in session.split("$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap();
        let script = format!("exec 2>&1; {command}");
        let out =
            Command::new("sh").args(["-c", &script]).env("PATH", &path).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        // A line that ends with … goes on; one that is only … stands for any lines.
        let mut lines = said.lines();
        for wanted in expected.lines() {
            if wanted == "…" {
                lines = said.lines();
                let skip = lines.clone().count() - (expected.lines().count() - 1);
                lines.by_ref().take(skip).for_each(drop);
                continue;
            }
            let line = lines.next().unwrap_or_default();
            let fits = wanted.strip_suffix('…').map_or(line == wanted, |begin| line.starts_with(begin));
            assert!(fits, "$ {command}\nthe readme has {wanted:?}, the program said\n{said}");
        }
        assert_eq!(lines.next(), None, "$ {command}\n{said}");
        commands += 1;
    }
    assert!(commands >= 10);
}
