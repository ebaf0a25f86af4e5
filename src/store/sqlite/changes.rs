//! Which alerts a unit of work changes.

use std::{cell::RefCell, collections::HashSet};

use super::work::Work;
use crate::{
    domain::alert::Alert,
    id::Id,
    store::{Changed, Changes},
};

/// The alerts that were changed while somebody watches.
#[derive(Debug, Default)]
pub(super) struct Watched(RefCell<Option<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    known: HashSet<Id<Alert>>,
    changed: Vec<Changed>,
}

impl Watched {
    /// An alert is changed: `before` is what it is so far.
    pub(super) fn note(&self, id: &Id<Alert>, before: impl FnOnce() -> Option<Alert>) {
        if let Some(seen) = self.0.borrow_mut().as_mut()
            && seen.known.insert(id.clone())
        {
            seen.changed.push((id.clone(), before()));
        }
    }

    /// Nobody watches: another unit of work begins.
    pub(super) fn forget(&self) {
        self.0.borrow_mut().take();
    }
}

impl Changes for Work {
    fn watch_changes(&mut self) {
        *self.watched.0.borrow_mut() = Some(Seen::default());
    }

    fn take_changes(&mut self) -> Vec<Changed> {
        self.watched.0.borrow_mut().take().map(|seen| seen.changed).unwrap_or_default()
    }
}
