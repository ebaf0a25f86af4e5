//! The table of `/v1/events`: what services post of what is done in them, as H2O's audit trail has it.

use super::method::Method;

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
