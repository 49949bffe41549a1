//! Every bound of a store in one place. Each refusal names the limit and the value that broke it.

use crate::{
    error::{Code, Error, Result},
    time::Millis,
};

/// The bounds that validation applies. Raise or lower them when a store is opened; entries that are already
/// in the journal are never refused by them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes in a group's or a table's name.
    pub name_bytes: usize,
    /// Bytes in a task's or a record's key.
    pub key_bytes: usize,
    /// Bytes of data in a task, or of value in a record.
    pub data_bytes: usize,
    /// Bytes of data, values, names and keys in one transaction.
    pub transaction_bytes: usize,
    /// Adds, updates, deletes, depends, puts, removes and increments in one transaction.
    pub transaction_items: usize,
    /// Tasks that one claim may take.
    pub claim_tasks: usize,
    /// Groups that one claim may name.
    pub claim_groups: usize,
    /// The shortest lease, in milliseconds.
    pub lease_min: Millis,
    /// The longest lease, in milliseconds.
    pub lease_max: Millis,
    /// Bytes of the error text that `fail` keeps; the rest is cut at a character.
    pub error_bytes: usize,
    /// Live tasks; beyond it an add is `Full`.
    pub max_tasks: u64,
    /// Estimated bytes of the state in memory; beyond it an add or a put is `Full`.
    pub max_state_bytes: u64,
    /// Bytes of journal that wait for a snapshot; beyond it an add or a put is `Full`.
    pub max_journal_bytes: u64,
    /// Revisions for which a request id is remembered. Part of the format: all handles must agree on it.
    pub request_window: u64,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        name_bytes: 255,
        key_bytes: 1024,
        data_bytes: 16 << 20,
        transaction_bytes: 64 << 20,
        transaction_items: 100_000,
        claim_tasks: 10_000,
        claim_groups: 1_000,
        lease_min: 1,
        lease_max: 30 * 24 * 3600 * 1000,
        error_bytes: 2048,
        max_tasks: 1 << 31,
        max_state_bytes: 1 << 30,
        max_journal_bytes: 16 << 30,
        request_window: 65_536,
    };

    /// Changes the limit of this name.
    ///
    /// # Errors
    /// `Invalid` where no limit has that name.
    pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
        let size = usize::try_from(value).unwrap_or(usize::MAX);
        match name {
            "name_bytes" => self.name_bytes = size,
            "key_bytes" => self.key_bytes = size,
            "data_bytes" => self.data_bytes = size,
            "transaction_bytes" => self.transaction_bytes = size,
            "transaction_items" => self.transaction_items = size,
            "claim_tasks" => self.claim_tasks = size,
            "claim_groups" => self.claim_groups = size,
            "lease_min" => self.lease_min = value,
            "lease_max" => self.lease_max = value,
            "error_bytes" => self.error_bytes = size,
            "max_tasks" => self.max_tasks = value,
            "max_state_bytes" => self.max_state_bytes = value,
            "max_journal_bytes" => self.max_journal_bytes = value,
            // The window for request ids is no choice of one handle: all of them must agree on it.
            _ => return Err(Error::new(Code::Invalid, alloc::format!("{name} is no limit"))),
        }
        Ok(())
    }
}

/// Bytes of journal that say that there is no room for more: only what frees some may go on.
pub(crate) const NO_SPACE: u64 = u64::MAX;

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
