//! The routes of the life of alerts.

use super::super::method::Method;

/// The methods of the life of alerts.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
