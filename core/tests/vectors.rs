//! The shared vectors, which every language runs, on a store in memory and on a log over a simulated disk.
//!
//! `TENURE_VECTORS=write cargo test -p tenure-core --test vectors` writes the answers of this version into the files:
//! look at every line of the difference before you believe it.
#![cfg(all(feature = "std", feature = "json"))]
#![allow(clippy::unwrap_used)]

use std::{cell::Cell, env, fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};
use tenure_core::{
    Author, Claim, Code, Committed, Delete, GroupStats, Limits, Millis, Record, Request, Result, StoreId, Task, TaskId,
    TaskState, Update, When,
    bytelog::{ByteLog, Options},
    driver::Driver,
    engine::Setup,
    entry::Reason,
    inspect::{Show, inspect},
    port::Journal,
    request,
    rows::Ephemeral,
    state::State,
    testing::SimDisk,
    txn::Ask,
};

#[path = "vectors/folders.rs"]
mod folders;
#[path = "vectors/script.rs"]
mod script;

use script::{ACTOR, FILES, Handle, NOW, SEED, Verb, answer, check, deed, file, owner, scripts};

struct Core {
    driver: Driver,
    now: Cell<Millis>,
}

fn open(journal: impl Journal + 'static, limits: Limits) -> Core {
    let setup = Setup { limits, owner: owner(), actor: ACTOR.into(), author: Author(1), seed: SEED };
    Core { driver: Driver::open(Box::new(journal), setup, 0, &|| NOW).unwrap(), now: Cell::new(NOW) }
}

fn in_memory(limits: Limits) -> Core {
    open(Ephemeral::new(StoreId([7; 16])), limits)
}

fn on_a_disk(limits: Limits) -> Core {
    open(ByteLog::create(SimDisk::new(), Options::new(Author(1)), StoreId([7; 16])).unwrap(), limits)
}

impl Core {
    fn state(&self) -> &State {
        self.driver.engine().state()
    }

    fn change(&mut self, id: u64, verb: request::Verb, delay: Millis, rest: Update) -> Result<Option<Task>> {
        let available = Some(When::After(delay));
        let update = Update { id: TaskId(id), verb, available, ..rest };
        Ok(self.update(Request { updates: vec![update], ..Request::default() })?.into_task())
    }

    fn end(&mut self, id: u64, reason: Reason, force: bool) -> Result<Option<Task>> {
        let delete = Delete { id: TaskId(id), reason, force, origin: None };
        self.update(Request { deletes: vec![delete], ..Request::default() }).map(|_| None)
    }
}

impl Handle for Core {
    fn set_clock(&mut self, now: Millis) {
        self.now.set(now);
    }

    fn update(&mut self, request: Request) -> Result<Committed> {
        self.driver.ask(Ask::Update(&request), &|| self.now.get()).map(|done| done.committed)
    }

    fn claim(&mut self, claim: Claim) -> Result<Committed> {
        self.driver.ask(Ask::Claim(&claim), &|| self.now.get()).map(|done| done.committed)
    }

    fn verb(&mut self, verb: &Verb) -> Result<Option<Task>> {
        let rest = Update::default();
        match verb.clone() {
            Verb::Renew { id, lease } => self.change(id, request::Verb::Renew, lease, rest),
            Verb::Release { id, delay } => self.change(id, request::Verb::Release, delay, rest),
            Verb::Finish { id } => self.end(id, Reason::Finished, false),
            Verb::Fail { id, error, delay } => {
                self.change(id, request::Verb::Fail, delay, Update { error: Some(error), ..rest })
            }
            Verb::Cancel { id, force } => self.end(id, Reason::Cancelled, force),
            Verb::Move { id, group } => {
                self.change(id, request::Verb::Release, 0, Update { group: Some(group), ..rest })
            }
            Verb::Requeue { id, group, delay } => {
                self.change(id, request::Verb::Requeue, delay, Update { group, ..rest })
            }
        }
    }

    fn task(&mut self, id: TaskId) -> Result<Option<Task>> {
        Ok(self.state().task(id))
    }

    fn find(&mut self, origin: TaskId) -> Result<Option<Task>> {
        Ok(self.state().by_origin(origin).and_then(|id| self.state().task(id)))
    }

    fn by_key(&mut self, group: &str, key: &str) -> Result<Option<Task>> {
        Ok(self.state().by_key(group, key).and_then(|id| self.state().task(id)))
    }

    fn tasks(
        &mut self,
        group: Option<&str>,
        state: Option<TaskState>,
        after: TaskId,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let keep = |found| state.is_none_or(|wanted| wanted == found);
        Ok(self.state().list(group, after, limit, self.now.get(), keep))
    }

