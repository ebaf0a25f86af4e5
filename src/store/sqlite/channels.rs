//! Where messages go.

use super::work::Work;
use crate::{
    domain::{channel::Channels as Loaded, scope::Home},
    error::Result,
    store::Channels,
};

impl Work {
    /// What a setup holds of this.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn load_channels(&self, home: &Home) -> Result<Loaded> {
        let _ = home;
        Ok(Loaded::default())
    }
}

impl Channels for Work {}
