//! Judging an update: every reason against it is collected; without one, it becomes ops.

use alloc::{borrow::Cow, format, vec::Vec};

use smallvec::SmallVec;

use super::{
    Asker, Bench, Plan, Reasons, Verdict, begin_payload,
    fate::fate,
    legal,
    ops::{new_image, update_op},
    records::Records,
    room::room,
    verb::{changed, may_change},
};
use crate::{
    entry::{Coalescer, Op, Reason, write_ops},
    error::{Error, Fate, Refusal},
    id::{OwnerId, TaskId},
    request::{Add, Depend, IfExists, Request, Update},
    state::{Arena, FoldMap, Title, key_hash},
    time::Millis,
};

/// Reasons that say what became of a task; those beyond are named alone.
const WORDED: usize = 256;

/// Judges an update.
pub(super) fn judge(bench: &Bench<'_>, request: &Request, asker: Asker<'_>, plan: &mut Plan) -> Result<Verdict, Error> {
    let mut reasons = Reasons::default();
    legal::update(&mut reasons, request, bench.limits, bench.now);
    // An illegal request is not judged further: its other reasons could mislead.
    reasons.finish()?;
    let mut draft = Drafting::new(bench, asker.owner, plan);
    if draft.meets_staged(request) {
        return Ok(Verdict::Deferred);
    }
    draft.depends(&request.depends);
    draft.deletes(request);
    draft.updates(request);
    let adds = draft.adds(request);
    let records = Records::judge(bench, request, &mut draft.reasons);
    // What a staged transaction may change is no reason yet.
    if draft.deferred {
        return Ok(Verdict::Deferred);
    }
    core::mem::take(&mut draft.reasons).finish()?;
    let added = adds.iter().any(|add| matches!(add, Added::New { .. }));
    draft.plan.footprint.added_bytes += records.bytes;
    room(bench, &draft.plan.footprint, added, !request.puts.is_empty())?;
    Ok(draft.finish(request, &adds, &records, asker))
}

/// What an add turned out to be.
enum Added<'r> {
    New { add: &'r Add, replaces: Option<Title> },
    Kept(TaskId),
}

struct Drafting<'a, 'b, 'p> {
    bench: &'b Bench<'a>,
    owner: OwnerId,
    reasons: Reasons,
    /// Ids named in updates and deletes, to find repeats.
    named: FoldMap<u64, ()>,
    /// Keys that the transaction gives.
    given: FoldMap<u64, ()>,
    updated: Vec<(usize, Title)>,
    deleted: SmallVec<[(Reason, TaskId, u32); 1]>,
    /// Those of `deleted`, to find, where it matters.
    ended: FoldMap<u64, ()>,
    deferred: bool,
    plan: &'p mut Plan,
}

impl<'a, 'b, 'p> Drafting<'a, 'b, 'p> {
    fn new(bench: &'b Bench<'a>, owner: OwnerId, plan: &'p mut Plan) -> Self {
        Self {
            bench,
            owner,
            reasons: Reasons::default(),
            named: FoldMap::default(),
            given: FoldMap::default(),
            updated: Vec::new(),
            deleted: SmallVec::new(),
            ended: FoldMap::default(),
            deferred: false,
            plan,
        }
    }

    /// Whether the request names a task that a staged transaction changes.
    fn meets_staged(&self, request: &Request) -> bool {
        let bench = self.bench;
        let named =
            request.updates.iter().map(|update| update.id).chain(request.deletes.iter().map(|delete| delete.id));
        named.into_iter().any(|id| bench.staged(id))
            || request.depends.iter().any(|depend| match depend {
                Depend::Id(id) => bench.staged(*id),
                Depend::Origin(id) => bench.staged(bench.state.by_origin(*id).unwrap_or(*id)),
            })
    }

    fn depends(&mut self, depends: &[Depend]) {
        for depend in depends {
            let (id, there) = match depend {
                Depend::Id(id) => (*id, self.bench.state.title(*id).is_some()),
                Depend::Origin(id) => (*id, self.bench.state.by_origin(*id).is_some()),
            };
            if !there {
                let (fate, ..) = self.fate(id, None);
                self.reasons.push(Refusal::MissingDepend { id, fate, now: self.bench.now });
            }
        }
    }

