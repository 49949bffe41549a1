//! Every journal of the core against the contracts of the port.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Author, Result, StoreId,
    bytelog::{ByteLog, Options},
    port::{
        Journal,
        conformance::{self, Ground},
    },
    rows::{MemoryRows, RowLog},
    testing::{Faults, Faulty, SimDisk},
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

/// A byte log on a simulated disk.
#[derive(Default)]
struct Bytes {
    made: u8,
    last: Option<SimDisk>,
}

impl Bytes {
    fn create(&mut self, disk: SimDisk) -> Result<Box<dyn Journal>> {
        self.made += 1;
        // Small segments, so that the suite sees some of them go; short pieces, so that long entries are split.
        let options = Options { segment_bytes: 4096, max_frame: 1000, ..Options::new(Author(7)) };
        let log = ByteLog::create(disk, options, StoreId([self.made; 16]))?;
        Ok(Box::new(log))
    }
}

impl Ground for Bytes {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        let disk = SimDisk::new();
        self.last = Some(disk.process());
        self.create(disk)
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        let mut disk = self.last.as_ref()?.process();
        for name in disk.files() {
            tenure_core::bytelog::Disk::remove(&mut disk, &name).ok()?;
        }
        Some(self.create(disk))
    }
}

#[test]
fn a_byte_log_keeps_every_contract() {
    conformance::assert_kept(&conformance::run(&mut Bytes::default()), &[]);
}

/// A journal that could fail, and does not.
#[derive(Default)]
struct Calm(Memory);

fn calm(inner: Box<dyn Journal>) -> Box<dyn Journal> {
    Box::new(Faulty::new(inner, Faults::new(1)))
}

impl Ground for Calm {
    fn fresh(&mut self) -> Result<Box<dyn Journal>> {
        self.0.fresh().map(calm)
    }

    fn recreate(&mut self) -> Option<Result<Box<dyn Journal>>> {
        self.0.recreate().map(|inner| inner.map(calm))
    }
}

#[test]
fn a_journal_that_can_fail_keeps_every_contract_while_it_does_not() {
    conformance::assert_kept(&conformance::run(&mut Calm::default()), &[]);
}
