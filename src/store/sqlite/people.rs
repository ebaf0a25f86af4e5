//! Who is on call, and how people are reached.

use super::work::Work;
use crate::{
    domain::{people::People as Loaded, scope::Home},
    error::Result,
    store::People,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_people(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl People for Work {}
