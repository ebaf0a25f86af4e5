//! Escalation policies.

use super::work::Work;
use crate::{
    domain::{escalation::Escalations as Loaded, scope::Home},
    error::Result,
    store::EscalationPolicies,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_escalations(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl EscalationPolicies for Work {}
