//! Who is told next about an alert, and when.

use super::{Hand, Opening};
use crate::{
    domain::{alert::Alert, setup::Setup, timer::Timer},
    error::Result,
    store::Tx,
};

/// Gives an alert that is about to open its policy.
pub fn begin(_tx: &mut dyn Tx, _opening: &mut Opening<'_>) -> Result<()> {
    Ok(())
}

/// Tells the first step of an alert that opened, and sets its timer.
pub fn start(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// Begins anew: the alert was reopened or moved.
pub fn restart(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// An alert is over: its timer goes, and who was told of it is told.
pub fn resolved(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// The next step is due.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
