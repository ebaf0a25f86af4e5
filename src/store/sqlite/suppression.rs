//! Maintenance windows, silences, inhibitions.

use super::work::Work;
use crate::{
    domain::{scope::Home, suppress::Mutes as Loaded},
    error::Result,
    store::Suppression,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_mutes(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl Suppression for Work {}
