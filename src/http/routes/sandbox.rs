//! The routes of explaining alerts.

use super::super::method::{Method, read};
use crate::api::alert::explain;

/// The methods of explaining alerts.
pub(super) fn methods() -> Vec<Method> {
    vec![Method::get(
        "/api/v1/alerts/{alert_id}/explain",
        "alert.explain",
        "Say why an alert is as it is: what was decided, by what, in order of time.",
        read(explain::explain),
    )]
}
