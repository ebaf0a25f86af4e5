//! The routes of channels and messages.

use super::super::method::Method;

/// The methods of channels and messages.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
