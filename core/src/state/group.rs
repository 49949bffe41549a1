//! Groups: names with the agendas of their tasks. A group exists while it has tasks.

use alloc::{sync::Arc, vec::Vec};

use super::{agenda::Agenda, digest, memo::FoldMap};

/// A group's name and tasks.
#[derive(Debug)]
pub struct Group {
    /// The name.
    pub name: Arc<str>,
    /// The hash of the name, for the digest.
    pub hash: u64,
    /// Its tasks.
    pub agenda: Agenda,
}

/// All groups, numbered.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Group>,
    names: FoldMap<Arc<str>, u32>,
    vacant: Vec<u32>,
    /// One that has no task left, and is kept for the next one: a queue that is empty at times must not begin anew each time.
    idle: Option<u32>,
    /// The one that was asked for last: most transactions stay in one group.
    latest: u32,
}

impl Groups {
    /// The number of a group that exists, or of the one that last did.
    pub fn find(&self, name: &str) -> Option<u32> {
        if let Some(group) = self.groups.get(self.latest as usize)
            && *group.name == *name
        {
            return Some(self.latest);
        }
        self.names.get(name).copied()
    }

    /// The number of a group that has, or is about to get, tasks.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(found) = self.find(name) {
            self.latest = found;
            self.idle.take_if(|idle| *idle == found);
            return found;
        }
        let name: Arc<str> = name.into();
        let group = Group { name: name.clone(), hash: digest::text(&name), agenda: Agenda::default() };
        let number = match self.vacant.pop() {
            Some(number) => {
                self.groups[number as usize] = group;
                number
            }
            None => {
                self.groups.push(group);
                (self.groups.len() - 1) as u32
            }
        };
        self.names.insert(name, number);
        self.latest = number;
        number
    }

    /// Lets go of a group that has no task left, once another one has none.
    pub fn retire(&mut self, number: u32) {
        if !self.groups[number as usize].agenda.is_empty() {
            return;
        }
        let Some(last) = self.idle.replace(number).filter(|last| *last != number) else { return };
        let group = &mut self.groups[last as usize];
        self.names.remove(&group.name);
        group.name = Arc::default();
        group.agenda = Agenda::default();
        self.vacant.push(last);
    }

    /// The groups that exist, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Group)> + '_ {
        let named = self.names.values().map(|number| (*number, &self.groups[*number as usize]));
        named.filter(|(_, group)| !group.agenda.is_empty())
    }
}

impl core::ops::Index<u32> for Groups {
    type Output = Group;

    fn index(&self, number: u32) -> &Group {
        &self.groups[number as usize]
    }
}

impl core::ops::IndexMut<u32> for Groups {
    fn index_mut(&mut self, number: u32) -> &mut Group {
        &mut self.groups[number as usize]
    }
}
