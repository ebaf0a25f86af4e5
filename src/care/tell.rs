//! Whether people are told at all: what withholds an announcement, and why.

use super::{
    Hand,
    announce::{Announcement, announce},
};
use crate::{domain::setup::Setup, error::Result, store::Tx};

/// Tells people, unless something withholds it.
pub fn tell(
    tx: &mut dyn Tx,
    announcement: &Announcement<'_>,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<()> {
    announce(tx, announcement, setup, hand)
}
