//! The table of `/monitoring/v1`, as Cloudforet has it.

use super::method::Method;

/// The methods of `/monitoring/v1`.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
