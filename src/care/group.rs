//! Grouping beyond the key: whether an event opens an alert of its own.

use super::Hand;
use crate::{
    domain::{alert::Alert, event::Event, history::Step, setup::Setup, timer::Timer},
    error::Result,
    id::Id,
    store::Tx,
};

/// What the group rules say about an event that would open an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It opens.
    Open,
    /// Its group has too few events still: it is kept without an alert.
    Below,
    /// It opens as a part of this alert.
    Member(Id<Alert>),
}

/// What the group rules say about the alert that an event would open.
pub fn gate(
    _tx: &mut dyn Tx,
    (_alert, _event): (&Alert, &Event),
    _setup: &Setup,
    (_hand, _steps): (&Hand<'_>, &mut Vec<Step>),
) -> Result<Gate> {
    Ok(Gate::Open)
}

/// A group has had its time.
pub fn due(_tx: &mut dyn Tx, _timer: &Timer, _hand: &Hand<'_>) -> Result<()> {
    Ok(())
}
