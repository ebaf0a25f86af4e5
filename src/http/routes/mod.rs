//! The routes of alerting, a file per part.

mod channels;
mod escalation;
mod life;
mod rules;
mod sandbox;
mod suppression;

use super::method::Method;

/// The methods of alerting.
pub(super) fn methods() -> Vec<Method> {
    let parts = [
        channels::methods(),
        escalation::methods(),
        life::methods(),
        rules::methods(),
        sandbox::methods(),
        suppression::methods(),
    ];
    parts.into_iter().flatten().collect()
}
