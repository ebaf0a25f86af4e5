//! The routes of alerting and of the audit trail, a file per part.

mod audit;
mod channels;
mod escalation;
mod life;
mod rules;
mod sandbox;
mod suppression;
mod users;

use super::method::Method;

/// The methods of all parts.
pub(super) fn methods() -> Vec<Method> {
    let parts = [
        audit::methods(),
        channels::methods(),
        escalation::methods(),
        life::methods(),
        rules::methods(),
        sandbox::methods(),
        suppression::methods(),
        users::methods(),
    ];
    parts.into_iter().flatten().collect()
}
