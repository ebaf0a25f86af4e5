//! The routes of explaining alerts.

use super::super::method::Method;

/// The methods of explaining alerts.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
