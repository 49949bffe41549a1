//! The numbers that name things. Each is its own type, so that a revision never passes for a task.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Ids stay below 2^53, so that a JavaScript number holds each of them exactly.
pub const MAX_ID: u64 = (1 << 53) - 1;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> Self {
                Self(value)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

number! {
    /// One version of a task. Any change gives the task a new, higher id; an id is never used again.
    TaskId
}
number! {
    /// The number that a client chose for itself. 0 is nobody.
    OwnerId
}
number! {
    /// The random number of one handle on a store; fences compare it. 0 is nobody.
    Author
}
number! {
    /// The number of a journal entry: 1, 2, 3 … without a gap. 0 is before the first.
    Revision
}
number! {
    /// A place in a journal. It grows; nothing else about it is promised.
    Position
}

/// The random identity of a store, drawn when it is created; it tells a recreated store from the one a handle knew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StoreId(pub [u8; 16]);

impl StoreId {
    /// The identity that is written so: 32 hexadecimal digits.
    pub fn from_text(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32 && !text.starts_with('+'))?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}
