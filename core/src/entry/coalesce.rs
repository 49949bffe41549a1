//! Merging ops of one transaction.

use alloc::vec::Vec;

use super::Op;

/// Collects the ops of one transaction and merges those that speak of the same thing.
#[derive(Debug, Default)]
pub struct Coalescer<'a> {
    ops: Vec<Op<'a>>,
}

impl<'a> Coalescer<'a> {
    /// Adds an op.
    pub fn push(&mut self, op: Op<'a>) {
        self.ops.push(op);
    }

    /// The merged ops.
    pub fn into_ops(self) -> Vec<Op<'a>> {
        self.ops
    }
}
