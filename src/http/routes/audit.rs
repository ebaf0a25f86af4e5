//! The routes of the audit trail.

use super::super::method::{Method, read};
use crate::api::audit;

/// The methods of the audit trail.
pub(super) fn methods() -> Vec<Method> {
    vec![Method::get(
        "/api/v1/audit",
        "audit.list",
        "Lists what was done and what was refused, to those who reach a whole domain.",
        read(audit::list),
    )]
}
