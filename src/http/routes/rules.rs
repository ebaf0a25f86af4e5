//! The routes of event rules and group rules.

use super::super::method::Method;

/// The methods of event rules and group rules.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
