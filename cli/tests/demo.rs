//! The word count, end to end: worker processes on one store, some of them killed.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn tenure(args: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure")).args(["demo", "wordcount"]).arg(path).args(args).output().unwrap()
}

fn corpus() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inside")).unwrap();
    for n in 0..12 {
        let text = format!("The end of text {n}, the {n}th. Über {}\n", "word ".repeat(n * 200));
        fs::write(folder.path().join(format!("inside/{n}.txt")), text).unwrap();
    }
    fs::write(folder.path().join("binary"), [0, 1, 2]).unwrap();
    fs::write(folder.path().join("no-spaces.txt"), "x".repeat(20_000)).unwrap();
    folder
}

#[test]
fn every_word_is_counted_once_though_workers_are_killed_and_their_late_commits_are_refused() {
    let corpus = corpus();
    let store = tempfile::tempdir().unwrap();
    let store = store.path().join("demo.tenure");
    // Twice on one store: a run does not meet the traces of another.
    for killed in ["1", "3"] {
        let args = ["--workers", "4", "--kill", killed, "--store", store.to_str().unwrap()];
        let out = tenure(&args, corpus.path());
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
        assert!(text.contains(&format!("with 4 worker processes, {killed} of them killed")), "{text}");
        assert!(text.contains("13200  word\n"), "{text}");
        assert!(text.contains("The same as a direct count"), "{text}");
        assert_eq!(text.matches("was done twice").count().to_string(), killed, "{text}");
        assert_eq!(text.matches("was claimed again by owner").count().to_string(), killed, "{text}");
        assert_eq!(text.matches("  attempt 1  task ").count().to_string(), killed, "{text}");
        assert_eq!(text.matches("  attempt 2  task ").count().to_string(), killed, "{text}");
        assert!(out.stderr.is_empty(), "a bar is drawn on a terminal only");
    }
}

#[test]
fn what_can_not_be_counted_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |args: &[&str], path: &Path, text: &str| {
        let out = tenure(args, path);
        let error = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{error}");
        assert!(error.contains(text), "{error}");
    };
    refused(&[], folder.path(), "has no text files: give a folder of text files");
    refused(&[], &folder.path().join("absent"), "is not a folder");
    refused(&["--workers", "2", "--kill", "2"], folder.path(), "at least one worker has to live");
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    refused(&["--kill", "2"], folder.path(), "gives only 1 tasks");
}