    /// What became of an id. Only the first reasons are worded: looking into the past takes its time for each.
    fn fate(&self, id: TaskId, origin: Option<TaskId>) -> (Fate, Millis, bool) {
        if self.reasons.0.len() < WORDED { fate(self.bench, id, origin, self.owner) } else { (Fate::Unknown, 0, false) }
    }

    fn name(&mut self, id: TaskId, alone: bool) -> bool {
        if alone {
            return true;
        }
        let fresh = self.named.insert(id.0, ()).is_none();
        if !fresh {
            self.reasons.push(Refusal::RepeatedTask { id });
        }
        fresh
    }

    fn deletes(&mut self, request: &Request) {
        let alone = request.updates.len() + request.deletes.len() == 1 && request.adds.is_empty();
        for delete in &request.deletes {
            if !self.name(delete.id, alone) {
                continue;
            }
            let Some(title) = self.bench.state.title(delete.id) else {
                let (fate, lease_end, lost) = self.fate(delete.id, delete.origin);
                let now = self.bench.now;
                self.reasons.push(Refusal::MissingDelete { id: delete.id, lost, lease_end, fate, now });
                continue;
            };
            match may_change(self.bench, &title, self.owner, delete.force) {
                Err(refusal) => self.reasons.push(refusal),
                Ok(()) => {
                    self.touch(&title);
                    self.plan.footprint.added_tasks -= 1;
                    self.deleted.push((delete.reason, delete.id, title.slot));
                    if !alone {
                        self.ended.insert(delete.id.0, ());
                    }
                }
            }
        }
    }

    fn updates(&mut self, request: &Request) {
        let alone = request.updates.len() + request.deletes.len() == 1 && request.adds.is_empty();
        for (at, update) in request.updates.iter().enumerate() {
            if !self.name(update.id, alone) {
                continue;
            }
            let Some(title) = self.bench.state.title(update.id) else {
                let (fate, lease_end, lost) = self.fate(update.id, update.origin);
                let now = self.bench.now;
                self.reasons.push(Refusal::MissingUpdate { id: update.id, lost, lease_end, fate, now });
                continue;
            };
            if let Err(refusal) = may_change(self.bench, &title, self.owner, update.force) {
                self.reasons.push(refusal);
                continue;
            }
            // Judged here for its refusals, and again when it becomes an op.
            let after = changed(self.bench, &mut self.reasons, || format!("updates[{at}]"), update, &title, self.owner);
            self.move_key(update, &title);
            self.touch(&title);
            match &update.group {
                Some(group) => self.plan.footprint.stir(group, after.available_at),
                None => self.plan.footprint.stir(self.bench.state.group_at(title.slot), after.available_at),
            }
            self.updated.push((at, title));
        }
    }

    fn move_key(&mut self, update: &Update, title: &Title) {
        let Some(group) = &update.group else { return };
        if let (Some(key), _) = self.bench.state.texts_at(title.slot)
            && **self.bench.state.group_at(title.slot) != **group
        {
            self.give(group, key);
            if let Some(id) = self.present(group, key) {
                let held = self.bench.state.title(id).is_some_and(|title| title.held(self.bench.now));
                let key = key.as_ref().into();
                self.reasons.push(Refusal::KeyExists { group: group.clone(), key, id, held, moved: true });
            }
        }
    }

    /// The task that has a key, unless this transaction deletes it.
    fn present(&self, group: &str, key: &str) -> Option<TaskId> {
        self.bench.state.by_key(group, key).filter(|id| !self.ended.contains_key(&id.0))
    }

    fn give(&mut self, group: &str, key: &str) {
        let hash = key_hash(group, key);
        if self.given.insert(hash, ()).is_some() {
            self.reasons.push(Refusal::RepeatedKey { place: group.into(), key: key.into() });
        }
        self.deferred |= self.bench.overlay.touches_key(hash);
        self.plan.footprint.key(hash);
    }

    /// Notes that the transaction changes a task.
    fn touch(&mut self, title: &Title) {
        self.plan.footprint.task(title.id);
        if let Some(key) = self.bench.state.key_of(title) {
            self.plan.footprint.key(key_hash(self.bench.state.group_at(title.slot), key));
        }
    }

