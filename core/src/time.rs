//! Time is milliseconds since the Epoch. The core never reads a clock: every `now` is an argument.

/// Milliseconds, since the Epoch or as a span.
pub type Millis = u64;

/// The latest time that a task or a record can carry; the same bound as ids, for the same reason.
pub const MAX_TIME: Millis = crate::id::MAX_ID;

/// When a task becomes available.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, serde::Serialize, serde::Deserialize)]
pub enum When {
    /// At the `now` of the transaction.
    #[default]
    Now,
    /// That many milliseconds after the `now` of the transaction.
    After(Millis),
    /// At this time, past or future.
    At(Millis),
}

impl When {
    /// The absolute time, or `None` where it lies beyond [`MAX_TIME`].
    #[must_use]
    pub fn at(self, now: Millis) -> Option<Millis> {
        let at = match self {
            Self::Now => now,
            Self::After(delay) => now.checked_add(delay)?,
            Self::At(at) => at,
        };
        (at <= MAX_TIME).then_some(at)
    }
}
