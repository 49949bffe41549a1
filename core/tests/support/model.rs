//! A store as its rules say it, without any cleverness: what the real one is held against.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    Claim, Data, Depend, IfExists, Millis, OwnerId, Refusal, Request, Revision, Task, TaskId, Update, Verb,
};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub data: Data,
    pub revision: u64,
    pub expires_at: Millis,
}

/// A remembered request.
#[derive(Clone, Debug)]
struct Remembered {
    revision: u64,
    asked: String,
    ids: Vec<u64>,
    counts: Vec<i64>,
}

/// What a request answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done { ids: Vec<u64>, counts: Vec<i64>, wrote: bool },
    Repeated { revision: u64, ids: Vec<u64>, counts: Vec<i64> },
    Refused(Vec<String>),
    Reused,
}

type Name = (String, String);

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub tasks: BTreeMap<u64, Task>,
    pub records: BTreeMap<Name, Value>,
    memo: BTreeMap<(u64, String), Remembered>,
    pub last_id: u64,
    pub window: u64,
    /// Every id that ever was.
    pub ids: BTreeSet<u64>,
}

/// A reason as both sides can say it.
pub fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Illegal { place, .. } => format!("illegal {place}"),
        Refusal::MissingUpdate { id, .. } => format!("missing update {id}"),
        Refusal::MissingDelete { id, .. } => format!("missing delete {id}"),
        Refusal::MissingDepend { id, .. } => format!("missing depend {id}"),
        Refusal::Held { id, owner, until, .. } => format!("held {id} by {owner} until {until}"),
        Refusal::NotHeld { id } => format!("not held {id}"),
        Refusal::RepeatedTask { id } => format!("repeated task {id}"),
        Refusal::RepeatedKey { place, key } => format!("repeated key {place} {key}"),
        Refusal::KeyExists { group, key, id, held, .. } => format!("key exists {group} {key} {id} {held}"),
        Refusal::StaleRecord { table, key, expected, found } => format!("stale {table} {key} {expected} {found}"),
        Refusal::Bounds { table, key, .. } => format!("bounds {table} {key}"),
        other => format!("{other}"),
    }
}

fn held(task: &Task, now: Millis) -> bool {
    task.available_at > now && task.owner.0 != 0
}

impl Model {
    pub fn new(window: u64) -> Self {
        Self { window, ..Self::default() }
    }

    fn visible(&self, name: &Name, now: Millis) -> Option<&Value> {
        self.records.get(name).filter(|value| value.expires_at == 0 || value.expires_at > now)
    }

    fn key(&self, group: &str, key: &str) -> Option<&Task> {
        self.tasks.values().find(|task| *task.group == *group && task.key.as_deref() == Some(key))
    }

    fn depends(&self, depends: &[Depend], reasons: &mut Vec<String>) {
        for depend in depends {
            let (id, there) = match depend {
                Depend::Id(id) => (id, self.tasks.contains_key(&id.0)),
                Depend::Origin(id) => (id, self.tasks.values().any(|task| task.origin == *id)),
            };
            if !there {
                reasons.push(format!("missing depend {id}"));
            }
        }
    }

    fn remembered(&self, owner: OwnerId, id: Option<&str>, asked: &str, revision: u64) -> Option<Answer> {
        let known = self.memo.get(&(owner.0, id?.to_string()))?;
        if known.revision + self.window <= revision {
            return None;
        }
        if known.asked != asked {
            return Some(Answer::Reused);
        }
        Some(Answer::Repeated { revision: known.revision, ids: known.ids.clone(), counts: known.counts.clone() })
    }

