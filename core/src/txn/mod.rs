//! What should become true: requests judged against the state, and turned into ops.
//!
//! Nothing here changes the state. A request is judged against the state before it, seen through the
//! [`overlay`](Overlay) of what is staged and not yet confirmed; all reasons for a refusal are collected.
//!
//! ```text
//! Ask ── legal ──> judge (update | claim) ──> Plan { payload, answer, footprint }
//! ```

mod claim;
mod fate;
mod fingerprint;
mod footprint;
mod legal;
mod ops;
mod overlay;
mod records;
mod room;
mod update;
mod verb;

pub use fingerprint::fingerprint;
pub(crate) use footprint::Footprint;
pub use overlay::Overlay;
pub(crate) use overlay::Seen;

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};
use smallvec::SmallVec;

use crate::{
    entry::{EntryHead, RequestMark, write_request, write_who},
    error::{Error, Refusal},
    id::{OwnerId, Revision, TaskId},
    limits::Limits,
    request::{Claim, Request},
    state::{Known, State, dice::Dice},
    time::Millis,
};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// An update.
    Update(&'a Request),
    /// A claim.
    Claim(&'a Claim),
}

impl<'a> Ask<'a> {
    fn request_id(self) -> Option<&'a str> {
        match self {
            Self::Update(request) => request.request_id.as_deref(),
            Self::Claim(claim) => claim.request_id.as_deref(),
        }
    }

    fn sent_after(self) -> Option<Revision> {
        match self {
            Self::Update(request) => request.sent_after,
            // One that was lost is over with its lease.
            Self::Claim(_) => None,
        }
    }

    fn owner(self) -> OwnerId {
        match self {
            Self::Update(request) => request.owner,
            Self::Claim(claim) => claim.owner,
        }
    }

    fn actor(self) -> Option<&'a str> {
        match self {
            Self::Update(request) => request.actor.as_deref(),
            Self::Claim(claim) => claim.actor.as_deref(),
        }
    }
}

/// Who asks, as it is told in the entry's head.
#[derive(Clone, Copy)]
struct Asker<'a> {
    owner: OwnerId,
    /// `None` for the handle's own label.
    actor: Option<&'a str>,
    /// The request id, and what was asked under it.
    mark: Option<(&'a str, u64)>,
}

/// What a handle brings to every request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The owner of a request that names none.
    pub owner: OwnerId,
    /// The label of who does it.
    pub actor: Arc<str>,
}

/// What a request is judged against.
pub(crate) struct Bench<'a> {
    pub state: &'a State,
    pub overlay: &'a Overlay,
    pub limits: &'a Limits,
    pub caller: &'a Caller,
    pub now: Millis,
    pub journal_bytes: u64,
    /// The revision of the last entry that is staged.
    pub revision: Revision,
    /// The next task id behind what is staged.
    pub next_id: TaskId,
    /// Whether nothing will be staged behind this request.
    pub alone: bool,
}

impl Bench<'_> {
    /// Whether a staged transaction changes this task, or makes it.
    fn staged(&self, id: TaskId) -> bool {
        self.overlay.touches(id.0) || (id >= self.state.next_id() && id < self.next_id)
    }
}

/// What a request answers once it is confirmed.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The tasks, by their ids.
    pub ids: SmallVec<[TaskId; 2]>,
    /// The numbers that increments left.
    pub counts: Vec<i64>,
    /// Where the tasks that its ops change stand, in the order of the ops: judging has looked for them already.
    pub(crate) slots: SmallVec<[u32; 4]>,
    /// What stands at the beginning of the entry's payload, where it carries no request id and the handle's own label.
    pub(crate) written: Option<Written>,
}

impl Answer {
    /// What applying the entry need not find out again; `actor` is the handle's own label.
    pub(crate) fn known<'a>(&'a self, actor: &'a str) -> Known<'a> {
        let head = self.written.map(|Written { now, owner, ops, len }| {
            (EntryHead { now, owner, actor: Cow::Borrowed(actor), request: None, ops }, len)
        });
        Known { slots: &self.slots, head }
    }
}

/// The head of a payload that this handle has just written: it need not be read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub now: Millis,
    pub owner: OwnerId,
    pub ops: u32,
    /// Its bytes.
    pub len: usize,
}

/// What a request becomes that was judged and found good. One after another is made in the same place.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub payload: Vec<u8>,
    pub next_id: TaskId,
    pub answer: Answer,
    pub footprint: Footprint,
    /// The time and the owner of the last head, and its bytes but for the request and the number of ops: the next
    /// one mostly begins with the same.
    head: (Millis, OwnerId, Vec<u8>),
}

