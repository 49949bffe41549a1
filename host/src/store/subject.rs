//! What a transaction can name.

use std::sync::Arc;

use tenure_core::{Task, TaskId};

use super::{
    held::{Held, HeldState},
    verb::TaskName,
};

/// A task that a transaction names: a plain one, or one that is held and knows its present id.
pub trait Subject {
    /// Its name as far as it is known now.
    fn name(&self) -> TaskName;
    /// The held lease behind it.
    #[doc(hidden)]
    fn held(&self) -> Option<Arc<HeldState>> {
        None
    }
}

impl Subject for Task {
    fn name(&self) -> TaskName {
        self.into()
    }
}

impl Subject for TaskName {
    fn name(&self) -> TaskName {
        *self
    }
}

impl Subject for TaskId {
    fn name(&self) -> TaskName {
        (*self).into()
    }
}

impl Subject for Held {
    fn name(&self) -> TaskName {
        (&self.task()).into()
    }

    fn held(&self) -> Option<Arc<HeldState>> {
        Some(self.state())
    }
}

impl<T: Subject> Subject for &T {
    fn name(&self) -> TaskName {
        (*self).name()
    }

    fn held(&self) -> Option<Arc<HeldState>> {
        (*self).held()
    }
}
