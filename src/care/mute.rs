//! What mutes an alert when it opens, when something that mutes begins or ends, and when its inhibitor is over.

use super::{Hand, Opening};
use crate::{
    domain::{alert::Alert, setup::Setup, timer::Timer},
    error::Result,
    store::Tx,
};

/// Decides whether an alert that is about to open is muted.
pub fn on_open(_tx: &mut dyn Tx, _opening: &mut Opening<'_>) -> Result<()> {
    Ok(())
}

/// An alert opened: it may inhibit others.
pub fn opened(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// An alert is over: what it inhibited is muted no more.
pub fn ended(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// What mutes begins or ends.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
