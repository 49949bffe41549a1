//! Every journal of the core against the contracts of the port.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Result, StoreId,
    port::{
        Journal,
        conformance::{self, Ground},
    },
    rows::{MemoryRows, RowLog},
};

/// Rows in memory.
#[derive(Default)]
struct Memory {
    made: u8,
    last: Option<MemoryRows>,
}

impl Memory {
    fn id(&mut self) -> StoreId {
        self.made += 1;
        StoreId([self.made; 16])
    }
}

impl Ground for Memory {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        let rows = MemoryRows::new(self.id());
        self.last = Some(rows.clone());
        Ok(Box::new(RowLog::new(rows)))
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        let id = self.id();
        let rows = self.last.as_ref()?.recreate(id);
        Some(Ok(Box::new(RowLog::new(rows))))
    }
}

#[test]
fn rows_in_memory_keep_every_contract() {
    conformance::assert_kept(&conformance::run(&mut Memory::default()), &[]);
}
