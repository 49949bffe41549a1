//! The conformance suite finds each of these faults, under the number of the contract that it breaks.

#![cfg(feature = "std")]

use tenure_core::{
    Code, Error, Position, Result, Revision, StoreId, TaskId,
    port::{
        AppendError, Body, Draft, Journal, JournalStats, Piece, Pieces, SnapshotName, Stored, Synced, Syncer, Tail,
        Visit,
        conformance::{self, Ground, Verdict},
    },
    rows::{MemoryRows, RowLog},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Sound,
    AppendsWhereverTheTailIs,
    IgnoresTheLink,
    AppendsOneByOne,
    AnswersConflictsAsUnknown,
    ReadsNothingBelowTheFloor,
    ReadsTheFirstEntryTwice,
    ChangesAPayload,
    SwallowsTheVisitorsError,
    SwallowsTheBodysError,
    RunsNoBody,
    SyncsNothing,
    ClaimsWhatComesLater,
    HealsByForgetting,
    PublishesWhatIsUnfinished,
    ListsOldestFirst,
    KeepsRemovedSnapshots,
    LetsGoOfTooMuch,
    ForgetsItsIdentity,
}

use Fault::{
    AnswersConflictsAsUnknown, AppendsOneByOne, AppendsWhereverTheTailIs, ChangesAPayload, ClaimsWhatComesLater,
    ForgetsItsIdentity, HealsByForgetting, IgnoresTheLink, KeepsRemovedSnapshots, LetsGoOfTooMuch, ListsOldestFirst,
    PublishesWhatIsUnfinished, ReadsNothingBelowTheFloor, ReadsTheFirstEntryTwice, RunsNoBody, Sound,
    SwallowsTheBodysError, SwallowsTheVisitorsError, SyncsNothing,
};

const FAULTS: &[(Fault, &str)] = &[
    (AppendsWhereverTheTailIs, "J1"),
    (IgnoresTheLink, "J1"),
    (AppendsOneByOne, "J2"),
    (AnswersConflictsAsUnknown, "J3"),
    (ReadsNothingBelowTheFloor, "J4"),
    (ReadsTheFirstEntryTwice, "J4"),
    (ChangesAPayload, "J4"),
    (SwallowsTheVisitorsError, "J4"),
    (SwallowsTheBodysError, "J5"),
    (RunsNoBody, "J5"),
    (SyncsNothing, "J6"),
    (ClaimsWhatComesLater, "J6"),
    (HealsByForgetting, "J6"),
    (PublishesWhatIsUnfinished, "J7"),
    (ListsOldestFirst, "J7"),
    (KeepsRemovedSnapshots, "J7"),
    (LetsGoOfTooMuch, "J8"),
    (ForgetsItsIdentity, "J9"),
];

/// A good journal behind a bad one.
struct Faulty {
    fault: Fault,
    good: Box<dyn Journal>,
}

struct FaultySyncer {
    fault: Fault,
    good: Box<dyn Syncer>,
}

impl Syncer for FaultySyncer {
    fn sync(&mut self) -> Result<Synced> {
        let synced = self.good.sync()?;
        Ok(match self.fault {
            SyncsNothing => Synced { position: Position(1) },
            ClaimsWhatComesLater => Synced { position: Position(synced.position.0 + 100) },
            _ => synced,
        })
    }
}

impl Faulty {
    fn here(&mut self) -> Result<Tail> {
        let floor = self.good.floor()?;
        self.good.read(&floor, &mut |_| Ok(()))
    }
}

impl Journal for Faulty {
    fn identity(&self) -> StoreId {
        if self.fault == ForgetsItsIdentity { StoreId([0; 16]) } else { self.good.identity() }
    }

    fn floor(&mut self) -> Result<Tail> {
        self.good.floor()
    }

    fn read(&mut self, from: &Tail, visit: Visit<'_>) -> Result<Tail> {
        let fault = self.fault;
        let mut first = true;
        let answer = self.good.read(from, &mut |stored| {
            if fault == ReadsTheFirstEntryTwice && first {
                visit(stored)?;
            }
            first = false;
            let mut changed = stored.payload.to_vec();
            if let (ChangesAPayload, Some(byte)) = (fault, changed.last_mut()) {
                *byte ^= 1;
            }
            visit(Stored { payload: &changed, ..stored })
        });
        match answer {
            Err(error) if fault == ReadsNothingBelowTheFloor && error.code() == Code::Truncated => Ok(*from),
            Err(error) if fault == SwallowsTheVisitorsError && error.code() == Code::Cancelled => self.here(),
            answer => answer,
        }
    }

    fn section_after(&mut self, wait: u64, meanwhile: Body<'_>, body: Body<'_>) -> Result<()> {
        let answer = if self.fault == RunsNoBody { Ok(()) } else { self.good.section_after(wait, meanwhile, body) };
        if self.fault == SwallowsTheBodysError { Ok(()) } else { answer }
    }

