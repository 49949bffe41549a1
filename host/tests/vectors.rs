//! The shared vectors on stores of this crate: in memory, and in a folder. See `core/tests/vectors/README.md`.
#![allow(clippy::unwrap_used)] // The scripts' runner, shared with the core, is no test of its own here.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tenure::{
    Claim, Committed, Durability, Filter, GroupStats, Limits, Millis, Options, Record, Request, Result, Store, Task,
    TaskId, TaskState, clock::Clock, core::inspect::Show, file::inspect,
};

#[path = "../../core/tests/vectors/script.rs"]
mod script;

use script::{ACTOR, FILES, Handle, NOW, SEED, Verb, check, file, owner, scripts};

struct Opened {
    store: Store,
    clock: Clock,
    _folder: Option<TempDir>,
}

fn options(limits: Limits, clock: &Clock) -> Options {
    Options::new().limits(limits).clock(clock.clone()).owner(owner()).actor(ACTOR).seed(SEED)
}

fn in_memory(limits: Limits) -> Opened {
    let clock = Clock::test(NOW);
    Opened { store: options(limits, &clock).memory().unwrap(), clock, _folder: None }
}

fn in_a_folder(limits: Limits) -> Opened {
    let (clock, folder) = (Clock::test(NOW), tempfile::tempdir().unwrap());
    // What is answered does not depend on durability, and hundreds of steps need not wait for the disk.
    let options = options(limits, &clock).durability(Durability::Opportunistic);
    Opened { store: options.open(folder.path().join("store")).unwrap(), clock, _folder: Some(folder) }
}

fn span(millis: Millis) -> Duration {
    Duration::from_millis(millis)
}

impl Handle for Opened {
    fn set_clock(&mut self, now: Millis) {
        self.clock.advance(span(now - self.clock.now()));
    }

    fn update(&mut self, request: Request) -> Result<Committed> {
        self.store.update(request)
    }

    fn claim(&mut self, claim: Claim) -> Result<Committed> {
        self.store.claim_now(claim)
    }

    fn verb(&mut self, verb: &Verb) -> Result<Option<Task>> {
        let store = &self.store;
        match verb {
            Verb::Renew { id, lease } => store.renew(*id, span(*lease)).map(Some),
            Verb::Release { id, delay } => store.release(*id, span(*delay)).map(Some),
            Verb::Finish { id } => store.finish(*id).map(|()| None),
            Verb::Fail { id, error, delay } => store.fail(*id, error, span(*delay)).map(Some),
            Verb::Cancel { id, force } => store.cancel(*id, *force).map(|()| None),
            Verb::Move { id, group } => store.move_to(*id, group).map(Some),
            Verb::Requeue { id, group, delay } => store.requeue(*id, group.as_deref(), span(*delay)).map(Some),
        }
    }

    fn task(&mut self, id: TaskId) -> Result<Option<Task>> {
        self.store.task(id)
    }

    fn find(&mut self, origin: TaskId) -> Result<Option<Task>> {
        self.store.find(origin)
    }

    fn by_key(&mut self, group: &str, key: &str) -> Result<Option<Task>> {
        self.store.by_key(group, key)
    }

    fn tasks(
        &mut self,
        group: Option<&str>,
        state: Option<TaskState>,
        after: TaskId,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.store.tasks(&Filter { group: group.map(Into::into), state, after, limit })
    }

    fn groups(&mut self) -> Result<Vec<GroupStats>> {
        self.store.groups()
    }

    fn get(&mut self, table: &str, key: &str) -> Result<Option<Record>> {
        self.store.get(table, key)
    }

    fn scan(&mut self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>> {
        self.store.scan(table, prefix, after, limit)
    }
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
