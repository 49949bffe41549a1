//! Snapshots' names, as journals in JavaScript keep them.

use tenure_core::{Author, Revision, port::SnapshotName};

/// The name of a snapshot as journals keep it. Names sort as the snapshots do.
pub fn name_text(name: SnapshotName) -> String {
    format!("{:020}-{:016x}", name.end.0, name.author.0)
}

/// The name that such a text is.
pub fn name_of(text: &str) -> Option<SnapshotName> {
    let (end, author) = text.split_once('-')?;
    Some(SnapshotName { end: Revision(end.parse().ok()?), author: Author(u64::from_str_radix(author, 16).ok()?) })
}