    /// Judges an update at a revision without doing it, and gives the model as it is after it.
    pub fn update(&self, request: &Request, owner: OwnerId, now: Millis, revision: u64) -> (Answer, Self) {
        let asked = format!("{:?}", Request { owner: OwnerId(0), request_id: None, ..request.clone() });
        if let Some(answer) = self.remembered(owner, request.request_id.as_deref(), &asked, revision) {
            return (answer, self.clone());
        }
        let mut after = self.clone();
        let mut reasons = Vec::new();
        after.depends(&request.depends, &mut reasons);

        let mut named = BTreeSet::new();
        let mut deleted = BTreeSet::new();
        for delete in &request.deletes {
            let id = delete.id.0;
            if !named.insert(id) {
                reasons.push(format!("repeated task {id}"));
                continue;
            }
            match self.tasks.get(&id) {
                None => reasons.push(format!("missing delete {id}")),
                Some(task) if held(task, now) && task.owner != owner && !delete.force => {
                    reasons.push(format!("held {id} by {} until {}", task.owner, task.available_at));
                }
                Some(_) => {
                    deleted.insert(id);
                }
            }
        }
        let mut given = BTreeSet::new();
        let mut updated: Vec<Task> = Vec::new();
        for (at, update) in request.updates.iter().enumerate() {
            let id = update.id.0;
            if !named.insert(id) {
                reasons.push(format!("repeated task {id}"));
                continue;
            }
            match self.tasks.get(&id) {
                None => reasons.push(format!("missing update {id}")),
                Some(task) if held(task, now) && task.owner != owner && !update.force => {
                    reasons.push(format!("held {id} by {} until {}", task.owner, task.available_at));
                }
                Some(task) => {
                    let changed = changed(task, update, owner, now, at, &mut reasons);
                    if let Some(key) = &task.key
                        && changed.group != task.group
                    {
                        let (group, key) = (changed.group.to_string(), key.to_string());
                        if !given.insert((group.clone(), key.clone())) {
                            reasons.push(format!("repeated key {group} {key}"));
                        }
                        if let Some(other) = self.key(&group, &key).filter(|other| !deleted.contains(&other.id.0)) {
                            let is_held = held(other, now);
                            reasons.push(format!("key exists {group} {key} {} {is_held}", other.id));
                        }
                    }
                    updated.push(changed);
                }
            }
        }
        for id in &deleted {
            after.tasks.remove(id);
        }
        let mut wrote = !deleted.is_empty() || !updated.is_empty();
        let mut ids = Vec::new();
        for add in &request.adds {
            if let Some(key) = &add.key {
                if !given.insert((add.group.clone(), key.clone())) {
                    reasons.push(format!("repeated key {} {key}", add.group));
                }
                if let Some(other) = self.key(&add.group, key).filter(|other| !deleted.contains(&other.id.0)) {
                    let id = other.id.0;
                    let is_held = held(other, now);
                    match add.if_exists {
                        IfExists::Keep => {
                            ids.push(id);
                            continue;
                        }
                        IfExists::Replace if !is_held => {
                            if !named.insert(id) {
                                reasons.push(format!("repeated task {id}"));
                            }
                            after.tasks.remove(&id);
                        }
                        IfExists::Replace | IfExists::Refuse => {
                            reasons.push(format!("key exists {} {key} {id} {is_held}", add.group));
                        }
                    }
                }
            }
            wrote = true;
            after.last_id += 1;
            let id = TaskId(after.last_id);
            ids.push(id.0);
            let task = Task {
                id,
                origin: id,
                group: add.group.as_str().into(),
                key: add.key.as_deref().map(Into::into),
                available_at: add.available.at(now).unwrap(),
                added_at: now,
                owner: OwnerId(0),
                attempt: 0,
                failures: 0,
                error: None,
                data: add.data.clone(),
            };
            after.tasks.insert(id.0, task);
        }
        for mut task in updated {
            after.tasks.remove(&task.id.0);
            after.last_id += 1;
            for kept in ids.iter_mut().filter(|kept| **kept == task.id.0) {
                *kept = after.last_id;
            }
            task.id = TaskId(after.last_id);
            ids.push(task.id.0);
            after.tasks.insert(task.id.0, task);
        }
        let counts = after.change_records(self, request, now, &mut wrote, &mut reasons);
        if !reasons.is_empty() {
            reasons.sort();
            return (Answer::Refused(reasons), self.clone());
        }
        wrote |= request.request_id.is_some();
        after.settle(owner, request.request_id.as_deref(), asked, revision, &ids, &counts, wrote);
        (Answer::Done { ids, counts, wrote }, after)
    }

