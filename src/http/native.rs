//! The table of `/api/v1`, our own.

use super::method::Method;

/// The methods of `/api/v1`.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