impl Plan {
    /// Forgets the last one.
    fn begin(&mut self, alone: bool) {
        self.payload.clear();
        self.answer = Answer::default();
        self.footprint.begin(alone);
    }
}

/// How the judgement of a request ended.
pub(crate) enum Verdict {
    /// It becomes an entry: that of the plan.
    Planned,
    /// There is nothing to write: a repeat, or a claim that found nothing. The plan has the answer.
    Answer { revision: Revision, repeated: bool },
    /// It meets something that is staged and not confirmed: ask again once that is settled.
    Deferred,
}

/// Judges a request, and makes what it becomes in `plan`.
pub(crate) fn judge(bench: &Bench<'_>, ask: Ask<'_>, dice: &mut Dice, plan: &mut Plan) -> Result<Verdict, Error> {
    plan.begin(bench.alone);
    let owner = match ask.owner() {
        OwnerId(0) => bench.caller.owner,
        owner => owner,
    };
    let actor = ask.actor();
    if let Some(label) = actor {
        legal::actor(label, bench.limits)?;
    }
    let mut mark = None;
    if let Some(id) = ask.request_id() {
        legal::request_id(id, bench.limits)?;
        let asked = fingerprint(ask);
        // It is forgotten by what is staged, as it will be by whoever reads that.
        let last = bench.revision.0.saturating_sub(bench.limits.request_window);
        let known = bench.state.memo().get(owner.0, id);
        if let Some(known) = known.filter(|known| known.revision.0 > last) {
            if known.fingerprint != asked {
                return Err(Error::new(
                    crate::error::Code::RequestReused,
                    alloc::format!(
                        "request id {id:?} was used for another request at revision {}: draw a new id for each request",
                        known.revision
                    ),
                ));
            }
            let ids =
                known.ids.iter().flat_map(|(first, count)| (0..u64::from(*count)).map(move |i| TaskId(first + i)));
            plan.answer = Answer { ids: ids.collect(), counts: known.counts.clone(), ..Answer::default() };
            return Ok(Verdict::Answer { revision: known.revision, repeated: true });
        }
        if bench.overlay.asked(owner, id) {
            return Ok(Verdict::Deferred);
        }
        if ask.sent_after().is_some_and(|sent| sent.0 < last) {
            return Err(legal::forgotten(id, bench.limits));
        }
        mark = Some((id, asked));
    }
    let asker = Asker { owner, actor, mark };
    match ask {
        Ask::Update(request) => update::judge(bench, request, asker, plan),
        Ask::Claim(request) => claim::judge(bench, request, asker, dice, plan),
    }
}

/// Begins a plan's payload: writes the head. As many ops follow, with so many bytes of data.
fn begin_payload(bench: &Bench<'_>, asker: Asker<'_>, plan: &mut Plan, ops: usize, data: usize) {
    let Asker { owner, actor, mark } = asker;
    let request = mark.map(|(id, fingerprint)| RequestMark {
        id: Cow::Borrowed(id),
        fingerprint,
        ids: runs(&plan.answer.ids),
        counts: plan.answer.counts.clone(),
    });
    let Plan { payload, answer, head, .. } = plan;
    if let Some(actor) = actor {
        payload.reserve(64 + actor.len() + ops * 32 + data);
        write_who(payload, bench.now, owner, actor);
    } else {
        if (head.0, head.1) != (bench.now, owner) || head.2.is_empty() {
            head.2.clear();
            write_who(&mut head.2, bench.now, owner, &bench.caller.actor);
            (head.0, head.1) = (bench.now, owner);
        }
        payload.reserve(64 + head.2.len() + ops * 32 + data);
        payload.extend_from_slice(&head.2);
    }
    write_request(payload, request.as_ref(), ops as u32);
    if request.is_none() && actor.is_none() {
        answer.written = Some(Written { now: bench.now, owner, ops: ops as u32, len: payload.len() });
    }
}

fn runs(ids: &[TaskId]) -> Vec<(u64, u32)> {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((first, count)) if *first + u64::from(*count) == id.0 => *count += 1,
            _ => runs.push((id.0, 1)),
        }
    }
    runs
}

/// Reasons for a refusal, being collected.
#[derive(Default)]
struct Reasons(Vec<Refusal>);

impl Reasons {
    #[cold]
    fn push(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    #[cold]
    fn illegal(&mut self, place: String, code: crate::error::Code, why: String) {
        self.0.push(Refusal::Illegal { place, why, code });
    }

    fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::rejected(self.0)) }
    }
}
