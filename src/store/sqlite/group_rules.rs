//! Group rules.

use super::work::Work;
use crate::{
    domain::{group_rule::GroupRules as Loaded, scope::Home},
    error::Result,
    store::GroupRules,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_group_rules(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl GroupRules for Work {}