    fn adds<'r>(&mut self, request: &'r Request) -> SmallVec<[Added<'r>; 1]> {
        let mut adds = SmallVec::with_capacity(request.adds.len());
        for add in &request.adds {
            let mut replaces = None;
            if let Some(key) = &add.key {
                self.give(&add.group, key);
                if let Some(title) = self.present(&add.group, key).and_then(|id| self.bench.state.title(id)) {
                    let id = TaskId(title.id);
                    let held = title.held(self.bench.now);
                    match add.if_exists {
                        IfExists::Keep => {
                            adds.push(Added::Kept(id));
                            continue;
                        }
                        IfExists::Replace if !held => {
                            if self.name(id, false) {
                                self.plan.footprint.task(title.id);
                            }
                            replaces = Some(title);
                        }
                        IfExists::Replace | IfExists::Refuse => {
                            let (group, key) = (add.group.clone(), key.clone());
                            self.reasons.push(Refusal::KeyExists { group, key, id, held, moved: false });
                        }
                    }
                }
            }
            self.plan.footprint.added_bytes += (64 + Arena::footprint(add.data.len())) as u64;
            self.plan.footprint.added_tasks += i64::from(replaces.is_none());
            self.plan.footprint.stir(&add.group, add.available.at(self.bench.now).unwrap_or_default());
            adds.push(Added::New { add, replaces });
        }
        adds
    }

    fn finish(&mut self, request: &Request, adds: &[Added<'_>], records: &Records<'a>, asker: Asker<'_>) -> Verdict {
        let bench = self.bench;
        let mut next_id = bench.next_id.0;
        let mut draw = || {
            next_id += 1;
            TaskId(next_id - 1)
        };
        let answer = &mut self.plan.answer;
        answer.counts.clone_from(&records.counts);
        let mut ops = Coalescer::with_capacity(self.deleted.len() + adds.len() + self.updated.len());
        answer.ids.reserve(adds.len() + self.updated.len());
        for (reason, id, slot) in &self.deleted {
            answer.slots.push(*slot);
            ops.push(Op::Remove { id: *id, reason: *reason });
        }
        for added in adds {
            let (add, replaces) = match added {
                Added::Kept(id) => {
                    answer.ids.push(*id);
                    continue;
                }
                Added::New { add, replaces } => (add, replaces),
            };
            if let Some(title) = replaces {
                answer.slots.push(title.slot);
                ops.push(Op::Remove { id: TaskId(title.id), reason: Reason::Replaced });
            }
            let id = draw();
            answer.ids.push(id);
            ops.push(Op::Save { replaces: TaskId(0), task: new_image(id, add, bench.now) });
        }
        let kept = adds.iter().any(|added| matches!(added, Added::Kept(_)));
        for (at, title) in &self.updated {
            let update = &request.updates[*at];
            let id = draw();
            // An add that keeps a task which this transaction also changes answers with what it becomes.
            if kept && let Some(answered) = answer.ids[..adds.len()].iter_mut().find(|kept| kept.0 == title.id) {
                *answered = id;
            }
            answer.ids.push(id);
            answer.slots.push(title.slot);
            let after = changed(bench, &mut Reasons::default(), || format!("updates[{at}]"), update, title, self.owner);
            ops.push(update_op(bench, update, title, id, after));
        }
        for (table, key, seen) in records.changes(bench) {
            let (table, key) = (Cow::Borrowed(table), Cow::Borrowed(key));
            ops.push(match seen {
                Some(seen) => Op::Put { table, key, expires_at: seen.expires_at, value: Cow::Borrowed(&seen.data) },
                None => Op::RemoveRecord { table, key },
            });
        }
        let ops = ops.ops();
        // What changes nothing is not written, unless its answer must be remembered.
        if ops.is_empty() && asker.mark.is_none() {
            return Verdict::Answer { revision: bench.state.revision(), repeated: false };
        }
        if self.plan.footprint.is_asked_for() {
            self.plan.footprint.records = records.footprint(bench);
            self.plan.footprint.request = asker.mark.map(|(id, _)| (self.owner.0, id.into()));
        }
        self.plan.next_id = TaskId(next_id);
        begin_payload(bench, asker, self.plan, ops.len(), ops.iter().map(Op::data_len).sum());
        write_ops(&mut self.plan.payload, ops);
        Verdict::Planned
    }
}
