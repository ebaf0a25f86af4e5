//! The routes of escalation, on-call and heartbeats.

use super::super::method::Method;

/// The methods of escalation, on-call and heartbeats.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
