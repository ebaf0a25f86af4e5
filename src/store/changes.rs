//! Which alerts a unit of work changes, for whoever records it: much follows from one act that nobody named.

use crate::{domain::alert::Alert, id::Id};

/// An alert that was changed: which, and what it was before; `None` where it was not there.
pub type Changed = (Id<Alert>, Option<Alert>);

/// Which alerts a unit of work changes. What its events do is not told: their delivery tells that.
pub trait Changes {
    /// From now on, until the unit of work is over, what an alert is before it is first changed is kept.
    fn watch_changes(&mut self);
    /// What was changed since, in order; it is watched no more.
    fn take_changes(&mut self) -> Vec<Changed>;
}
