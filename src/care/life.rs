//! From one state of an alert to the next, with all that follows.

use super::{Hand, Opening};
use crate::{
    domain::{
        alert::{Alert, Standing},
        event::Event,
        setup::Setup,
        timer::Timer,
    },
    error::Result,
    store::Tx,
};

/// An alert is about to open: what is said of it, and whether its key flaps.
pub fn opening(_tx: &mut dyn Tx, opening: &mut Opening<'_>) -> Result<()> {
    let routing = opening.routing;
    if routing.assignee.is_some() {
        opening.alert.assignee.clone_from(&routing.assignee);
    }
    if let Some(urgency) = routing.urgency {
        opening.alert.standing.urgency = urgency;
    }
    Ok(())
}

/// An alert opened: its timers are set.
pub fn opened(_tx: &mut dyn Tx, _alert: &Alert, _setup: &Setup, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}

/// Whether an event that joined an alert without marks matters beyond being counted.
pub fn matters(before: &Standing, after: &Standing) -> bool {
    before.state == crate::domain::words::AlertState::Acknowledged
        && after.severity > before.severity
}

/// An event joined an alert about which something is special, or which it made worse.
pub fn joined(
    _tx: &mut dyn Tx,
    (_event, _before, _after): (&Event, &Standing, &Standing),
    _setup: &Setup,
    _hand: &Hand<'_>,
) -> Result<()> {
    Ok(())
}

/// Whether an alert stays open although its recovery came: it flaps, or its members have not recovered. If so, the event
/// is joined to it here.
pub fn holds_open(
    _tx: &mut dyn Tx,
    (_event, _before): (&Event, &Standing),
    _setup: &Setup,
    _hand: &Hand<'_>,
) -> Result<bool> {
    Ok(false)
}

/// An alert is over: its timers go, its lead may be over too.
pub fn ended(
    _tx: &mut dyn Tx,
    (_alert, _event): (&Alert, Option<&Event>),
    _setup: &Setup,
    _hand: &Hand<'_>,
) -> Result<()> {
    Ok(())
}

/// An alert was put off until now, its acknowledgement ran out, it has been quiet, or its sender may have fallen silent.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