    fn groups(&mut self) -> Result<Vec<GroupStats>> {
        Ok(self.state().groups(self.now.get()))
    }

    fn get(&mut self, table: &str, key: &str) -> Result<Option<Record>> {
        let value = self.state().tables().get(table, key).filter(|value| value.visible(self.now.get()));
        Ok(value.map(|value| value.record(table.into(), key.into())))
    }

    fn scan(&mut self, table: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>> {
        Ok(self.state().tables().scan(table, prefix, after, self.now.get()).take(limit).collect())
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
fn a_store_on_a_disk_answers_every_script_as_it_stands_there() {
    for name in FILES {
        for script in &scripts(name) {
            check(name, script, on_a_disk);
        }
    }
}

#[test]
fn every_refusal_of_the_state_stands_in_a_script() {
    let all: String = FILES.iter().map(|name| file(name).to_string()).collect();
    let details = [
        "missing_updates",
        "missing_deletes",
        "missing_depends",
        "held",
        "not_held",
        "repeated",
        "key_exists",
        "stale_records",
        "bounds",
        "illegal",
    ];
    for detail in details {
        assert!(all.contains(&format!(r#""{detail}":[{{"#)), "no script is refused for {detail}");
    }
    let codes = [
        Code::Rejected,
        Code::LeaseLost,
        Code::Held,
        Code::MissingTask,
        Code::KeyExists,
        Code::StaleRecord,
        Code::Bounds,
        Code::Invalid,
        Code::OverLimit,
        Code::RequestReused,
        Code::Full,
    ];
    for code in codes {
        assert!(all.contains(&format!(r#""code":"{}""#, code.slug())), "no script ends with {}", code.slug());
    }
}

fn lines(disk: SimDisk) -> Vec<Value> {
    let mut lines = Vec::new();
    inspect(disk, Show::ALL, &mut |line| {
        lines.push(serde_json::from_str(line).unwrap());
        Ok(())
    })
    .unwrap();
    lines
}

#[test]
fn every_folder_is_read_as_its_lines_say() {
    for name in folders::FILES {
        for folder in file(name)["folders"].as_array().unwrap() {
            let found = lines(folders::read(folder));
            for (found, expected) in found.iter().zip(folder["lines"].as_array().unwrap()) {
                assert_eq!(found, expected, "{name}.json, {}", folder["name"]);
            }
            assert_eq!(found.len(), folder["lines"].as_array().unwrap().len(), "{name}.json, {}", folder["name"]);
        }
    }
}

fn write(name: &str, about: &Value, list: &str, items: &[(String, Vec<Value>)]) {
    let mut text = format!("{{\"about\": {about},\n \"{list}\": [\n");
    for (at, (head, steps)) in items.iter().enumerate() {
        let steps: Vec<String> = steps.iter().map(|step| format!("    {step}")).collect();
        let end = if at + 1 == items.len() { "" } else { "," };
        writeln!(text, "  {{{head}: [\n{}\n  ]}}{end}", steps.join(",\n")).unwrap();
    }
    text.push_str(" ]\n}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{name}.json"));
    fs::write(path, text).unwrap();
}

#[test]
fn answers_are_written_where_that_is_asked_for() {
    if env::var("TENURE_VECTORS").as_deref() != Ok("write") {
        return;
    }
    for name in FILES {
        let items: Vec<_> = scripts(name).iter().map(answered).collect();
        write(name, &file(name)["about"], "scripts", &items);
    }
    for name in folders::FILES {
        let made = folders::make(name);
        let items = made.iter().map(|(name, disk)| {
            let files = folders::spell(disk);
            (format!("\"name\": {}, \"files\": {files},\n   \"lines\"", json!(name)), lines(disk.process()))
        });
        write(name, &json!(folders::about(name)), "folders", &items.collect::<Vec<_>>());
    }
}

fn answered(script: &Value) -> (String, Vec<Value>) {
    let mut handle = in_memory_with(&script["limits"]);
    let steps = script["steps"].as_array().unwrap().iter().map(|step| {
        let (name, fields) = deed(step);
        let mut written = json!({ name: fields });
        if let Some(at) = step.get("at") {
            written["at"] = at.clone();
        }
        match answer(&mut handle, step) {
            Value::Object(mut object) if object.len() == 1 && object.contains_key("error") => {
                written["error"] = object.remove("error").unwrap();
            }
            answer => written["answer"] = answer,
        }
        written
    });
    let steps = steps.collect();
    let limits = script.get("limits").map_or(String::new(), |limits| format!("\"limits\": {limits}, "));
    (format!("\"name\": {}, {limits}\"steps\"", script["name"]), steps)
}

fn in_memory_with(fields: &Value) -> Core {
    in_memory(script::limits(fields))
}
