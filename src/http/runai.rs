//! The table of `/v1/k8s/audit`: the audit trail as Run:ai's clients ask for it.

use super::method::Method;

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
