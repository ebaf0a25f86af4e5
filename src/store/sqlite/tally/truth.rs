//! The rows themselves, as far as tallies tell them apart.

use rusqlite::{Connection, Row, params};

use super::{
    super::rows::Columns,
    choose::Bounds,
    known::{Kind, Said, Way},
};
use crate::error::{Error, Result};

const EVENTS: &str =
    "SELECT e.created_at, e.project, e.webhook, e.provider, e.severity, e.event_type FROM event e
 WHERE e.created_at >= ?1 AND e.created_at < ?2 ORDER BY e.created_at";

const EVENTS_OF_PROJECT: &str =
    "SELECT e.created_at, e.project, e.webhook, e.provider, e.severity, e.event_type FROM event e
 WHERE e.created_at >= ?1 AND e.created_at < ?2 AND e.project = ?3 ORDER BY e.created_at";

const ALERTS: &str =
    "SELECT a.created_at, a.project, a.webhook, a.provider, t.severity, a.state, t.urgency
 FROM alert a CROSS JOIN standing t ON t.alert = a.alert
 WHERE a.created_at >= ?1 AND a.created_at < ?2 AND a.deleted_at IS NULL ORDER BY a.created_at";

const ALERTS_OF_PROJECT: &str = "SELECT a.created_at, a.project, a.webhook, a.provider, t.severity, a.state, t.urgency
 FROM alert a CROSS JOIN standing t ON t.alert = a.alert
 WHERE a.created_at >= ?1 AND a.created_at < ?2 AND a.deleted_at IS NULL AND a.project = ?3 ORDER BY a.created_at";

/// Calls `take` with each row of a kind in a range of time, the oldest first: when it came, and what it has.
pub(super) fn rows(
    connection: &Connection,
    (kind, project): (Kind, Option<i64>),
    bounds: Bounds,
    take: &mut dyn FnMut(i64, &Said<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(match (kind, project) {
        (Kind::Event, None) => EVENTS,
        (Kind::Event, Some(_)) => EVENTS_OF_PROJECT,
        (Kind::Alert, None) => ALERTS,
        (Kind::Alert, Some(_)) => ALERTS_OF_PROJECT,
    })?;
    let mut rows = match project {
        None => statement.query(params![bounds.from, bounds.to])?,
        Some(project) => statement.query(params![bounds.from, bounds.to, project])?,
    };
    while let Some(row) = rows.next()? {
        let (created_at, said) = said(row, kind)?;
        take(created_at, &said)?;
    }
    Ok(())
}

fn said<'r>(row: &'r Row<'_>, kind: Kind) -> Result<(i64, Said<'r>)> {
    let provider = row.get_ref(3)?.as_str_or_null().map_err(Error::internal)?;
    let mut columns = Columns::of(row);
    let (created_at, project, webhook) = (columns.get()?, columns.get()?, columns.get()?);
    columns.skip();
    let severity = columns.word()?;
    let way = match kind {
        Kind::Event => Way::Event(columns.word()?),
        Kind::Alert => Way::Alert(columns.word()?, columns.word()?),
    };
    Ok((created_at, Said { project, webhook, provider, severity, way }))
}

/// Calls `take` with a row of a kind, unless it is not there or not tallied.
pub(super) fn row(
    connection: &Connection,
    (kind, row): (Kind, i64),
    take: &mut dyn FnMut(i64, &Said<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(match kind {
        Kind::Event => {
            "SELECT e.created_at, e.project, e.webhook, e.provider, e.severity, e.event_type FROM event e
             WHERE e.event = ?1"
        }
        Kind::Alert => {
            "SELECT a.created_at, a.project, a.webhook, a.provider, t.severity, a.state, t.urgency
             FROM alert a CROSS JOIN standing t ON t.alert = a.alert WHERE a.alert = ?1 AND a.deleted_at IS NULL"
        }
    })?;
    let mut rows = statement.query([row])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let (created_at, said) = said(row, kind)?;
    take(created_at, &said)
}
