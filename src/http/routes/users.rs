//! The routes of users, sessions and applications.

use super::super::method::Method;

/// The methods of users, sessions and applications.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
