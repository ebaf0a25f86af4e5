//! Who must be heard from: silence opens an alert.

use super::Hand;
use crate::{domain::timer::Timer, error::Result, store::Tx};

/// A webhook should have been heard from by now.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