    fn append(&mut self, at: &Tail, drafts: &[Draft]) -> Result<Tail, AppendError> {
        match self.fault {
            AppendsWhereverTheTailIs => {
                let here = self.here().map_err(AppendError::Refused)?;
                let mut drafts = drafts.to_vec();
                for (i, draft) in drafts.iter_mut().enumerate() {
                    draft.revision = Revision(here.revision.0 + 1 + i as u64);
                    draft.next_id = TaskId(draft.next_id.0.max(here.next_id.0));
                }
                self.good.append(&here, &drafts)
            }
            IgnoresTheLink => {
                let here = self.here().map_err(AppendError::Refused)?;
                let at = if here.position == at.position { here } else { *at };
                self.good.append(&at, drafts)
            }
            AppendsOneByOne => {
                let mut tail = *at;
                for draft in drafts {
                    tail = self.good.append(&tail, core::slice::from_ref(draft))?;
                }
                Ok(tail)
            }
            AnswersConflictsAsUnknown => self.good.append(at, drafts).map_err(|error| match error {
                AppendError::Conflict => AppendError::Unknown(Error::new(Code::Unknown, "who knows")),
                error => error,
            }),
            _ => self.good.append(at, drafts),
        }
    }

    fn syncer(&mut self) -> Box<dyn Syncer> {
        Box::new(FaultySyncer { fault: self.fault, good: self.good.syncer() })
    }

    fn durable(&mut self) -> Position {
        self.good.durable()
    }

    fn note_synced(&mut self, synced: &Synced) {
        self.good.note_synced(synced);
    }

    fn heal(&mut self, wait: u64) -> Result<()> {
        if self.fault == HealsByForgetting {
            let here = self.here()?;
            self.good.truncate_before(here.position)?;
        }
        self.good.heal(wait)
    }

    fn publish_snapshot(&mut self, pieces: Pieces<'_>) -> Result<()> {
        if self.fault != PublishesWhatIsUnfinished {
            return self.good.publish_snapshot(pieces);
        }
        let mut failed = None;
        self.good.publish_snapshot(&mut || {
            pieces().or_else(|error| {
                failed = Some(error);
                Ok(Piece::Name(SnapshotName { end: Revision(1), author: tenure_core::Author(5) }))
            })
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn snapshots(&mut self) -> Result<Vec<SnapshotName>> {
        let mut names = self.good.snapshots()?;
        if self.fault == ListsOldestFirst {
            names.reverse();
        }
        Ok(names)
    }

    fn read_snapshot(&mut self, name: SnapshotName, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.good.read_snapshot(name, visit)
    }

    fn remove_snapshot(&mut self, name: SnapshotName) -> Result<()> {
        if self.fault == KeepsRemovedSnapshots { Ok(()) } else { self.good.remove_snapshot(name) }
    }

    fn truncate_before(&mut self, position: Position) -> Result<()> {
        let more = u64::from(self.fault == LetsGoOfTooMuch);
        self.good.truncate_before(Position(position.0.saturating_add(more)))
    }

    fn stats(&mut self) -> Result<JournalStats> {
        self.good.stats()
    }

    fn reopen(&self) -> Result<Box<dyn Journal>> {
        Ok(Box::new(Self { fault: self.fault, good: self.good.reopen()? }))
    }

    fn close(&mut self) -> Result<()> {
        self.good.close()
    }
}

struct Bad {
    fault: Fault,
    made: u8,
}

impl Ground for Bad {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        self.made += 1;
        let good = Box::new(RowLog::new(MemoryRows::new(StoreId([self.made; 16]))));
        Ok(Box::new(Faulty { fault: self.fault, good }))
    }
}

fn broken(fault: Fault) -> Vec<&'static str> {
    let findings = conformance::run(&mut Bad { fault, made: 0 });
    findings.iter().filter(|f| matches!(f.verdict, Verdict::Broken(_))).map(|finding| finding.contract).collect()
}

#[test]
fn each_fault_is_found_under_its_contract() {
    for (fault, contract) in FAULTS {
        let broken = broken(*fault);
        assert!(broken.contains(contract), "{fault:?}: expected {contract} among {broken:?}");
    }
}

#[test]
fn without_a_fault_nothing_is_broken() {
    assert_eq!(broken(Sound), Vec::<&str>::new());
}

#[test]
fn a_check_that_can_not_be_carried_out_is_told_apart_from_one_that_passed() {
    let findings = conformance::run(&mut Bad { fault: Sound, made: 0 });
    let skipped: Vec<_> = findings.iter().filter(|f| matches!(f.verdict, Verdict::Skipped(_))).collect();
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].statement.starts_with("a recreated store"), "{}", skipped[0]);
    conformance::assert_kept(&findings, &[skipped[0].statement]);
}
