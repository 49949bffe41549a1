//! The place of a value in a text, for messages.

use alloc::format;
use core::fmt;

use super::node::Node;
use crate::error::{Code, Error};

/// Where in the text something stands: `updates[0].id`.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The whole, by its name.
    Whole(&'static str),
    /// A field of an object.
    Field(&'a Place<'a>, &'static str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(what) => f.write_str(what),
            Self::Field(Self::Whole(_), name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(Self::Whole(_), index) => write!(f, "[{index}]"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Place<'_> {
    #[cold]
    pub(crate) fn refuse(&self, why: impl fmt::Display) -> Error {
        Error::new(Code::Invalid, format!("{self}: {why}"))
    }

    #[cold]
    pub(crate) fn expected(&self, what: &str, found: &Node<'_>) -> Error {
        self.refuse(format_args!("expected {what}, found {}", found.noun()))
    }
}
