//! The routes of windows, silences and inhibitions.

use super::super::method::Method;

/// The methods of windows, silences and inhibitions.
pub(super) fn methods() -> Vec<Method> {
    Vec::new()
}
