//! Runs the scripts of the shared vectors on any store. What the words mean stands in `README.md` beside this file.

use std::{fs, path::PathBuf};

use serde_json::{Map, Value, json};
use tenure_core::{
    Claim, Committed, Error, GroupStats, Limits, Millis, OwnerId, Record, Request, Result, Task, TaskId, TaskState,
    json::{read_claim, read_request, text},
};

/// The files of scripts.
pub const FILES: [&str; 4] = ["requests", "results", "errors", "verbs"];
/// The owner of a script's handle.
pub const OWNER: u64 = 7;
/// The label of a script's handle.
pub const ACTOR: &str = "vectors";
/// What a script's handle draws from.
pub const SEED: u64 = 1;
/// What the clock shows when a script begins.
pub const NOW: Millis = 1_000_000;

/// A store that scripts are run on, with its clock.
pub trait Handle {
    fn set_clock(&mut self, now: Millis);
    fn update(&mut self, request: Request) -> Result<Committed>;
    fn claim(&mut self, claim: Claim) -> Result<Committed>;
    fn verb(&mut self, verb: &Verb) -> Result<Option<Task>>;
    fn task(&mut self, id: TaskId) -> Result<Option<Task>>;
    fn find(&mut self, origin: TaskId) -> Result<Option<Task>>;
    fn by_key(&mut self, group: &str, key: &str) -> Result<Option<Task>>;
    fn tasks(
        &mut self,
        group: Option<&str>,
        state: Option<TaskState>,
        after: TaskId,
        limit: usize,
    ) -> Result<Vec<Task>>;
    fn groups(&mut self) -> Result<Vec<GroupStats>>;
    fn get(&mut self, table: &str, key: &str) -> Result<Option<Record>>;
    fn scan(&mut self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>>;
}

/// A verb on one task.
#[derive(Clone, Debug)]
pub enum Verb {
    Renew { id: u64, lease: Millis },
    Release { id: u64, delay: Millis },
    Finish { id: u64 },
    Fail { id: u64, error: String, delay: Millis },
    Cancel { id: u64, force: bool },
    Move { id: u64, group: String },
    Requeue { id: u64, group: Option<String>, delay: Millis },
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/tests/vectors")
}

/// A file of vectors.
pub fn file(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

/// The scripts of a file.
pub fn scripts(name: &str) -> Vec<Value> {
    file(name)["scripts"].as_array().unwrap().clone()
}

/// Runs one script on a store that `open` gives, and compares each answer with the one that stands there.
pub fn check<H: Handle>(file: &str, script: &Value, open: impl FnOnce(Limits) -> H) {
    let name = script["name"].as_str().unwrap();
    let mut handle = open(limits(&script["limits"]));
    for (number, step) in script["steps"].as_array().unwrap().iter().enumerate() {
        let found = answer(&mut handle, step);
        let place = format!("{file}.json, {name:?}, step {}: {step}", number + 1);
        let expected = match (step.get("answer"), step.get("error")) {
            (Some(answer), None) => answer.clone(),
            (None, Some(error)) => json!({ "error": error }),
            _ => panic!("{place} has to have either an answer or an error"),
        };
        assert_eq!(found, expected, "{place}");
    }
}

/// What a store answers to a step.
pub fn answer(handle: &mut impl Handle, step: &Value) -> Value {
    let spelled = perform(handle, step).unwrap_or_else(|error: Error| text(&error));
    serde_json::from_str(&spelled).unwrap()
}

/// The member of a step that says what is done.
pub fn deed(step: &Value) -> (&str, &Value) {
    let deeds = step.as_object().unwrap().iter();
    let mut deeds = deeds.filter(|(name, _)| !["at", "answer", "error"].contains(&name.as_str()));
    let (name, fields) = deeds.next().unwrap_or_else(|| panic!("{step} does nothing"));
    assert!(deeds.next().is_none(), "{step} does two things");
    (name, fields)
}

fn perform(handle: &mut impl Handle, step: &Value) -> Result<String> {
    if let Some(now) = step["at"].as_u64() {
        handle.set_clock(now);
    }
    let (name, fields) = deed(step);
    let word = |name: &str| fields[name].as_str();
    let number = |name: &str| fields[name].as_u64().unwrap_or(0);
    let limit = usize::try_from(fields["limit"].as_u64().unwrap_or(1000)).unwrap();
    let required = |name: &str| word(name).unwrap_or_else(|| panic!("{step} has no {name}"));
    let id = TaskId(number(if name == "find" { "origin" } else { "id" }));
    Ok(match name {
        "update" => text(&handle.update(read_request(fields.to_string().as_bytes())?)?),
        "claim" => text(&handle.claim(read_claim(fields.to_string().as_bytes())?.claim)?),
        "task" => one("task", handle.task(id)?.as_ref().map(text)),
        "find" => one("task", handle.find(id)?.as_ref().map(text)),
        "by_key" => one("task", handle.by_key(required("group"), required("key"))?.as_ref().map(text)),
        "get" => one("record", handle.get(required("table"), required("key"))?.as_ref().map(text)),
        "groups" => text(&*handle.groups()?),
        "tasks" => {
            let state = word("state").map(|state| {
                let all = [TaskState::Available, TaskState::Delayed, TaskState::Held];
                all.into_iter().find(|known| known.slug() == state).unwrap_or_else(|| panic!("{step}: no such state"))
            });
            text(&*handle.tasks(word("group"), state, TaskId(number("after")), limit)?)
        }
        "scan" => {
            let prefix = word("prefix").unwrap_or_default();
            text(&*handle.scan(required("table"), prefix, word("after"), limit)?)
        }
        verb => one("task", handle.verb(&read_verb(verb, fields))?.as_ref().map(text)),
    })
}

/// `{"task":{…}}`, or `{}` where there is none.
fn one(name: &str, found: Option<String>) -> String {
    found.map_or_else(|| "{}".into(), |found| format!(r#"{{"{name}":{found}}}"#))
}

fn read_verb(verb: &str, fields: &Value) -> Verb {
    let id = fields["id"].as_u64().unwrap_or_else(|| panic!("{verb} {fields} has no id"));
    let number = |name: &str| fields[name].as_u64().unwrap_or(0);
    let word = |name: &str| fields[name].as_str().map(str::to_owned);
    match verb {
        "renew" => Verb::Renew { id, lease: number("lease") },
        "release" => Verb::Release { id, delay: number("delay") },
        "finish" => Verb::Finish { id },
        "fail" => Verb::Fail { id, error: word("error").unwrap_or_default(), delay: number("delay") },
        "cancel" => Verb::Cancel { id, force: fields["force"].as_bool().unwrap_or_default() },
        "move" => Verb::Move { id, group: word("group").unwrap_or_default() },
        "requeue" => Verb::Requeue { id, group: word("group"), delay: number("delay") },
        verb => panic!("{verb} is no word of a script"),
    }
}

/// The limits of a script's store.
pub fn limits(fields: &Value) -> Limits {
    let none = Map::new();
    let mut limits = Limits::DEFAULT;
    for (name, value) in fields.as_object().unwrap_or(&none) {
        let number = value.as_u64().unwrap();
        let size = usize::try_from(number).unwrap();
        match name.as_str() {
            "name_bytes" => limits.name_bytes = size,
            "key_bytes" => limits.key_bytes = size,
            "data_bytes" => limits.data_bytes = size,
            "transaction_bytes" => limits.transaction_bytes = size,
            "transaction_items" => limits.transaction_items = size,
            "claim_tasks" => limits.claim_tasks = size,
            "claim_groups" => limits.claim_groups = size,
            "lease_min" => limits.lease_min = number,
            "max_tasks" => limits.max_tasks = number,
            "max_state_bytes" => limits.max_state_bytes = number,
            name => panic!("{name} is no limit"),
        }
    }
    limits
}

/// The owner of a script's handle.
pub fn owner() -> OwnerId {
    OwnerId(OWNER)
}
