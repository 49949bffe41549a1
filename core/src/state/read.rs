//! Looking at tasks and groups.

use alloc::{string::ToString, sync::Arc, vec::Vec};

use super::{NONE, State, Title, group, slot::Slot};
use crate::{
    id::{OwnerId, TaskId},
    task::{GroupStats, Task, TaskState},
    time::Millis,
};

impl State {
    /// A task but for its data.
    pub fn title(&self, id: TaskId) -> Option<Title> {
        self.slot_of(id.0).map(|slot| self.title_at(slot))
    }

    pub(super) fn title_at(&self, slot: u32) -> Title {
        self.title_of(slot, &self.slots[slot])
    }

    pub(super) fn title_of(&self, slot: u32, task: &Slot) -> Title {
        let mut title = Title {
            slot,
            id: task.id,
            origin: task.id,
            available_at: task.available_at,
            added_at: task.available_at,
            owner: 0,
            attempt: 0,
            failures: 0,
            len: task.len,
            texts: NONE,
        };
        if task.claim != NONE {
            let claim = &self.claims[task.claim];
            title.origin = claim.origin;
            title.added_at = claim.added_at;
            title.owner = claim.owner;
            title.attempt = claim.attempt;
            title.failures = claim.failures;
            title.texts = claim.texts;
        }
        title
    }

    /// The group of a task in a slot.
    pub fn group_at(&self, slot: u32) -> &Arc<str> {
        &self.groups[self.slots[slot].group].name
    }

    /// The key and the error of a task in a slot.
    pub fn texts_at(&self, slot: u32) -> (Option<&Arc<str>>, Option<&Arc<str>>) {
        self.text(slot).map_or((None, None), |texts| (texts.key.as_ref(), texts.error.as_ref()))
    }

    /// The key of a task that was just looked at.
    pub(crate) fn key_of(&self, title: &Title) -> Option<&Arc<str>> {
        if title.texts == NONE { None } else { self.texts[title.texts].key.as_ref() }
    }

    /// The data of a task in a slot.
    pub fn data_at(&self, slot: u32) -> &[u8] {
        let task = &self.slots[slot];
        self.arena.bytes(task.data, task.len as usize)
    }

    /// A task.
    pub fn task(&self, id: TaskId) -> Option<Task> {
        self.slot_of(id.0).map(|slot| self.task_at(slot))
    }

    /// A task that is likely to be the one which the last entry made or changed as its `at`th.
    pub(crate) fn placed(&self, at: usize, id: TaskId) -> Option<Task> {
        match self.placed.get(at) {
            Some(slot) if self.slots.get(*slot).is_some_and(|task| task.id == id.0) => Some(self.task_at(*slot)),
            _ => self.task(id),
        }
    }

    fn task_at(&self, slot: u32) -> Task {
        let place = &self.slots[slot];
        let title = self.title_of(slot, place);
        let texts = (title.texts != NONE).then(|| &self.texts[title.texts]);
        Task {
            id: TaskId(title.id),
            origin: TaskId(title.origin),
            group: self.groups[place.group].name.clone(),
            key: texts.and_then(|texts| texts.key.clone()),
            available_at: title.available_at,
            added_at: title.added_at,
            owner: OwnerId(title.owner),
            attempt: title.attempt,
            failures: title.failures,
            error: texts.and_then(|texts| texts.error.clone()),
            data: self.arena.data(place.data, place.len as usize),
        }
    }

    /// The live tasks with ids above `after`, in the order of their ids, of one group or of all, at most `limit`
    /// and only those whose state `keep` accepts.
    pub fn list(
        &self,
        group: Option<&str>,
        after: TaskId,
        limit: usize,
        now: Millis,
        keep: impl Fn(TaskState) -> bool,
    ) -> Vec<Task> {
        let wanted = |slot: u32| {
            let title = self.title_at(slot);
            title.id > after.0 && keep(TaskState::of(OwnerId(title.owner), title.available_at, now))
        };
        let mut found: Vec<(u64, u32)> = match group {
            Some(group) => {
                let Some(number) = self.groups.find(group) else { return Vec::new() };
                let agenda = &self.groups[number].agenda;
                agenda.iter().filter(|slot| wanted(*slot)).map(|slot| (self.slots[slot].id, slot)).collect()
            }
            None => (0..self.slots.end())
                .filter(|slot| self.slots.get(*slot).is_some() && wanted(*slot))
                .map(|slot| (self.slots[slot].id, slot))
                .collect(),
        };
        if found.len() > limit {
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found.into_iter().map(|(_, slot)| self.task_at(slot)).collect()
    }

    /// Every group that has tasks, in the order of their names.
    pub fn groups(&self, now: Millis) -> Vec<GroupStats> {
        let mut all: Vec<GroupStats> = self.groups.iter().map(|(_, group)| self.stats_of(group, now)).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// What is known of one group; zeros where it has no tasks.
    pub fn group(&self, name: &str, now: Millis) -> GroupStats {
        match self.groups.find(name) {
            Some(number) => self.stats_of(&self.groups[number], now),
            None => GroupStats { name: name.to_string(), paused: self.paused(name), ..GroupStats::default() },
        }
    }

    fn stats_of(&self, group: &group::Group, now: Millis) -> GroupStats {
        let mut stats = GroupStats {
            name: group.name.to_string(),
            tasks: group.agenda.len() as u64,
            oldest: group.agenda.first(&self.slots).filter(|at| *at <= now),
            paused: self.paused(&group.name),
            ..GroupStats::default()
        };
        for slot in group.agenda.iter() {
            let at = self.slots[slot].available_at;
            match TaskState::of(OwnerId(self.claim(slot).map_or(0, |claim| claim.owner)), at, now) {
                TaskState::Available => stats.available += 1,
                TaskState::Delayed => stats.delayed += 1,
                TaskState::Held => stats.held += 1,
            }
        }
        stats
    }

    /// How many groups have tasks.
    pub fn group_count(&self) -> u64 {
        self.groups.iter().count() as u64
    }

    /// How many tasks a group has.
    pub fn group_len(&self, name: &str) -> u64 {
        self.groups.find(name).map_or(0, |number| self.groups[number].agenda.len() as u64)
    }
}