    fn change_records(
        &mut self,
        before: &Self,
        request: &Request,
        now: Millis,
        wrote: &mut bool,
        reasons: &mut Vec<String>,
    ) -> Vec<i64> {
        let mut parts: BTreeMap<Name, &str> = BTreeMap::new();
        let mut changes: BTreeMap<Name, Option<Value>> = BTreeMap::new();
        let mut counts = Vec::new();
        let mut expect = |name: &Name, expected: Option<Revision>| {
            let Some(expected) = expected else { return };
            let found = before.visible(name, now).map_or(0, |value| value.revision);
            if found != expected.0 {
                reasons.push(format!("stale {} {} {expected} {found}", name.0, name.1));
            }
        };
        let mut all: Vec<(Name, &'static str, Option<Value>)> = Vec::new();
        for guard in &request.guards {
            expect(&(guard.table.clone(), guard.key.clone()), Some(guard.expect));
        }
        for put in &request.puts {
            let name = (put.table.clone(), put.key.clone());
            expect(&name, put.expect);
            let value = Value { data: put.value.clone(), revision: 0, expires_at: put.expires_at.unwrap_or(0) };
            all.push((name, "put", Some(value)));
        }
        for remove in &request.removes {
            let name = (remove.table.clone(), remove.key.clone());
            expect(&name, remove.expect);
            all.push((name, "remove", None));
        }
        for (name, part, change) in all {
            if parts.insert(name.clone(), part).is_some_and(|other| other != part) {
                reasons.push(format!("repeated key {} {}", name.0, name.1));
            }
            changes.insert(name, change);
        }
        for increment in &request.increments {
            let name = (increment.table.clone(), increment.key.clone());
            let old = match parts.get(&name) {
                Some(&"increment") => changes[&name].clone(),
                _ => before.visible(&name, now).cloned(),
            };
            let number = old.as_ref().map_or(Some(0), |value| value.data.text().and_then(|text| text.parse().ok()));
            let sum = number.and_then(|number: i64| number.checked_add(increment.by));
            let sum = sum.filter(|sum| {
                increment.min.is_none_or(|min| *sum >= min) && increment.max.is_none_or(|max| *sum <= max)
            });
            let Some(sum) = sum else {
                reasons.push(format!("bounds {} {}", name.0, name.1));
                continue;
            };
            counts.push(sum);
            if parts.insert(name.clone(), "increment").is_some_and(|other| other != "increment") {
                reasons.push(format!("repeated key {} {}", name.0, name.1));
            }
            let expires_at = old.map_or(0, |value| value.expires_at);
            changes.insert(name, Some(Value { data: sum.to_string().into(), revision: 0, expires_at }));
        }
        let mut expired: Vec<(Millis, Name)> = before
            .records
            .iter()
            .filter(|(_, value)| value.expires_at != 0 && value.expires_at <= now)
            .map(|(name, value)| (value.expires_at, name.clone()))
            .collect();
        expired.sort();
        for (_, name) in expired.into_iter().take(16) {
            changes.entry(name).or_insert(None);
        }
        for (name, change) in changes {
            match change {
                Some(value) => {
                    *wrote = true;
                    self.records.insert(name, value);
                }
                None => *wrote |= self.records.remove(&name).is_some(),
            }
        }
        counts
    }

    #[allow(clippy::too_many_arguments)]
    fn settle(
        &mut self,
        owner: OwnerId,
        request_id: Option<&str>,
        asked: String,
        revision: u64,
        ids: &[u64],
        counts: &[i64],
        wrote: bool,
    ) {
        self.ids.extend(ids);
        if wrote && let Some(id) = request_id {
            let outcome = Remembered { revision: revision + 1, asked, ids: ids.into(), counts: counts.into() };
            self.memo.insert((owner.0, id.into()), outcome);
        }
    }

    /// What was written got this revision.
    pub fn stamp(&mut self, before: &Self, revision: u64) {
        for (name, value) in &mut self.records {
            if value.revision == 0 {
                value.revision = revision;
            }
            debug_assert!(before.records.get(name).is_none_or(|old| old.revision <= value.revision));
        }
        for (name, outcome) in &mut self.memo {
            if before.memo.get(name).is_none_or(|old| old.revision != outcome.revision) {
                outcome.revision = revision;
            }
        }
    }

    fn paused(&self, group: &str) -> bool {
        let settings = self.records.get(&("_groups".to_string(), group.to_string()));
        settings.is_some_and(|value| value.data.text() == Some(r#"{"paused":true}"#))
    }

    /// What a claim that was answered with an error should have been answered, where that is an error too.
    pub fn claim_or_refusal(
        &self,
        claim: &Claim,
        owner: OwnerId,
        now: Millis,
        revision: u64,
    ) -> (Option<Answer>, Millis) {
        let empty = Claim { groups: Vec::new(), ..claim.clone() };
        let asked = format!("{:?}", Claim { owner: OwnerId(0), request_id: None, ..claim.clone() });
        let known = self.remembered(owner, claim.request_id.as_deref(), &asked, revision);
        let answer =
            known.unwrap_or_else(|| self.claim(&Claim { request_id: None, ..empty }, owner, now, revision, &[]).0);
        (matches!(answer, Answer::Refused(_) | Answer::Reused).then_some(answer), now)
    }

    /// Judges a claim. Which tasks it took is told by their origins, and held against what it may take.
    pub fn claim(&self, claim: &Claim, owner: OwnerId, now: Millis, revision: u64, took: &[Task]) -> (Answer, Self) {
        let asked = format!("{:?}", Claim { owner: OwnerId(0), request_id: None, ..claim.clone() });
        if let Some(answer) = self.remembered(owner, claim.request_id.as_deref(), &asked, revision) {
            return (answer, self.clone());
        }
        let mut reasons = Vec::new();
        self.depends(&claim.depends, &mut reasons);
        if !reasons.is_empty() {
            reasons.sort();
            return (Answer::Refused(reasons), self.clone());
        }
        let mut after = self.clone();
        let mut left = took.iter();
        let mut ids = Vec::new();
        let mut seen = BTreeSet::new();
        for group in &claim.groups {
            if self.paused(group) || !seen.insert(group) {
                continue;
            }
            let mut free: Vec<&Task> =
                self.tasks.values().filter(|task| *task.group == **group && task.available_at <= now).collect();
            free.sort_by_key(|task| (task.available_at, task.id));
            let count = free.len().min(claim.limit - ids.len());
            for at in 0..count {
                let task = left.next().unwrap_or_else(|| panic!("{group} has {count} tasks to claim, it took {at}"));
                let mut old = match claim.order {
                    tenure_core::Order::Oldest => free[at].clone(),
                    tenure_core::Order::Random => {
                        let found = free.iter().position(|free| free.origin == task.origin);
                        free.remove(found.expect("it took one that can't be claimed")).clone()
                    }
                };
                after.tasks.remove(&old.id.0);
                after.last_id += 1;
                old.id = TaskId(after.last_id);
                old.owner = owner;
                old.available_at = now + claim.lease;
                old.attempt += 1;
                ids.push(old.id.0);
                after.tasks.insert(old.id.0, old);
            }
        }
        let wrote = !ids.is_empty();
        after.settle(owner, claim.request_id.as_deref(), asked, revision, &ids, &[], wrote);
        (Answer::Done { ids, counts: Vec::new(), wrote }, after)
    }
}

fn changed(task: &Task, update: &Update, owner: OwnerId, now: Millis, at: usize, reasons: &mut Vec<String>) -> Task {
    let mut after = task.clone();
    let named = update.available.map(|when| when.at(now).unwrap());
    if let Some(data) = &update.data {
        after.data = data.clone();
    }
    if let Some(group) = &update.group {
        after.group = group.as_str().into();
    }
    match update.verb {
        Verb::Update => {
            after.available_at = named.unwrap_or(task.available_at);
            let stays_held = held(task, now) && after.available_at > now;
            if !stays_held && after.available_at != task.available_at {
                after.owner = OwnerId(0);
            }
            if let Some(error) = &update.error {
                after.error = Some(error.as_str()).filter(|error| !error.is_empty()).map(Into::into);
            }
        }
        Verb::Renew => {
            after.available_at = named.unwrap_or(now);
            if task.owner != owner {
                reasons.push(format!("not held {}", task.id));
            }
            if after.available_at <= now {
                reasons.push(format!("illegal updates[{at}]"));
            }
            after.owner = owner;
        }
        Verb::Release => (after.owner, after.available_at) = (OwnerId(0), named.unwrap_or(now)),
        Verb::Fail => {
            (after.owner, after.available_at) = (OwnerId(0), named.unwrap_or(now));
            after.failures += 1;
            let text = update.error.as_deref().filter(|error| !error.is_empty()).unwrap_or("failed");
            after.error = Some(text.into());
        }
        Verb::Requeue => {
            (after.owner, after.available_at) = (OwnerId(0), named.unwrap_or(now));
            (after.attempt, after.failures, after.error) = (0, 0, None);
        }
    }
    if matches!(update.verb, Verb::Renew | Verb::Requeue) && update.data.is_some() {
        reasons.push(format!("illegal updates[{at}]"));
    }
    after
}
