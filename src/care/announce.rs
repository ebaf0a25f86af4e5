//! Making messages: who takes an announcement, and why others do not.

use super::Hand;
use crate::{
    domain::{
        alert::Alert,
        notice::{NotificationLevel, Occasion},
        people::Target,
        setup::Setup,
        timer::Timer,
    },
    error::Result,
    store::Tx,
};

/// What people are to be told.
#[derive(Clone, Debug)]
pub struct Announcement<'a> {
    /// About which alert.
    pub alert: &'a Alert,
    /// On what occasion.
    pub occasion: Occasion,
    /// To those who take this level.
    pub level: NotificationLevel,
    /// The step of the escalation, from one.
    pub step: u32,
    /// Why, where the occasion does not say it all.
    pub reason: Option<String>,
    /// Whom the step names beside those who take the level: channels, users, schedules.
    pub targets: Vec<Target>,
}

/// Writes an announcement down for all who take it, in this unit of work.
pub fn announce(
    _tx: &mut dyn Tx,
    _announcement: &Announcement<'_>,
    _setup: &Setup,
    _hand: &Hand<'_>,
) -> Result<()> {
    Ok(())
}

/// Messages that waited for company are sent.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
