//! Receipts, put together again from what was stored: events in their order, and what is still dead.

use rusqlite::params;

use super::{
    deliveries::{Span, WHOLE},
    rows::Columns,
    work::Work,
};
use crate::{
    domain::{
        receipt::{ItemOutcome, Reason, Unreadable},
        words::{EventType, Outcome, Why},
    },
    error::Result,
};

/// How many items of one delivery are shown; more stay countable in the delivery itself.
const MAX_ITEMS: u32 = 10_000;

impl Why {
    /// What an event did that did it for this reason.
    pub(super) fn outcome(self, event_type: EventType) -> Outcome {
        match self {
            Self::NewKey | Self::OpensAgain | Self::AlreadyRecovered => Outcome::Opened,
            Self::SameKey | Self::Worse | Self::ManualRecovery | Self::HeldOpen => Outcome::Joined,
            Self::Recovers => Outcome::Resolved,
            Self::NothingToRecover | Self::Late | Self::Dropped | Self::BelowThreshold => {
                Outcome::Kept
            }
            Self::Unreadable => match event_type {
                EventType::Error => Outcome::Dead,
                EventType::Alert | EventType::Recovery => Outcome::Joined,
            },
        }
    }
}

impl Work {
    /// What became of each item of a delivery, in the order of the payload.
    pub(super) fn item_outcomes(&self, span: Span) -> Result<Vec<ItemOutcome>> {
        let mut outcomes = self.events_of(span)?;
        outcomes.extend(self.dead_of(span)?);
        outcomes.sort_by_key(|outcome| outcome.index);
        Ok(outcomes)
    }

    fn events_of(&self, span: Span) -> Result<Vec<ItemOutcome>> {
        self.many(
            "SELECT e.item, e.event_id, a.alert_id, e.event_type, e.why
             FROM event e LEFT JOIN alert a ON a.alert = e.alert
             WHERE ((e.event >= ?2 AND e.event < ?2 + ?3) OR e.event IN (SELECT event FROM redriven WHERE delivery = ?1))
               AND e.delivery = ?1 AND e.why <> 'unreadable'
             ORDER BY e.event LIMIT ?4",
            params![span.delivery, span.first_event, span.events, MAX_ITEMS],
            |row| {
                let mut columns = Columns::of(row);
                let index = Some(columns.get()?);
                let (event_id, alert_id) = (columns.maybe_id()?, columns.maybe_id()?);
                let (event_type, why): (EventType, Why) = (columns.word()?, columns.word()?);
                let what = why.outcome(event_type);
                Ok(ItemOutcome { index, event_id, alert_id, what, why: Reason::Decided(why) })
            },
        )
    }

    fn dead_of(&self, span: Span) -> Result<Vec<ItemOutcome>> {
        self.many(
            "SELECT i.item, e.event_id, a.alert_id, i.cause, i.reason, i.file, i.line, i.path
             FROM dead_item i LEFT JOIN event e ON e.event = i.error_event LEFT JOIN alert a ON a.alert = e.alert
             WHERE i.delivery = ?1 ORDER BY i.item LIMIT ?2",
            params![span.delivery, MAX_ITEMS],
            |row| {
                let mut columns = Columns::of(row);
                let item: i64 = columns.get()?;
                let (event_id, alert_id) = (columns.maybe_id()?, columns.maybe_id()?);
                let unreadable = Unreadable {
                    cause: columns.word()?,
                    reason: columns.text()?,
                    file: columns.get()?,
                    line: columns.get()?,
                    path: columns.get()?,
                };
                let index = (item != WHOLE).then(|| u32::try_from(item).unwrap_or(u32::MAX));
                let why = Reason::Unreadable(unreadable);
                Ok(ItemOutcome { index, event_id, alert_id, what: Outcome::Dead, why })
            },
        )
    }
}
