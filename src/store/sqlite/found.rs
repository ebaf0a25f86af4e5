//! Pages of events and alerts that a query asks for.

use rusqlite::{Row, params_from_iter};

use super::{
    alerts, events,
    sql::{self, Composed},
    work::Work,
};
use crate::{
    domain::{alert::Alert, event::Event, scope::Scope},
    error::Result,
    query::{Keyset, Query},
    store::Found,
};

impl Work {
    /// The events in `scope` that `query` asks for.
    pub(super) fn find_events(&self, scope: &Scope, query: &Query) -> Result<Found<Event>> {
        let composed = sql::compose(query, scope, &sql::EVENTS);
        let columns = format!("{}, e.created_at AS place, e.event AS place_row", events::COLUMNS);
        self.find(query, &composed, (&columns, events::HOME), events::event)
    }

    /// The alerts in `scope` that `query` asks for.
    pub(super) fn find_alerts(&self, scope: &Scope, query: &Query) -> Result<Found<Alert>> {
        let composed = sql::compose(query, scope, &sql::ALERTS);
        let columns = format!("{}, a.created_at AS place, a.alert AS place_row", alerts::COLUMNS);
        self.find(query, &composed, (&columns, alerts::HOME), alerts::alert)
    }

    fn find<T>(
        &self,
        query: &Query,
        composed: &Composed,
        (columns, joins): (&str, &str),
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<Found<T>> {
        let total = match composed.count() {
            Some((sql, values)) => self.number(&sql, params_from_iter(values))?,
            None => None,
        };
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), composed.total(total)));
        }
        let (sql, values) = composed.select(columns, joins);
        let rows = self.many(&sql, params_from_iter(values), |row| {
            let place = Keyset { created_at: row.get("place")?, row: row.get("place_row")? };
            Ok((place, read(row)?))
        })?;
        Ok(sql::found(query, rows, composed.total(total)))
    }
}
