//! Event rules.

use super::work::Work;
use crate::{
    domain::{event_rule::EventRules as Loaded, scope::Home},
    error::Result,
    store::EventRules,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_event_rules(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl EventRules for Work {}
