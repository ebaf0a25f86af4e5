//! The table of `/api/*_events`: events, audit events and communication events, as Iguazio has them.

use super::method::Method;

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
