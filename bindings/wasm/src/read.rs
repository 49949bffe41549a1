//! What is true now, in its JSON spelling.

use js_sys::Array;
use tenure_core::{TaskId, TaskState, json};
use wasm_bindgen::prelude::*;

use crate::{desk::Desk, error::Outward as _};

#[wasm_bindgen]
impl Desk {
    /// A task by its present id.
    pub fn task(&self, id: f64) -> Option<String> {
        self.0.engine().state().task(TaskId(id as u64)).as_ref().map(json::text)
    }

    /// The live task that an add began.
    pub fn find(&self, origin: f64) -> Option<String> {
        let id = self.0.engine().state().by_origin(TaskId(origin as u64))?;
        self.task(id.0 as f64)
    }

    /// The live task of a group that has this key.
    #[wasm_bindgen(js_name = byKey)]
    pub fn by_key(&self, group: &str, key: &str) -> Option<String> {
        let id = self.0.engine().state().by_key(group, key)?;
        self.task(id.0 as f64)
    }

    /// Tasks in the order of their ids; an unknown state is all of them.
    pub fn tasks(&self, group: Option<String>, state: &str, after: f64, limit: f64, now: f64) -> String {
        let states = [TaskState::Available, TaskState::Delayed, TaskState::Held];
        let wanted = states.into_iter().find(|known| known.slug() == state);
        let keep = |state| wanted.is_none_or(|wanted| wanted == state);
        let (after, limit, now) = (TaskId(after as u64), limit as usize, now as u64);
        json::text(&*self.0.engine().state().list(group.as_deref(), after, limit, now, keep))
    }

    /// Every group that has tasks.
    pub fn groups(&self, now: f64) -> String {
        json::text(&*self.0.engine().state().groups(now as u64))
    }

    /// One group; zeros where it has no tasks.
    pub fn group(&self, name: &str, now: f64) -> String {
        json::text(&self.0.engine().state().group(name, now as u64))
    }

    /// How many tasks the groups have.
    #[wasm_bindgen(js_name = groupsLen)]
    pub fn groups_len(&self, names: Vec<String>) -> f64 {
        let state = self.0.engine().state();
        names.iter().map(|name| state.group_len(name)).sum::<u64>() as f64
    }

    /// A record, unless it is absent or expired.
    pub fn get(&self, table: &str, key: &str, now: f64) -> Option<String> {
        let value = self.0.engine().state().tables().get(table, key)?;
        value.visible(now as u64).then(|| json::text(&value.record(table.into(), key.into())))
    }

    /// Records of a table, in the order of their keys.
    pub fn scan(&self, table: &str, prefix: &str, after: Option<String>, limit: f64, now: f64) -> String {
        let state = self.0.engine().state();
        let records: Vec<_> =
            state.tables().scan(table, prefix, after.as_deref(), now as u64).take(limit as usize).collect();
        json::text(&*records)
    }

    /// Revision, next id, tasks, records, clock skew seen in milliseconds.
    pub fn sizes(&self) -> Array {
        let engine = self.0.engine();
        let state = engine.state();
        let sizes = [state.revision().0, state.next_id().0, state.tasks(), state.tables().len(), engine.ahead()];
        sizes.into_iter().map(|size| JsValue::from(size as f64)).collect()
    }

    /// A digest over all tasks and records: two handles at one revision have the same.
    pub fn digest(&self) -> String {
        format!("{:016x}", self.0.engine().state().digest())
    }

    /// Whether what this handle sees is the store's present.
    #[wasm_bindgen(js_name = mayRead)]
    pub fn may_read(&self) -> Result<(), JsValue> {
        self.0.engine().may_read().outward()
    }
}
