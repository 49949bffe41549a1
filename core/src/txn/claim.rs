//! Judging a claim: which available tasks become whose, and for how long.

use alloc::{borrow::Cow, string::String};

use smallvec::SmallVec;

use super::{Asker, Bench, Plan, Reasons, Verdict, begin_payload, fate::fate, legal};
use crate::{
    entry::{Op, Retitle, write_op},
    error::{Error, Refusal},
    id::TaskId,
    record::GROUPS_TABLE,
    request::{Claim, Depend, Order},
    state::{FoldMap, dice::Dice, key_hash},
};

/// Judges a claim.
pub(super) fn judge(
    bench: &Bench<'_>,
    claim: &Claim,
    asker: Asker<'_>,
    dice: &mut Dice,
    plan: &mut Plan,
) -> Result<Verdict, Error> {
    let owner = asker.owner;
    let mut illegal = Reasons::default();
    legal::claim(&mut illegal, claim, bench.limits, bench.now);
    // As an illegal update, it is not judged further.
    illegal.finish()?;
    let mut reasons = Reasons::default();
    for depend in &claim.depends {
        let (id, found) = match depend {
            Depend::Id(id) => (*id, bench.state.title(*id).map(|_| *id)),
            Depend::Origin(id) => (*id, bench.state.by_origin(*id)),
        };
        if bench.staged(found.unwrap_or(id)) {
            return Ok(Verdict::Deferred);
        }
        if found.is_none() {
            let (fate, ..) = fate(bench, id, None, owner);
            reasons.push(Refusal::MissingDepend { id, fate, now: bench.now });
        }
    }
    reasons.finish()?;

    let mut taken: SmallVec<[u32; 4]> = SmallVec::new();
    let mut named = Named::default();
    for (at, group) in claim.groups.iter().enumerate() {
        let limit = claim.limit - taken.len();
        if limit == 0 {
            break;
        }
        if bench.overlay.writes(GROUPS_TABLE, group) {
            return Ok(Verdict::Deferred);
        }
        // A group that is named twice, or whose settings say so, has nothing more to give.
        if named.again(&claim.groups, at) || bench.state.paused(group) {
            continue;
        }
        let skip = |id: u64| bench.overlay.touches(id);
        let found = match claim.order {
            Order::Random => bench.state.draw(group, bench.now, limit, dice, skip),
            Order::Oldest => bench.state.oldest(group, bench.now, limit, skip),
        };
        // What is staged may have put more there, or something older: this claim must not pass that over.
        let wanted_before = match (claim.order, found.last()) {
            (Order::Random, Some(_)) if found.len() == limit => 0,
            (Order::Oldest, Some(last)) if found.len() == limit => bench.state.title_in(*last).available_at,
            _ => bench.now.saturating_add(1),
        };
        if bench.overlay.first_in(group).is_some_and(|first| first < wanted_before) {
            return Ok(Verdict::Deferred);
        }
        if taken.is_empty() {
            taken = found;
        } else {
            taken.extend(found);
        }
    }
    if taken.is_empty() {
        return Ok(Verdict::Answer { revision: bench.state.revision(), repeated: false });
    }

    let available_at = bench.now + claim.lease;
    let first = bench.next_id.0;
    plan.next_id = TaskId(first + taken.len() as u64);
    plan.answer.ids.reserve(taken.len());
    for id in first..plan.next_id.0 {
        plan.answer.ids.push(TaskId(id));
    }
    if plan.footprint.is_asked_for() {
        plan.footprint.request = asker.mark.map(|(id, _)| (owner.0, id.into()));
    }
    begin_payload(bench, asker, plan, taken.len(), 0);
    for (&slot, id) in taken.iter().zip(first..) {
        let title = bench.state.title_in(slot);
        plan.footprint.task(title.id);
        if let Some(key) = bench.state.key_of(&title) {
            plan.footprint.key(key_hash(bench.state.group_at(slot), key));
        }
        let retitle = Retitle {
            old: TaskId(title.id),
            id: TaskId(id),
            available_at,
            owner,
            attempt: title.attempt.saturating_add(1),
            failures: title.failures,
            group: None::<Cow<'_, str>>,
            error: None,
        };
        write_op(&mut plan.payload, &Op::Retitle(retitle));
    }
    plan.answer.slots = taken;
    Ok(Verdict::Planned)
}

/// Groups that a claim looks through for a repeat; beyond them it keeps a set.
const FEW: usize = 16;

/// The groups that a claim has named so far.
#[derive(Default)]
struct Named<'a>(FoldMap<&'a str, ()>);

impl<'a> Named<'a> {
    /// Whether the group at this place stands before it already.
    fn again(&mut self, groups: &'a [String], at: usize) -> bool {
        if groups.len() <= FEW {
            return groups[..at].contains(&groups[at]);
        }
        self.0.insert(&groups[at], ()).is_some()
    }
}
