//! The bytes of a task or a record: shared, never changed, cheap to clone.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Deref};

/// Bytes that are shared between the store and its callers, so that a claim of 10 MiB copies none of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Data(Arc<[u8]>);

impl Data {
    /// As text, where it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }
}

impl Default for Data {
    fn default() -> Self {
        Self(Arc::from(&[][..]))
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Data {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) if text.len() <= 64 => fmt::Debug::fmt(text, f),
            _ => write!(f, "{} bytes", self.0.len()),
        }
    }
}

impl From<Arc<[u8]>> for Data {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&String> for Data {
    fn from(text: &String) -> Self {
        text.as_bytes().into()
    }
}

impl From<&[u8]> for Data {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Data {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&Vec<u8>> for Data {
    fn from(bytes: &Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&Self> for Data {
    fn from(data: &Self) -> Self {
        data.clone()
    }
}
