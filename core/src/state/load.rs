//! Putting tasks and records in, and weighing them: what replay and a snapshot's reader share.

use alloc::sync::Arc;

use super::{
    Arena, CLAIM_BYTES, NONE, Remembered, State, TASK_BYTES, Title, Value, digest,
    index::{Index, ORIGIN},
    keys::key_hash,
    slot::{Claim, Slot, Texts},
};
use crate::{entry::Image, id::Author, port::Tail};

impl State {
    /// Puts a task in, of which nothing is there, and says where. `later` says whether its time is to come.
    pub(super) fn load(&mut self, image: &Image<'_>, later: bool) -> u32 {
        let id = image.id.0;
        let origin = if image.origin.0 == 0 { id } else { image.origin.0 };
        let group = self.groups.number(&image.group);
        let data = self.arena.store(&image.data);
        let plain = origin == id
            && image.owner.0 == 0
            && image.added_at == image.available_at
            && image.attempt == 0
            && image.failures == 0
            && image.key.is_none()
            && image.error.is_none();
        let mut claim = NONE;
        if !plain {
            let mut texts = NONE;
            if image.key.is_some() || image.error.is_some() {
                let text = |text: &Option<alloc::borrow::Cow<'_, str>>| text.as_deref().map(Arc::<str>::from);
                texts = self.texts.insert(Texts::new(text(&image.key), text(&image.error)));
            }
            claim = self.claims.insert(Claim {
                owner: image.owner.0,
                origin,
                added_at: image.added_at,
                attempt: image.attempt,
                failures: image.failures,
                texts,
            });
        }
        let slot = self.slots.insert(Slot {
            id,
            available_at: image.available_at,
            group,
            data,
            len: image.data.len() as u32,
            crc: crc32fast::hash(&image.data),
            claim,
        });
        self.groups[group].agenda.push(&self.slots, &mut self.places, slot, later);
        self.index_id(id, slot);
        if origin != id {
            self.index_id(origin, slot | ORIGIN);
        }
        self.index_key(slot);
        self.give_weight(slot);
        slot
    }

    /// Puts a task in, unless one of its id is there.
    pub(crate) fn load_new(&mut self, image: &Image<'_>) -> bool {
        let fresh = self.slot_of(image.id.0).is_none();
        if fresh {
            // A snapshot has them in no order.
            self.load(image, false);
        }
        fresh
    }

    pub(super) fn index_key(&mut self, slot: u32) {
        let Some(key) = self.key(slot).cloned() else { return };
        let hash = key_hash(self.group_at(slot), &key);
        let group = self.slots[slot].group;
        let (slots, claims, texts) = (&self.slots, &self.claims, &self.texts);
        // During a tolerant replay an older task of the key may stand here still; the newer one is the one to find.
        self.keys.insert(hash, slot, |other| {
            slots.get(other).is_some_and(|task| {
                task.group == group
                    && task.claim != NONE
                    && claims[task.claim].texts != NONE
                    && texts[claims[task.claim].texts].key.as_ref() == Some(&key)
            })
        });
    }

    pub(super) fn set_error(&mut self, slot: u32, error: &str) {
        let error: Option<Arc<str>> = (!error.is_empty()).then(|| error.into());
        let claim = self.slots[slot].claim;
        match (self.claims[claim].texts, error) {
            (NONE, None) => {}
            (NONE, error) => self.claims[claim].texts = self.texts.insert(Texts::new(None, error)),
            (texts, error) => {
                self.texts[texts].error = error;
                if self.texts[texts].error.is_none() && self.texts[texts].key.is_none() {
                    self.texts.remove(texts);
                    self.claims[claim].texts = NONE;
                }
            }
        }
    }

    /// All tasks of a snapshot are in. Where they came in the order of their slots alone, the index was made before it
    /// could know how close together they lie.
    pub(crate) fn tidy_index(&mut self) {
        if self.ids.sparse_len() < self.ids.len() / 4 {
            return;
        }
        let mut entries = alloc::vec::Vec::with_capacity(self.ids.len());
        for slot in self.walk_slots(0, u32::MAX) {
            let (id, origin) = (self.slots[slot].id, self.origin(slot));
            entries.push((id, slot));
            if origin != id {
                entries.push((origin, slot | ORIGIN));
            }
        }
        entries.sort_unstable();
        self.ids = Index::default();
        for (number, entry) in entries {
            self.index_id(number, entry);
        }
    }

    /// Whether it is, for a snapshot's replay, the state at this revision.
    pub(crate) fn stand_at(&mut self, tail: &Tail, level: u32, exclusive: Author) {
        self.revision = tail.revision;
        self.next_id = self.next_id.max(tail.next_id);
        self.level = level;
        self.exclusive = exclusive;
    }

    /// The replay of a snapshot has reached the end of its walk.
    pub(crate) fn settle(&mut self, window: u64) {
        self.memo.forget(self.revision, window);
    }

    pub(crate) fn load_record(&mut self, table: &str, key: &str, value: Value) {
        self.tables.put(table, key, value);
    }

    pub(crate) fn load_request(&mut self, owner: u64, id: &str, outcome: Remembered) {
        self.memo.insert(owner, id, outcome);
    }

    /// What a task adds to the size and to the digest, and the task but for its data.
    pub(super) fn measure(&self, slot: u32) -> (u64, u64, Title) {
        let task = &self.slots[slot];
        let title = self.title_of(slot, task);
        let mut bytes = TASK_BYTES + Arena::footprint(task.len as usize) as u64;
        let (mut key, mut error) = (0, 0);
        if task.claim != NONE {
            bytes += CLAIM_BYTES;
            if title.texts != NONE {
                let mut add = |text: &Option<Arc<str>>| {
                    text.as_ref().map_or(0, |text| {
                        bytes += 48 + text.len() as u64;
                        digest::text(text)
                    })
                };
                let texts = &self.texts[title.texts];
                (key, error) = (add(&texts.key), add(&texts.error));
            }
        }
        let hash = digest::item([
            title.id,
            title.origin,
            title.available_at,
            title.added_at,
            title.owner,
            u64::from(title.attempt) << 32 | u64::from(title.failures),
            self.groups[task.group].hash,
            key,
            error,
            u64::from(task.crc) << 32 | u64::from(task.len),
        ]);
        (bytes, hash, title)
    }

    /// A task comes in, or is what it is from now on.
    pub(super) fn give_weight(&mut self, slot: u32) {
        let (bytes, hash, _) = self.measure(slot);
        self.bytes += bytes;
        self.digest = self.digest.wrapping_add(hash);
    }

    /// A task goes, or is about to be changed: what it was.
    pub(super) fn take_weight(&mut self, slot: u32) -> Title {
        let (bytes, hash, title) = self.measure(slot);
        self.bytes -= bytes;
        self.digest = self.digest.wrapping_sub(hash);
        title
    }
}
