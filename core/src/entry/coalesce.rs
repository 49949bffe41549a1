//! Merging the ops of one transaction that speak of the same thing.
//!
//! ```text
//! save 1a  save 2  save 1b  save 3        ->  save 1b  save 2  save 3       the later image in the earlier place
//! remove 3  remove 4  remove 3            ->  remove 3  remove 4
//! put k=1  put k=2                        ->  put k=2
//! save 1a  retitle 1 to 5  save 1b        ->  as they stand
//! ```
//!
//! An op takes in a later one of its kind only where no other has touched the item in between, so that replay gives
//! the same state; a save and a remove of one task both stay. A single request names no task twice, and its records
//! are merged when they are judged: for those nothing is left to do, and nothing is looked up. It matters to whoever
//! makes one transaction out of several changes.

use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap};

use smallvec::SmallVec;

use super::Op;

/// A record's table and key.
type Name<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Ops of one transaction; most have one.
pub type Ops<'a> = SmallVec<[Op<'a>; 1]>;

/// Collects the ops of one transaction. Taking them consumes it, so nothing is added or taken afterwards:
///
/// ```compile_fail
/// let mut ops = tenure_core::entry::Coalescer::default();
/// let taken = ops.into_ops();
/// ops.push(tenure_core::entry::Op::Level(2));
/// ```
#[derive(Debug, Default)]
pub struct Coalescer<'a> {
    ops: Ops<'a>,
    /// Made when something is looked for: most transactions touch nothing twice.
    index: Option<Box<Index<'a>>>,
    /// The highest task id that was touched: what lies above it is new, and is not looked for.
    highest: u64,
}

/// Which op touched what last.
#[derive(Debug, Default)]
struct Index<'a> {
    tasks: BTreeMap<u64, usize>,
    records: BTreeMap<Name<'a>, usize>,
    /// How many ops are in it.
    ops: usize,
}

impl<'a> Coalescer<'a> {
    /// A collector with room for that many ops.
    pub fn with_capacity(ops: usize) -> Self {
        Self { ops: SmallVec::with_capacity(ops), index: None, highest: 0 }
    }

    /// Adds an op, or lets an earlier one take it in.
    pub fn push(&mut self, op: Op<'a>) {
        let fresh = match &op {
            Op::Save { task, .. } => task.id.0 > self.highest,
            Op::Remove { id, .. } => id.0 > self.highest,
            Op::Put { .. } | Op::RemoveRecord { .. } => self.ops.is_empty(),
            Op::Retitle(_) | Op::Level(_) => true,
        };
        self.highest = touched(&op).into_iter().fold(self.highest, u64::max);
        if fresh {
            self.ops.push(op);
        } else {
            self.push_or_merge(op);
        }
    }

    fn push_or_merge(&mut self, op: Op<'a>) {
        let op = match op {
            Op::Save { replaces, task } => match self.task(task.id.0) {
                Some(Op::Save { task: earlier, .. })
                    if earlier.id == task.id && (replaces.0 == 0 || replaces == task.id) =>
                {
                    *earlier = task;
                    return;
                }
                _ => Op::Save { replaces, task },
            },
            Op::Remove { id, reason } => match self.task(id.0) {
                Some(Op::Remove { .. }) => return,
                _ => Op::Remove { id, reason },
            },
            Op::Put { table, key, expires_at, value } => match self.record(&table, &key) {
                Some(Op::Put { expires_at: earlier_expiry, value: earlier, .. }) => {
                    (*earlier_expiry, *earlier) = (expires_at, value);
                    return;
                }
                _ => Op::Put { table, key, expires_at, value },
            },
            Op::RemoveRecord { table, key } => match self.record(&table, &key) {
                Some(Op::RemoveRecord { .. }) => return,
                _ => Op::RemoveRecord { table, key },
            },
            op @ (Op::Retitle(_) | Op::Level(_)) => op,
        };
        self.ops.push(op);
    }

    /// The merged ops so far, in the order in which their items were first named.
    pub fn ops(&self) -> &[Op<'a>] {
        &self.ops
    }

    /// The merged ops, in the order in which their items were first named.
    pub fn into_ops(self) -> Ops<'a> {
        self.ops
    }

    /// The op that touched a task last.
    fn task(&mut self, id: u64) -> Option<&mut Op<'a>> {
        let at = *self.indexed().tasks.get(&id)?;
        self.ops.get_mut(at)
    }

    /// The op that touched a record last.
    fn record(&mut self, table: &Cow<'a, str>, key: &Cow<'a, str>) -> Option<&mut Op<'a>> {
        let at = *self.indexed().records.get(&(table.clone(), key.clone()))?;
        self.ops.get_mut(at)
    }

    fn indexed(&mut self) -> &Index<'a> {
        let index = self.index.get_or_insert_default();
        for (at, op) in self.ops.iter().enumerate().skip(index.ops) {
            index.tasks.extend(touched(op).into_iter().filter(|id| *id != 0).map(|id| (id, at)));
            if let Op::Put { table, key, .. } | Op::RemoveRecord { table, key } = op {
                index.records.insert((table.clone(), key.clone()), at);
            }
        }
        index.ops = self.ops.len();
        index
    }
}

/// The tasks that an op touches; 0 is none.
fn touched(op: &Op<'_>) -> [u64; 2] {
    match op {
        Op::Save { replaces, task } => [replaces.0, task.id.0],
        Op::Retitle(retitle) => [retitle.old.0, retitle.id.0],
        Op::Remove { id, .. } => [id.0, 0],
        Op::Put { .. } | Op::RemoveRecord { .. } | Op::Level(_) => [0, 0],
    }
}
